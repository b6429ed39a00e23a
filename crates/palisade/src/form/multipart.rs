//! Reads the text fields of a multipart form.
//!
//! The grammar is left to `multer`; the limits are Django's. A file goes into the spool of media as it comes, where a field
//! takes files; any other is refused or read past, by the policy.

use base64::Engine as _;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use futures_util::Stream;
use multer::{Constraints, Field, Multipart, SizeLimit};
use zeroize::Zeroizing;

use super::held::Held;
use super::submission::Submission;
use super::{FieldSpec, FileParts, Form, FormPolicy, FormRejection, Kind};
use crate::media::{Came, Incoming, Media};
use crate::stack::StackContext;
use crate::transport::Connection;
use palisade_core::file_name::{from_upload, upload_base_name};

/// What Django adds to each field that it counts.
const PER_FIELD: usize = 2;
/// The most bytes of a part's headers and boundary, as Django has it.
const PART_HEADERS: usize = 1024;
/// What Django strips from the ends of a field's name.
const BLANK: [char; 6] = [' ', '\t', '\n', '\r', '\x0b', '\x0c'];
/// The longest boundary that Django takes.
const LONGEST_BOUNDARY: usize = 201;
/// Base64 whose last letter may carry bits that nobody reads, as Python takes it.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);
/// The most bytes that are read past when files are skipped.
const SKIPPED: u64 = 16 * 1024 * 1024;

/// Reads the fields of the body.
pub(super) async fn read<S, E>(
    content_type: &str,
    body: S,
    policy: &FormPolicy,
    files: Option<&FileFields>,
    held: &Held,
) -> Result<Submission, FormRejection>
where
    S: Stream<Item = Result<Bytes, E>> + Send + 'static,
    E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
{
    let boundary = multer::parse_boundary(content_type).map_err(broken)?;
    if boundary.is_empty() || boundary.len() > LONGEST_BOUNDARY || boundary.ends_with(' ') {
        return Err(FormRejection::MalformedMultipart(
            "the boundary is not one".into(),
        ));
    }
    // Where files are taken, each has its size, and the route's limit holds for all together.
    let whole = if files.is_some() {
        u64::MAX
    } else {
        whole_stream(policy)
    };
    let constraints = Constraints::new().size_limit(SizeLimit::new().whole_stream(whole));
    let mut parts = Multipart::with_constraints(body, boundary, constraints);
    let mut count = Count::default();
    let mut submission = Submission::default();
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        held.progress();
        count.part(policy)?;
        let headers: usize = part
            .headers()
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len())
            .sum();
        if headers > PART_HEADERS {
            return Err(FormRejection::MalformedMultipart(
                "the headers of a part are too long".into(),
            ));
        }
        let Some(name) = part.name().map(|name| name.trim_matches(BLANK).to_owned()) else {
            read_past(part, held).await?;
            continue;
        };
        let declared = files.and_then(|files| files.spec(&name));
        let is_file = part.file_name().is_some_and(|file| !file.is_empty());
        if let (Some(spec), Some(files), Some(claimed)) = (declared, files, part.file_name()) {
            // What a browser sends where no file was chosen has no name.
            if let Some(file_name) = caption(claimed).filter(|_| is_file) {
                count.file_taken(policy)?;
                let taken = submission.files_of(spec.name) < spec.most_files();
                let came = if taken {
                    file(part, file_name, spec, &files.media, held).await?
                } else {
                    read_past(part, held).await?;
                    Came::TooMany
                };
                submission.push_file(spec.name, came);
            } else {
                read_past(part, held).await?;
            }
            continue;
        }
        if is_file {
            count.file(&name, policy)?;
            read_past(part, held).await?;
            continue;
        }
        count.field(&name, policy)?;
        let value = value(part, &name, &mut count, policy, held).await?;
        submission.push(name, value);
    }
    Ok(submission)
}

/// The most that is read of a stream, and held at once: the fields, what frames them, and the files that are skipped.
fn whole_stream(policy: &FormPolicy) -> u64 {
    let limits = &policy.limits;
    let Some(memory) = limits.max_memory_size else {
        return u64::MAX;
    };
    let parts = limits
        .max_number_fields
        .unwrap_or(10_000)
        .saturating_add(limits.max_number_files.unwrap_or(10_000));
    let bytes = memory.saturating_add(parts.saturating_mul(PART_HEADERS));
    let skipped = if policy.files == FileParts::Skip {
        SKIPPED
    } else {
        0
    };
    u64::try_from(bytes).unwrap_or(u64::MAX).saturating_add(skipped)
}

