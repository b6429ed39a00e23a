//! What a file is, told from its bytes and from nothing that anybody says.
//!
//! Each format is walked from its first byte to its last, by its own structure and not by its first few bytes: everything in the file must
//! belong to it, so that a file is one thing and nothing else besides. A picture that is an archive, too, a script that begins like
//! a GIF, a document with a web page before it are refused, and so is what was cut off, and what unfolds into more than
//! [`InspectLimits`] allow. Memory is bounded (a buffer, and a list of what an archive holds), and so is the work: each byte is
//! read a fixed number of times, and what is compressed is unfolded up to its bound.

mod gif;
mod inflate;
mod jpeg;
mod lzw;
mod office;
mod pdf;
mod png;
mod second;
mod sniff;
mod source;
mod text;
mod unacceptable;
mod webp;
mod zip;

use std::io::{Read, Seek};

pub(super) use source::Source;
pub use unacceptable::Unacceptable;

use super::MediaType;
use sniff::Begins;

/// How much a file may unfold into, and what a document may do, before it is refused.
///
/// # Example
///
/// ```
/// use palisade::media::InspectLimits;
///
/// let avatars = InspectLimits::default().with_max_pixels(4_000_000).with_max_frames(1);
/// assert_eq!(avatars.max_frames, 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InspectLimits {
    /// The most pixels of a picture, all its frames together.
    pub max_pixels: u64,
    /// The most frames of an animation.
    pub max_frames: u32,
    /// The most passes in which a JPEG draws its picture: each costs as much as the whole picture.
    pub max_scans: u32,
    /// The most bytes that descriptions and colour profiles of a picture unfold into.
    pub max_metadata: u64,
    /// The most bytes that an archive or a document unfolds into.
    pub max_unfolded: u64,
    /// The most bytes that come out of an archive for each that is in it, above the first 16 MiB.
    pub max_ratio: u64,
    /// The most files in an archive.
    pub max_entries: u32,
    /// Documents may hold scripts and start programs: see [`Self::dangerous_scripts_in_documents`].
    pub scripts_in_documents: bool,
    /// Documents may hold other files, and do what is harmless when they are opened: see [`Self::only_plain_documents`].
    pub files_in_documents: bool,
    /// What follows a JPEG is left out afterwards: see [`super::ImageHandling::within`].
    pub(super) tail_is_cut_off: bool,
}

impl Default for InspectLimits {
    fn default() -> Self {
        Self {
            max_pixels: 50_000_000,
            max_frames: 500,
            max_scans: 64,
            max_metadata: 4 * 1024 * 1024,
            max_unfolded: 256 * 1024 * 1024,
            max_ratio: 200,
            max_entries: 10_000,
            scripts_in_documents: false,
            files_in_documents: true,
            tail_is_cut_off: false,
        }
    }
}

impl InspectLimits {
    /// Sets the most pixels of a picture, all its frames together. 50 million without it.
    #[must_use]
    pub fn with_max_pixels(mut self, pixels: u64) -> Self {
        self.max_pixels = pixels;
        self
    }

    /// Sets the most frames of an animation. 500 without it; with 1, pictures stand still.
    #[must_use]
    pub fn with_max_frames(mut self, frames: u32) -> Self {
        self.max_frames = frames;
        self
    }

    /// Sets the most bytes that an archive or a document unfolds into. 256 MiB without it.
    #[must_use]
    pub fn with_max_unfolded(mut self, bytes: u64) -> Self {
        self.max_unfolded = bytes;
        self
    }

    /// Sets the most files in an archive. 10,000 without it.
    #[must_use]
    pub fn with_max_entries(mut self, entries: u32) -> Self {
        self.max_entries = entries;
        self
    }

    /// Refuses documents that hold other files or do anything when they are opened, be it to turn to a page.
    ///
    /// Many good documents do (each PDF of LaTeX with links, each invoice with its data inside), so that it is a choice.
    #[must_use]
    pub fn only_plain_documents(mut self) -> Self {
        self.files_in_documents = false;
        self
    }

