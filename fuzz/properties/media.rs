//! What holds for every file that is accepted: another program reads it as the same thing, and what is made of it is accepted again.

use std::io::Cursor;

use image::{ImageFormat, ImageReader};
use palisade::media::{InspectLimits, MediaType, inspect, re_encode, strip_metadata};

/// Asserts it for one file. Whatever it is, it is looked at within bounds and without a panic.
pub(super) fn holds(file: &[u8]) {
    // Small, so that what slips through is seen by the time and the memory it takes.
    let limits = InspectLimits::default()
        .with_max_pixels(1 << 20)
        .with_max_unfolded(4 << 20)
        .with_max_frames(50);
    let look = |file: &[u8]| inspect(&mut Cursor::new(file), file.len() as u64, MediaType::ALL, &limits);
    let Ok(kind) = look(file) else {
        return;
    };
    // It is accepted for what it is alone, and for nothing else.
    for other in MediaType::ALL {
        let found = inspect(&mut Cursor::new(file), file.len() as u64, &[*other], &limits);
        let is_archive = *other == MediaType::Zip && found.as_ref().ok() == Some(other);
        assert!(
            found.is_ok() == (*other == kind) || is_archive,
            "{kind:?} is taken for {other:?}"
        );
    }
    let format = match kind {
        MediaType::Png => ImageFormat::Png,
        MediaType::Jpeg => ImageFormat::Jpeg,
        MediaType::Gif => ImageFormat::Gif,
        MediaType::WebP => ImageFormat::WebP,
        MediaType::Text => {
            assert!(std::str::from_utf8(file).is_ok_and(|text| !text.contains('\0')));
            return;
        }
        _ => return,
    };
    assert_eq!(image::guess_format(file).ok(), Some(format));
    let sides = |file: &[u8]| ImageReader::with_format(Cursor::new(file), format).into_dimensions();
    // Each point of these two is known to be there; of the others the structure is, and what is drawn may make no sense.
    let is_whole = matches!(kind, MediaType::Png | MediaType::Gif);
    let before = sides(file);
    assert!(
        before.is_ok() || !is_whole,
        "a picture that is accepted has no sides: {before:?}"
    );
    let before = before.ok();
    assert!(before.is_none_or(|(width, height)| u64::from(width) * u64::from(height) <= limits.max_pixels));
    let decoded = ImageReader::with_format(Cursor::new(file), format).decode();
    match &decoded {
        Ok(decoded) => assert_eq!(Some((decoded.width(), decoded.height())), before),
        Err(why) => assert!(!is_whole, "a picture that is accepted cannot be decoded: {why}"),
    }
    let mut stripped = Cursor::new(Vec::new());
    strip_metadata(kind, &mut Cursor::new(file), &mut stripped)
        .expect("a picture that is accepted can be stripped");
    let stripped = stripped.into_inner();
    assert_eq!(look(&stripped).ok(), Some(kind), "what was stripped is refused");
    assert!(
        before.is_none() || sides(&stripped).ok() == before,
        "what was stripped has other sides"
    );
    if let Ok(decoded) = decoded {
        let again = ImageReader::with_format(Cursor::new(&stripped), format).decode();
        assert_eq!(again.ok(), Some(decoded), "what was stripped looks different");
    }
    let mut anew = Cursor::new(Vec::new());
    if re_encode(kind, &mut Cursor::new(file), &mut anew, &limits).is_ok() {
        assert_eq!(
            look(&anew.into_inner()).ok(),
            Some(kind),
            "what was drawn anew is refused"
        );
    }
}
