//! The parts of a multipart body: fields and files, under Django's limits.

use super::parameters::parse_parameters;
use super::{UploadError, UploadLimits, base64};
use crate::character::is_space;
use crate::file_name;

/// How many bytes the headers of one part may have, their end included.
const MOST_HEADER_BYTES: usize = 1024;
/// What a field costs besides its value and name: the `=` and `&` it would have in a query.
const PER_FIELD: u64 = 2;
/// Text before the first and after the last boundary counts as two more fields.
const OUTSIDE: u64 = 2;

/// What a multipart body held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Multipart {
    /// Names and values, in their order.
    pub fields: Vec<(String, String)>,
    /// Files, in their order.
    pub files: Vec<UploadedPart>,
}

/// A file of a multipart body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadedPart {
    /// The name of the form's field.
    pub field: String,
    /// The name the client gave the file, stripped to its last part.
    pub file_name: String,
    /// The type the client says it has, without parameters; empty where it says nothing.
    pub content_type: String,
    /// The parameters of that type, such as `charset`.
    pub parameters: Vec<(String, String)>,
    /// The bytes.
    pub content: Vec<u8>,
}

impl UploadedPart {
    /// The `charset` of the content type.
    pub fn charset(&self) -> Option<&str> {
        let found = self.parameters.iter().find(|(name, _)| name == "charset");
        found.map(|(_, charset)| charset.as_str())
    }
}

/// Reads a multipart body: Django's `MultiPartParser`.
///
/// A part without a name is skipped; one with a non-empty `filename` is a file, and dropped where no usable name is
/// left of that. A file counts only if its boundary has come.
///
/// # Errors
///
/// A limit that was passed, part headers that are too long, a file in damaged base64.
pub fn parse_multipart(boundary: &str, body: &[u8], limits: UploadLimits) -> Result<Multipart, UploadError> {
    let mut reading = Reading {
        limits,
        read: Multipart::default(),
        parts: 0,
        files: 0,
        bytes: 0,
        unfinished: None,
    };
    let separator = format!("--{boundary}");
    let mut rest = Some(body);
    while let Some(body) = rest.filter(|body| !body.is_empty()) {
        let (part, after) = until(body, separator.as_bytes());
        rest = after;
        reading.part(part)?;
    }
    Ok(reading.read)
}

/// A body half read.
struct Reading {
    limits: UploadLimits,
    read: Multipart,
    parts: u64,
    files: u64,
    bytes: u64,
    /// A file whose end is only known when another part begins.
    unfinished: Option<UploadedPart>,
}

impl Reading {
    fn part(&mut self, part: &[u8]) -> Result<(), UploadError> {
        let part = Part::parse(part)?;
        // Django takes a file whose field has no name for none.
        let finished = self.unfinished.take();
        self.read
            .files
            .extend(finished.filter(|file| !file.field.is_empty()));
        let is_file = part.disposition.as_ref().is_some_and(Disposition::is_file);
        if !is_file && let Some(most) = self.limits.max_number_fields {
            self.parts += 1;
            if self.parts > most.saturating_add(OUTSIDE) {
                return Err(UploadError::TooManyFields);
            }
        }
        let Some(name) = part.disposition.as_ref().and_then(Disposition::name) else {
            return Ok(());
        };
        if is_file {
            self.file(name, &part)
        } else {
            self.field(name, &part)
        }
    }

    fn field(&mut self, name: String, part: &Part<'_>) -> Result<(), UploadError> {
        let name_length = count(name.chars().count());
        self.bytes += count(part.content.len()) + name_length + PER_FIELD;
        if self.limits.max_memory_size.is_some_and(|most| self.bytes > most) {
            return Err(UploadError::TooBig);
        }
        let decoded = if part.is_base64() {
            base64::decode(part.content)
        } else {
            None
        };
        let content = decoded.as_deref().unwrap_or(part.content);
        self.read
            .fields
            .push((name, String::from_utf8_lossy(content).into_owned()));
        Ok(())
    }

