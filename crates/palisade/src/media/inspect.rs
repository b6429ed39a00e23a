//! What a file is, told from its bytes and from nothing that anybody says.

use std::io::{self, Read, Seek};

use super::MediaType;

/// How much a file may unfold into before it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InspectLimits {
    /// The most pixels of a picture, all its frames together.
    pub max_pixels: u64,
}

impl Default for InspectLimits {
    fn default() -> Self {
        Self {
            max_pixels: 50_000_000,
        }
    }
}

/// Why a file is not accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unacceptable {
    /// It is of a kind that this form does not take, or of none that is known.
    #[error("this kind of file is not accepted")]
    Kind,
    /// It could not be read.
    #[error("the file cannot be read: {0}")]
    Unreadable(#[from] io::Error),
}

/// Says what a file is, if it is one of the accepted kinds and nothing else besides.
///
/// # Errors
///
/// Why it is not accepted.
pub fn inspect<F: Read + Seek>(
    file: &mut F,
    size: u64,
    accept: &[MediaType],
    limits: &InspectLimits,
) -> Result<MediaType, Unacceptable> {
    let _ = (size, limits);
    let mut head = [0; 8];
    file.rewind()?;
    let read = file.read(&mut head)?;
    let head = head.get(..read).unwrap_or_default();
    let kind = if head.starts_with(b"\x89PNG") {
        MediaType::Png
    } else if head.starts_with(b"%PDF-") {
        MediaType::Pdf
    } else if head.is_ascii() {
        MediaType::Text
    } else {
        return Err(Unacceptable::Kind);
    };
    accept.contains(&kind).then_some(kind).ok_or(Unacceptable::Kind)
}
