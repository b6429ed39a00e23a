//! What a picture tells besides what it shows, taken out: where it was taken, with which camera, by whom, and a small copy of it as it was.
//!
//! The pixels stay bit for bit: nothing is decoded, chunks and segments are copied or left out. What is needed to show the picture right
//! stays as well: its colours (profile, gamma, transparency), how it moves, and which way up it is.

mod gif;
mod jpeg;
mod png;
mod webp;

use std::io::{Read, Seek, SeekFrom, Write};

use super::inspect::{Source, Unacceptable};
use super::{InspectLimits, MediaType, re_encode};

/// What is done with a picture before it is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ImageHandling {
    /// It is kept as it came.
    #[default]
    AsIs,
    /// What it tells besides what it shows is taken out, with [`strip_metadata`].
    StripMetadata,
    /// It is drawn anew, with [`re_encode`].
    ReEncode,
}

impl ImageHandling {
    /// The limits to look at a file within that is handled so afterwards: what phones write behind a JPEG (a film, notes of their own) is
    /// accepted then, since it is left out.
    ///
    /// # Example
    ///
    /// ```
    /// use std::io::Cursor;
    /// use palisade::media::{ImageHandling, InspectLimits, MediaType, inspect};
    ///
    /// # let picture = include_bytes!("../../../../fuzz/corpus/media/jpeg_exif.jpg");
    /// let photograph = [&picture[..], b"and what a phone writes behind it"].concat();
    /// let look = |handling: ImageHandling| {
    ///     let limits = handling.within(&InspectLimits::default());
    ///     inspect(&mut Cursor::new(&photograph), photograph.len() as u64, MediaType::IMAGES, &limits)
    /// };
    /// assert!(look(ImageHandling::AsIs).is_err());
    /// assert!(look(ImageHandling::StripMetadata).is_ok());
    /// ```
    #[must_use]
    pub fn within(self, limits: &InspectLimits) -> InspectLimits {
        let mut limits = *limits;
        limits.tail_is_cut_off = self != Self::AsIs;
        limits
    }

    /// Handles a file of this kind; says whether anything was written to `to`, which is kept in its place then. What is no
    /// picture is left as it is.
    ///
    /// # Errors
    ///
    /// Why it cannot be done.
    pub fn handle<F: Read + Seek, W: Write + Seek>(
        self,
        kind: MediaType,
        from: &mut F,
        to: &mut W,
        limits: &InspectLimits,
    ) -> Result<bool, Unacceptable> {
        match self {
            Self::AsIs => return Ok(false),
            _ if !kind.is_picture() => return Ok(false),
            Self::StripMetadata => strip_metadata(kind, from, to)?,
            Self::ReEncode => re_encode(kind, from, to, limits)?,
        }
        Ok(true)
    }
}

/// Copies a picture that [`super::inspect`] has accepted without what it tells besides what it shows. Other files are copied as they are.
///
/// Of JPEG there stay JFIF without its small copy, the colour profile and Adobe's colour transform, and of Exif the orientation alone,
/// newly written; a second picture behind the first is left out. Of PNG the text, the time, Exif and everything unknown goes; of GIF comments
/// and every extension but the one that repeats; of WebP XMP, and of its Exif all but the orientation.
///
/// # Example
///
/// ```
/// use std::io::Cursor;
/// use palisade::media::{MediaType, strip_metadata};
///
/// # let picture = include_bytes!("../../../../fuzz/corpus/media/jpeg_exif.jpg");
/// let (mut from, mut to) = (Cursor::new(picture), Cursor::new(Vec::new()));
/// strip_metadata(MediaType::Jpeg, &mut from, &mut to)?;
/// assert!(picture.windows(4).any(|bytes| bytes == b"Anna"));
/// assert!(!to.into_inner().windows(4).any(|bytes| bytes == b"Anna"));
/// # Ok::<(), palisade::media::Unacceptable>(())
/// ```
///
/// # Errors
///
/// Where the picture is not as [`super::inspect`] accepts it, or a file cannot be read or written.
///
/// # Security
///
/// What the pixels themselves tell stays, a watermark or a face. A colour profile can name the device it belongs to. Who wants neither
/// profile nor a byte of the original: [`re_encode`].
pub fn strip_metadata<F: Read + Seek, W: Write>(
    kind: MediaType,
    from: &mut F,
    to: &mut W,
) -> Result<(), Unacceptable> {
    let size = from.seek(SeekFrom::End(0))?;
    let mut source = Source::new(from, size)?;
    source.is_a(kind.noun());
    match kind {
        MediaType::Png => png::strip(&mut source, to),
        MediaType::Jpeg => jpeg::strip(&mut source, to),
        MediaType::Gif => gif::strip(&mut source, to),
        MediaType::WebP => webp::strip(&mut source, to),
        _ => copy(&mut source, to, size),
    }
}

/// Copies so many bytes.
fn copy<F: Read + Seek, W: Write>(
    source: &mut Source<'_, F>,
    to: &mut W,
    count: u64,
) -> Result<(), Unacceptable> {
    source.each(count, |piece| Ok(to.write_all(piece)?))
}

#[cfg(test)]
mod tests;