    fn file(&mut self, field: String, part: &Part<'_>) -> Result<(), UploadError> {
        self.files += 1;
        if self.limits.max_number_files.is_some_and(|most| self.files > most) {
            return Err(UploadError::TooManyFiles);
        }
        let claimed = part
            .disposition
            .as_ref()
            .and_then(|found| found.parameter("filename"));
        let Some(file_name) = claimed.and_then(file_name::from_upload) else {
            return Ok(());
        };
        let content = if part.is_base64() {
            let packed: Vec<u8> = part
                .content
                .iter()
                .copied()
                .filter(|byte| !is_blank(*byte))
                .collect();
            if !packed.len().is_multiple_of(4) {
                return Err(UploadError::Base64);
            }
            base64::decode(&packed).ok_or(UploadError::Base64)?
        } else {
            part.content.to_vec()
        };
        let (content_type, parameters) = part.content_type.clone().unwrap_or_default();
        self.unfinished = Some(UploadedPart {
            field,
            file_name,
            content_type,
            parameters,
            content,
        });
        Ok(())
    }
}

/// One part, its headers read as far as they matter.
struct Part<'b> {
    disposition: Option<Disposition>,
    content_type: Option<(String, Vec<(String, String)>)>,
    transfer_encoding: Option<String>,
    content: &'b [u8],
}

/// The parameters of a part's `Content-Disposition`.
struct Disposition(Vec<(String, String)>);

impl Disposition {
    fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    fn is_file(&self) -> bool {
        self.parameter("filename").is_some_and(|name| !name.is_empty())
    }

    fn name(&self) -> Option<String> {
        let name = self.parameter("name")?;
        let is_blank = |character: char| u8::try_from(character).is_ok_and(is_blank);
        Some(name.trim_matches(is_blank).to_owned())
    }
}

impl<'b> Part<'b> {
    fn parse(part: &'b [u8]) -> Result<Self, UploadError> {
        let mut read = Part {
            disposition: None,
            content_type: None,
            transfer_encoding: None,
            content: part,
        };
        let beginning = part.get(..MOST_HEADER_BYTES).unwrap_or(part);
        let Some(end) = find(beginning, b"\r\n\r\n") else {
            return if part.len() < MOST_HEADER_BYTES {
                Ok(read)
            } else {
                Err(UploadError::HeaderTooLarge)
            };
        };
        let (headers, content) = part.split_at(end);
        read.content = content.get(4..).unwrap_or_default();
        for line in lines(headers) {
            let Ok(line) = std::str::from_utf8(line) else {
                continue;
            };
            let Ok((value, parameters)) = parse_parameters(line) else {
                continue;
            };
            let Some((name, value)) = value.split_once(':') else {
                continue;
            };
            let value = value.trim_matches(is_space).to_owned();
            match name {
                "content-disposition" => read.disposition = Some(Disposition(parameters)),
                "content-type" => read.content_type = Some((value, parameters)),
                "content-transfer-encoding" => read.transfer_encoding = Some(value),
                _ => {}
            }
        }
        Ok(read)
    }

    fn is_base64(&self) -> bool {
        self.transfer_encoding.as_deref() == Some("base64")
    }
}

/// The part up to the next separator, without the line break before it, and what follows the separator.
fn until<'b>(body: &'b [u8], separator: &[u8]) -> (&'b [u8], Option<&'b [u8]>) {
    let Some(place) = find(body, separator) else {
        return (body, None);
    };
    let (part, rest) = body.split_at(place);
    let part = part.strip_suffix(b"\n").unwrap_or(part);
    let part = part.strip_suffix(b"\r").unwrap_or(part);
    (part, rest.get(separator.len()..))
}

/// Lines between CR LF.
fn lines(mut headers: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut is_done = false;
    std::iter::from_fn(move || {
        if is_done {
            return None;
        }
        let Some(end) = find(headers, b"\r\n") else {
            is_done = true;
            return Some(headers);
        };
        let (line, rest) = headers.split_at(end);
        headers = rest.get(2..).unwrap_or_default();
        Some(line)
    })
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, wanted)
}

/// White space of ASCII, as Python's `bytes.split` takes it.
const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0b' | b'\x0c')
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
