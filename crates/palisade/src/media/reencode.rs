//! A picture drawn anew: decoded, turned the right way up, and written by this library, so that no byte of what was sent is kept.

use std::io::{BufReader, BufWriter, Read, Seek, Write};

use image::codecs::gif::{GifDecoder, GifEncoder, Repeat};
use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::codecs::png::{CompressionType, FilterType, PngDecoder, PngEncoder};
use image::codecs::webp::{WebPDecoder, WebPEncoder};
use image::error::{LimitError, LimitErrorKind};
use image::metadata::LoopCount;
use image::{AnimationDecoder as _, DynamicImage, ImageDecoder, ImageError, ImageResult, Limits};

use super::inspect::Unacceptable;
use super::{InspectLimits, MediaType};

/// How good a JPEG is, of 100: hardly to be told from the original.
const QUALITY: u8 = 90;
/// How much effort goes into a GIF's colours, of 30: the encoder's own choice for what must not last long.
const GIF_SPEED: i32 = 10;

/// Draws a picture that [`super::inspect`] has accepted anew, in its own format and turned as its Exif says.
///
/// Pixels of 16 bits a colour become 8. A GIF stays an animation; an animated PNG or WebP is refused, since a still picture is not what
/// was sent. WebP is written without loss, and is larger than one that was written with it. Memory is bounded by the limits: eight bytes a
/// pixel of one frame, twice, and for JPEG the file itself.
///
/// # Example
///
/// ```
/// use std::io::Cursor;
/// use palisade::media::{InspectLimits, MediaType, re_encode};
///
/// # let picture = include_bytes!("../../../../fuzz/corpus/media/jpeg_exif.jpg");
/// let (mut from, mut to) = (Cursor::new(picture), Cursor::new(Vec::new()));
/// re_encode(MediaType::Jpeg, &mut from, &mut to, &InspectLimits::default())?;
/// assert!(to.into_inner().starts_with(b"\xff\xd8"));
/// # Ok::<(), palisade::media::Unacceptable>(())
/// ```
///
/// # Errors
///
/// Where the picture cannot be decoded, is too large, or is of a kind that is not drawn here; where a file cannot be read or written.
///
/// # Security
///
/// What the pixels hold survives, a message in their lowest bits too unless the format loses them. The colour profile is not applied:
/// pictures of cameras with wide gamuts look a little duller.
pub fn re_encode<F: Read + Seek, W: Write + Seek>(
    kind: MediaType,
    from: &mut F,
    to: &mut W,
    limits: &InspectLimits,
) -> Result<(), Unacceptable> {
    from.rewind()?;
    let mut to = BufWriter::new(to);
    let what = kind.noun();
    let from = BufReader::new(from);
    let drawn = match kind {
        MediaType::Png => png(from, &mut to, limits),
        MediaType::Jpeg => jpeg(from, &mut to, limits),
        MediaType::Gif => gif(from, &mut to, limits),
        MediaType::WebP => webp(from, &mut to, limits),
        _ => Err(Fault::Unsupported("only pictures are drawn anew: send a picture")),
    };
    match drawn {
        Ok(()) => Ok(to.flush()?),
        Err(Fault::Unsupported(why)) => Err(Unacceptable::Unsupported { what, why }),
        Err(Fault::Image(ImageError::IoError(error))) if is_ours(&error) => Err(error.into()),
        Err(Fault::Image(ImageError::Limits(_))) => {
            let why = format!("more than {} pixels", limits.max_pixels);
            Err(Unacceptable::TooLarge { what, why })
        }
        Err(Fault::Image(_)) => Err(Unacceptable::Damaged {
            what,
            why: "its picture cannot be drawn",
        }),
    }
}

/// Whether a file could not be read or written, rather than that it ended within the picture.
fn is_ours(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
    !matches!(error.kind(), UnexpectedEof | InvalidData | InvalidInput | Other)
}