#[derive(Default)]
struct Count {
    parts: usize,
    fields: usize,
    files: usize,
    bytes: usize,
}

impl Count {
    /// A part of any kind, one without a name too; those that end the body are let pass, as with fields.
    fn part(&mut self, policy: &FormPolicy) -> Result<(), FormRejection> {
        self.parts += 1;
        let limits = &policy.limits;
        let most = limits.max_number_fields.zip(limits.max_number_files);
        if most.is_some_and(|(fields, files)| self.parts > fields.saturating_add(files).saturating_add(2)) {
            return Err(FormRejection::TooManyFieldsSent);
        }
        Ok(())
    }

    fn file_taken(&mut self, policy: &FormPolicy) -> Result<(), FormRejection> {
        self.files += 1;
        if policy
            .limits
            .max_number_files
            .is_some_and(|limit| self.files > limit)
        {
            return Err(FormRejection::TooManyFilesSent);
        }
        Ok(())
    }

    fn file(&mut self, name: &str, policy: &FormPolicy) -> Result<(), FormRejection> {
        self.file_taken(policy)?;
        match policy.files {
            FileParts::Refuse => Err(FormRejection::UnexpectedFile(name.to_owned())),
            FileParts::Skip => Ok(()),
        }
    }

    /// Django lets two more parts than fields pass, for the parts that end the body.
    fn field(&mut self, name: &str, policy: &FormPolicy) -> Result<(), FormRejection> {
        self.fields += 1;
        if policy
            .limits
            .max_number_fields
            .is_some_and(|limit| self.fields > limit.saturating_add(2))
        {
            return Err(FormRejection::TooManyFieldsSent);
        }
        self.bytes(name.len() + PER_FIELD, policy)
    }

    fn bytes(&mut self, more: usize, policy: &FormPolicy) -> Result<(), FormRejection> {
        self.bytes = self.bytes.saturating_add(more);
        if policy
            .limits
            .max_memory_size
            .is_some_and(|limit| self.bytes > limit)
        {
            return Err(FormRejection::RequestDataTooBig);
        }
        Ok(())
    }
}

/// The fields of a form that take files, and where the files go.
pub(super) struct FileFields {
    specs: &'static [FieldSpec],
    media: Media,
}

impl FileFields {
    /// Those of a form, if it has any.
    pub(super) fn of<F: Form>(extensions: &http::Extensions) -> Result<Option<Self>, FormRejection> {
        if !F::FIELDS.iter().any(|spec| spec.kind == Kind::File) {
            return Ok(None);
        }
        let context = StackContext::of(extensions).map_err(|_| FormRejection::NoMedia)?;
        let media = context.media().map_err(|_| FormRejection::NoMedia)?.clone();
        let media = match extensions.get::<Connection>() {
            Some(connection) => media.for_client(connection.client),
            None => media,
        };
        Ok(Some(Self {
            specs: F::FIELDS,
            media,
        }))
    }

    fn spec(&self, name: &str) -> Option<&'static FieldSpec> {
        self.specs
            .iter()
            .find(|spec| spec.name == name && spec.kind == Kind::File)
    }
}

/// What Django would call a file: what is usable of the client's name, and of that 255 characters, the extension first.
fn caption(claimed: &str) -> Option<String> {
    upload_base_name(&from_upload(claimed)?).ok()
}

/// Reads a part that nobody wants to its end, behind which the next one begins.
async fn read_past(mut part: Field<'_>, held: &Held) -> Result<(), FormRejection> {
    while part.chunk().await.map_err(broken)?.is_some() {
        held.progress();
    }
    Ok(())
}

/// Takes a file in, piece by piece.
async fn file(
    mut part: Field<'_>,
    file_name: String,
    spec: &FieldSpec,
    media: &Media,
    held: &Held,
) -> Result<Came, FormRejection> {
    let encoding = part.headers().get("content-transfer-encoding");
    if encoding.is_some_and(|encoding| !is_identity(encoding.as_bytes())) {
        return Err(FormRejection::MalformedMultipart(
            "a file is sent as it is: a Content-Transfer-Encoding other than binary is not taken".into(),
        ));
    }
    let Some(takes) = spec.takes_files() else {
        return Err(FormRejection::UnexpectedFile(spec.name.to_owned()));
    };
    let mut incoming = Incoming::begin(media, file_name, takes).await?;
    while let Some(chunk) = part.chunk().await.map_err(broken)? {
        held.progress();
        incoming.write(chunk).await?;
    }
    Ok(incoming.finish().await?)
}