    /// Accepts documents with JavaScript in them, that start programs, or that load parts of themselves from elsewhere.
    ///
    /// # Security
    ///
    /// Whoever opens such a document trusts whoever sent it. Macros of office documents are refused all the same.
    #[must_use]
    pub fn dangerous_scripts_in_documents(mut self) -> Self {
        self.scripts_in_documents = true;
        self
    }
}

/// Says what a file is, if it is one of the accepted kinds and nothing else besides.
///
/// It reads the file several times, and blocks: call it where blocking is allowed.
///
/// # Example
///
/// ```
/// use std::io::Cursor;
/// use palisade::media::{InspectLimits, MediaType, inspect};
///
/// let limits = InspectLimits::default();
/// let mut file = Cursor::new("Minutes of Monday");
/// assert_eq!(inspect(&mut file, 17, &[MediaType::Text], &limits).ok(), Some(MediaType::Text));
///
/// let mut file = Cursor::new("GIF89a, or so it says");
/// let refused = inspect(&mut file, 21, MediaType::IMAGES, &limits).unwrap_err();
/// assert!(refused.to_string().starts_with("This GIF picture"));
/// ```
///
/// # Errors
///
/// Why it is not accepted, for the person who sent it; [`Unacceptable::Unreadable`] alone is a fault of this machine.
///
/// # Security
///
/// A file that is what it says it is can still be malicious: it is not looked for faults of the programs that open it. Of JPEG and WebP
/// the structure is checked and not each pixel. What stands in the encrypted parts of a PDF nobody can see; such files
/// are refused unless scripts are allowed. Text is any text: a script's source is, too, which is why files go out as
/// attachments under their own media type with `nosniff`.
pub fn inspect<F: Read + Seek>(
    file: &mut F,
    size: u64,
    accept: &[MediaType],
    limits: &InspectLimits,
) -> Result<MediaType, Unacceptable> {
    let mut source = Source::new(file, size)?;
    let begins = sniff::begins(&mut source)?;
    let kind = match begins {
        Begins::Known(kind) => kind,
        Begins::Archive => {
            if !accept.iter().any(|kind| kind.is_archive()) {
                return Err(other("a ZIP archive or an office document", accept));
            }
            let mut found = zip::walk(&mut source, limits)?;
            if found != MediaType::Zip && !accept.contains(&found) && accept.contains(&MediaType::Zip) {
                found = MediaType::Zip;
            }
            found
        }
        Begins::Refused(what) => return Err(other(what, accept)),
        Begins::Nothing if size == 0 => return Err(Unacceptable::Empty),
        Begins::Nothing => return Err(Unacceptable::Kind(names(accept))),
    };
    if !accept.contains(&kind) {
        return Err(match kind {
            MediaType::Text => Unacceptable::Kind(names(accept)),
            kind => other(kind.name(), accept),
        });
    }
    source.is_a(kind.noun());
    match kind {
        MediaType::Png => png::walk(&mut source, limits)?,
        MediaType::Jpeg => jpeg::walk(&mut source, limits)?,
        MediaType::Gif => gif::walk(&mut source, limits)?,
        MediaType::WebP => webp::walk(&mut source, limits)?,
        MediaType::Pdf => {
            pdf::walk(&mut source, limits)?;
            source.go_to(size)?;
        }
        MediaType::Text => text::walk(&mut source)?,
        // Walked already, to know which of them it is.
        _ => {}
    }
    if kind.is_picture() || kind == MediaType::Pdf {
        second::nothing_besides(&mut source, kind)?;
    }
    Ok(kind)
}

fn other(found: &'static str, accept: &[MediaType]) -> Unacceptable {
    let accepted = names(accept);
    Unacceptable::OtherKind { found, accepted }
}

/// What may be sent, as a person says it.
fn names(accept: &[MediaType]) -> String {
    match accept {
        [] => "nothing".to_owned(),
        [one] => one.name().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(|kind| kind.name()).collect();
            format!("{} or {}", first.join(", "), last.name())
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