enum Fault {
    Image(ImageError),
    Unsupported(&'static str),
}

impl From<ImageError> for Fault {
    fn from(error: ImageError) -> Self {
        Self::Image(error)
    }
}

const MOVES: Fault = Fault::Unsupported(
    "it is animated, and only GIF keeps its animation here: send a GIF or a still picture",
);

/// What a decoder may take: eight bytes a pixel, and what it needs beside it.
fn bounds(limits: &InspectLimits) -> Limits {
    let mut bounds = Limits::default();
    bounds.max_alloc = Some(limits.max_pixels.saturating_mul(8).saturating_add(1 << 20));
    bounds
}

/// Bounds a decoder, before it decodes anything.
fn bound(decoder: &mut impl ImageDecoder, limits: &InspectLimits) -> ImageResult<()> {
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > limits.max_pixels {
        return Err(ImageError::Limits(LimitError::from_kind(
            LimitErrorKind::DimensionError,
        )));
    }
    decoder.set_limits(bounds(limits))
}

/// Decodes a still picture, turned the right way up, with 8 bits a colour.
fn still(mut decoder: impl ImageDecoder, limits: &InspectLimits) -> ImageResult<DynamicImage> {
    bound(&mut decoder, limits)?;
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    let color = picture.color();
    Ok(match (color.has_color(), color.has_alpha()) {
        _ if color.bytes_per_pixel() == color.channel_count() => picture,
        (false, false) => picture.into_luma8().into(),
        (false, true) => picture.into_luma_alpha8().into(),
        (true, false) => picture.into_rgb8().into(),
        (true, true) => picture.into_rgba8().into(),
    })
}

fn png<F: Read + Seek, W: Write>(
    from: BufReader<F>,
    to: &mut W,
    limits: &InspectLimits,
) -> Result<(), Fault> {
    let decoder = PngDecoder::with_limits(from, bounds(limits))?;
    if decoder.is_apng()? {
        return Err(MOVES);
    }
    let picture = still(decoder, limits)?;
    let encoder = PngEncoder::new_with_quality(to, CompressionType::Default, FilterType::Adaptive);
    Ok(picture.write_with_encoder(encoder)?)
}

fn jpeg<F: Read + Seek, W: Write>(
    from: BufReader<F>,
    to: &mut W,
    limits: &InspectLimits,
) -> Result<(), Fault> {
    let picture = still(JpegDecoder::new(from)?, limits)?;
    Ok(picture.write_with_encoder(JpegEncoder::new_with_quality(to, QUALITY))?)
}

fn webp<F: Read + Seek, W: Write>(
    from: BufReader<F>,
    to: &mut W,
    limits: &InspectLimits,
) -> Result<(), Fault> {
    let decoder = WebPDecoder::new(from)?;
    if decoder.has_animation() {
        return Err(MOVES);
    }
    let picture = still(decoder, limits)?;
    // The format knows no grey.
    let picture: DynamicImage = if picture.color().has_alpha() {
        picture.into_rgba8().into()
    } else {
        picture.into_rgb8().into()
    };
    Ok(picture.write_with_encoder(WebPEncoder::new_lossless(to))?)
}

fn gif<F: Read + Seek, W: Write>(
    from: BufReader<F>,
    to: &mut W,
    limits: &InspectLimits,
) -> Result<(), Fault> {
    let mut decoder = GifDecoder::new(from)?;
    bound(&mut decoder, limits)?;
    let repeat = match decoder.loop_count() {
        LoopCount::Infinite => Some(Repeat::Infinite),
        // Once more each time, where it says so at all.
        LoopCount::Finite(times) => u16::try_from(times.get())
            .ok()
            .filter(|times| *times > 1)
            .map(Repeat::Finite),
    };
    let mut encoder = GifEncoder::new_with_speed(to, GIF_SPEED);
    let mut frames = 0_u32;
    for frame in decoder.into_frames() {
        if let Some(repeat) = repeat.filter(|_| frames == 0) {
            encoder.set_repeat(repeat)?;
        }
        frames += 1;
        encoder.encode_frame(frame?)?;
    }
    if frames == 0 {
        return Err(Fault::Unsupported("it has no picture: send another one"));
    }
    Ok(())
}