/// Whether the bytes of a part are what they stand for (RFC 2045, 6.2); some programs say so, though nobody has to (RFC 7578, 4.7).
fn is_identity(encoding: &[u8]) -> bool {
    let encoding = encoding.trim_ascii();
    [&b"binary"[..], b"8bit", b"7bit"]
        .iter()
        .any(|identity| encoding.eq_ignore_ascii_case(identity))
}

async fn value(
    mut part: Field<'_>,
    name: &str,
    count: &mut Count,
    policy: &FormPolicy,
    held: &Held,
) -> Result<String, FormRejection> {
    let base64 = part
        .headers()
        .get("content-transfer-encoding")
        .is_some_and(|encoding| encoding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"base64"));
    let mut raw = Zeroizing::new(Vec::new());
    while let Some(chunk) = part.chunk().await.map_err(broken)? {
        held.progress();
        held.keep(chunk.len())?;
        count.bytes(chunk.len(), policy)?;
        if policy
            .limits
            .max_field_size
            .is_some_and(|limit| raw.len().saturating_add(chunk.len()) > limit)
        {
            return Err(FormRejection::FieldTooBig(name.to_owned()));
        }
        raw.extend_from_slice(&chunk);
    }
    if base64 {
        // As Python reads base64: what is no letter of it is passed over; what is none at all is kept as it came.
        let letters = raw
            .iter()
            .copied()
            .filter(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte));
        let letters: Zeroizing<Vec<u8>> = Zeroizing::new(letters.collect());
        if let Ok(decoded) = LENIENT.decode(&*letters) {
            raw = Zeroizing::new(decoded);
        }
    }
    Ok(String::from_utf8_lossy(&raw).into_owned())
}

fn broken(error: multer::Error) -> FormRejection {
    match error {
        multer::Error::StreamSizeExceeded { .. } => FormRejection::RequestDataTooBig,
        multer::Error::StreamReadFailed(error) => FormRejection::unread(&*error),
        other => FormRejection::MalformedMultipart(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use palisade_core::upload::{UploadLimits, parse_multipart};
    use proptest::prelude::*;

    use super::*;
    use crate::csrf::Room;

    /// A part as a browser writes it (HTML, multipart/form-data encoding), or with the base64 of other clients.
    fn part() -> impl Strategy<Value = String> {
        let name = "[a-z][a-z0-9_é ;=.-]{0,8}";
        let text = "[ -~éß\u{2028}\r\n-]{0,30}";
        let file = prop_oneof![3 => Just(None), 1 => "[a-z]{0,4}\\.png".prop_map(Some), 1 => Just(Some(String::new()))];
        (name, text, file, any::<bool>()).prop_map(|(name, text, file, base64)| {
            let file = file.map_or_else(String::new, |file| {
                format!("; filename=\"{file}\"\r\nContent-Type: image/png")
            });
            let (encoding, text) = if base64 && file.is_empty() {
                let text = base64::engine::general_purpose::STANDARD.encode(text);
                ("\r\nContent-Transfer-Encoding: base64", text)
            } else {
                ("", text)
            };
            format!(
                "--X\r\nContent-Disposition: form-data; name=\"{name}\"{file}{encoding}\r\n\r\n{text}\r\n"
            )
        })
    }

    proptest! {
        #[test]
        fn a_stream_is_read_as_django_reads_the_whole(
            parts in prop::collection::vec(part(), 0..6),
            cut in 1..40_usize,
        ) {
            let body = format!("{}--X--\r\n", parts.concat());
            let whole = parse_multipart("X", body.as_bytes(), UploadLimits::default()).unwrap();
            let chunks: Vec<_> = body.as_bytes().chunks(cut).map(|chunk| Ok::<_, Infallible>(Bytes::copy_from_slice(chunk))).collect();
            let policy = FormPolicy::default().with_files(FileParts::Skip);
            let stream = futures_util::stream::iter(chunks);
            let streamed = tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap()
                .block_on(read("multipart/form-data; boundary=X", stream, &policy, None, &Held::within(Room::for_forms_of(0))))
                .unwrap();
            prop_assert_eq!(streamed.pairs(), whole.fields);
        }
    }
}
