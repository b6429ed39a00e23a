//! What a client may upload, and the `multipart/form-data` it comes in, read exactly as Django reads it.
//!
//! A body that two programs read differently is a way around the one that checks (CWE-436): a filter sees one file name, the
//! application another. So this parser has Django's leniency and Django's limits to the byte: parts end at the boundary
//! wherever it stands, headers have at most 1024 bytes, values and their names count against
//! `DATA_UPLOAD_MAX_MEMORY_SIZE`, parts against the limits on fields and files. It works on a body that is in memory; the
//! library's forms, which read a stream, have stricter rules of their own. Meets `resource-exhaustion`.
//!
//! # Example
//!
//! ```
//! use palisade_core::upload::{MultipartHeader, UploadLimits, parse_multipart};
//!
//! let header = MultipartHeader::parse("multipart/form-data; boundary=B", Some("68"))?;
//! let body = b"--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nv\r\n--B--\r\n";
//! let read = parse_multipart(&header.boundary, body, UploadLimits::default())?;
//! assert_eq!(read.fields, [("a".to_owned(), "v".to_owned())]);
//! # Ok::<(), palisade_core::upload::UploadError>(())
//! ```

pub use self::multipart::{Multipart, UploadedPart, parse_multipart};
pub use self::parameters::{InvalidParameters, parse_parameters};

mod base64;
mod multipart;
mod parameters;

/// How long a boundary may be.
const LONGEST_BOUNDARY: usize = 201;

/// How much a request may bring; none of a kind is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "they are Django's settings")]
pub struct UploadLimits {
    /// Bytes of a body, or of the values of a multipart body that are no files: `DATA_UPLOAD_MAX_MEMORY_SIZE`.
    pub max_memory_size: Option<u64>,
    /// Fields of a form: `DATA_UPLOAD_MAX_NUMBER_FIELDS`.
    pub max_number_fields: Option<u64>,
    /// Files of a form: `DATA_UPLOAD_MAX_NUMBER_FILES`.
    pub max_number_files: Option<u64>,
}

impl Default for UploadLimits {
    /// Django's: 2.5 MiB, 1000 fields, 100 files.
    fn default() -> Self {
        Self {
            max_memory_size: Some(2_621_440),
            max_number_fields: Some(1000),
            max_number_files: Some(100),
        }
    }
}

impl UploadLimits {
    /// Checks the length of a body.
    ///
    /// # Errors
    ///
    /// [`UploadError::TooBig`] where it is longer than `max_memory_size`.
    pub fn check_body_size(&self, length: u64) -> Result<(), UploadError> {
        match self.max_memory_size {
            Some(most) if length > most => Err(UploadError::TooBig),
            _ => Ok(()),
        }
    }
}

/// Why an upload was refused, in Django's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UploadError {
    /// There are more fields than allowed.
    #[error("The number of GET/POST parameters exceeded settings.DATA_UPLOAD_MAX_NUMBER_FIELDS.")]
    TooManyFields,
    /// There are more files than allowed.
    #[error("The number of files exceeded settings.DATA_UPLOAD_MAX_NUMBER_FILES.")]
    TooManyFiles,
    /// There is more data than allowed.
    #[error("Request body exceeded settings.DATA_UPLOAD_MAX_MEMORY_SIZE.")]
    TooBig,
    /// The body is no multipart body.
    #[error("Invalid Content-Type: {0}")]
    ContentType(String),
    /// The type of the body has characters that it cannot have.
    #[error("Invalid non-ASCII Content-Type in multipart: {0}")]
    NotAscii(String),
    /// The boundary is missing or cannot be one.
    #[error("Invalid boundary in multipart: {0}")]
    Boundary(String),
    /// The length is negative.
    #[error("Invalid content length: {0}")]
    ContentLength(i64),
    /// The headers of a part are too long.
    #[error("Request max total header size exceeded.")]
    HeaderTooLarge,
    /// A file is said to be base64, and is not.
    #[error("Could not decode base64 data.")]
    Base64,
}

impl UploadError {
    /// Says whether a limit was passed, which deserves a line in the security log, or the request is merely malformed.
    pub const fn is_over_limit(&self) -> bool {
        matches!(self, Self::TooManyFields | Self::TooManyFiles | Self::TooBig)
    }
}

/// What the headers of a multipart request say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultipartHeader {
    /// What stands between the parts.
    pub boundary: String,
    /// How long the body is said to be; 0, and nothing is parsed, where that is no number.
    pub content_length: i64,
}

impl MultipartHeader {
    /// Reads `Content-Type` and `Content-Length`.
    ///
    /// # Errors
    ///
    /// What is wrong with them.
    pub fn parse(content_type: &str, content_length: Option<&str>) -> Result<Self, UploadError> {
        if !content_type.starts_with("multipart/") {
            return Err(UploadError::ContentType(content_type.to_owned()));
        }
        if !content_type.is_ascii() {
            return Err(UploadError::NotAscii(content_type.to_owned()));
        }
        let parameters =
            parse_parameters(content_type).map_or_else(|_| Vec::new(), |(_, parameters)| parameters);
        let boundary = parameters
            .into_iter()
            .find_map(|(name, value)| (name == "boundary").then_some(value));
        let boundary = match boundary {
            Some(boundary) if is_boundary(&boundary) => boundary,
            other => return Err(UploadError::Boundary(other.unwrap_or_else(|| "None".to_owned()))),
        };
        let content_length = content_length.and_then(python_int).unwrap_or_default();
        if content_length < 0 {
            return Err(UploadError::ContentLength(content_length));
        }
        Ok(Self {
            boundary,
            content_length,
        })
    }
}

/// Printable ASCII, not ending in a space.
fn is_boundary(text: &str) -> bool {
    (1..=LONGEST_BOUNDARY).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        && !text.ends_with(' ')
}

/// Reads a whole number as Python's `int` does: spaces around it, a sign, and single underscores between digits.
fn python_int(text: &str) -> Option<i64> {
    let text = text.trim_matches(crate::character::is_space);
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_grouped = !digits.starts_with('_') && !digits.ends_with('_') && !digits.contains("__");
    let plain = text.replace('_', "");
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_') && !digits.is_empty();
    (is_number && is_grouped).then(|| plain.parse().unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
