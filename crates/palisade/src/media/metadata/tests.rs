//! What a picture tells besides what it shows is gone, and what it shows is not.

use std::io::Cursor;

use image::{AnimationDecoder as _, DynamicImage, ImageReader};

use super::*;
use crate::media::inspect::tests::{accepted, corpus};

fn stripped(kind: MediaType, file: &[u8]) -> Vec<u8> {
    let mut to = Cursor::new(Vec::new());
    strip_metadata(kind, &mut Cursor::new(file), &mut to).unwrap();
    to.into_inner()
}

fn drawn(kind: MediaType, file: &[u8]) -> Vec<u8> {
    let mut to = Cursor::new(Vec::new());
    re_encode(kind, &mut Cursor::new(file), &mut to, &InspectLimits::default()).unwrap();
    to.into_inner()
}

fn picture(file: &[u8]) -> DynamicImage {
    ImageReader::new(Cursor::new(file))
        .with_guessed_format()
        .unwrap()
        .decode()
        .unwrap()
}

fn holds(file: &[u8], what: &str) -> bool {
    file.windows(what.len()).any(|bytes| bytes == what.as_bytes())
}

/// Which way up a reader of Exif finds it.
fn orientation(file: &[u8]) -> image::metadata::Orientation {
    use image::ImageDecoder as _;
    let reader = ImageReader::new(Cursor::new(file)).with_guessed_format().unwrap();
    reader.into_decoder().unwrap().orientation().unwrap()
}

const ALL: [(&str, MediaType); 24] = [
    ("png_1.png", MediaType::Png),
    ("png_L.png", MediaType::Png),
    ("png_LA.png", MediaType::Png),
    ("png_P.png", MediaType::Png),
    ("png_RGB.png", MediaType::Png),
    ("png_RGBA.png", MediaType::Png),
    ("png_I16.png", MediaType::Png),
    ("png_text.png", MediaType::Png),
    ("png_animated.png", MediaType::Png),
    ("jpeg_exif.jpg", MediaType::Jpeg),
    ("jpeg_progressive.jpg", MediaType::Jpeg),
    ("jpeg_gray.jpg", MediaType::Jpeg),
    ("jpeg_cmyk.jpg", MediaType::Jpeg),
    ("jpeg_mpo.jpg", MediaType::Jpeg),
    ("gif_still.gif", MediaType::Gif),
    ("gif_animated.gif", MediaType::Gif),
    ("webp_lossy.webp", MediaType::WebP),
    ("webp_lossless.webp", MediaType::WebP),
    ("webp_alpha.webp", MediaType::WebP),
    ("webp_exif.webp", MediaType::WebP),
    ("webp_animated.webp", MediaType::WebP),
    ("png_RGB.png", MediaType::Png),
    ("jpeg_exif.jpg", MediaType::Jpeg),
    ("webp_lossy.webp", MediaType::WebP),
];

#[test]
fn what_a_picture_tells_is_gone_and_its_pixels_are_the_same() {
    for (name, kind) in ALL {
        let before = corpus(name);
        let after = stripped(kind, &before);
        accepted(&after, kind);
        assert_eq!(picture(&after), picture(&before), "{name}");
        assert!(after.len() <= before.len(), "{name}");
        assert_eq!(stripped(kind, &after), after, "{name} can be stripped further");
        for secret in ["Anna", "Berlin", "secret", "remark", "Comment", "xmpmeta", "MPF"] {
            assert!(!holds(&after, secret), "{name} holds {secret}");
        }
    }
    // They held it.
    for (name, secret) in [
        ("jpeg_exif.jpg", "Anna"),
        ("jpeg_exif.jpg", "secret remark"),
        ("png_text.png", "Anna"),
        ("webp_exif.webp", "xmpmeta"),
        ("gif_still.gif", "remark"),
        ("jpeg_mpo.jpg", "MPF"),
    ] {
        assert!(holds(&corpus(name), secret), "{name} never held {secret}");
    }
}

#[test]
fn a_picture_stays_the_right_way_up() {
    use image::metadata::Orientation::{NoTransforms, Rotate90};
    for (name, kind) in [
        ("jpeg_exif.jpg", MediaType::Jpeg),
        ("png_text.png", MediaType::Png),
        ("webp_exif.webp", MediaType::WebP),
    ] {
        assert_eq!(orientation(&corpus(name)), Rotate90, "{name}");
        assert_eq!(orientation(&stripped(kind, &corpus(name))), Rotate90, "{name}");
        let anew = drawn(kind, &corpus(name));
        assert_eq!(orientation(&anew), NoTransforms, "{name}");
        assert_eq!(
            (picture(&anew).width(), picture(&anew).height()),
            (16, 24),
            "{name}"
        );
    }
}

#[test]
fn animation_goes_on_and_is_repeated() {
    let frames = |file: &[u8]| {
        let decoder = image::codecs::gif::GifDecoder::new(Cursor::new(file.to_vec())).unwrap();
        let endless = matches!(decoder.loop_count(), image::metadata::LoopCount::Infinite);
        (endless, decoder.into_frames().collect_frames().unwrap().len())
    };
    let before = corpus("gif_animated.gif");
    assert_eq!(frames(&before), (true, 3));
    assert_eq!(frames(&stripped(MediaType::Gif, &before)), frames(&before));
    assert_eq!(frames(&drawn(MediaType::Gif, &before)), frames(&before));
}

#[test]
fn a_picture_drawn_anew_is_accepted_and_holds_nothing_of_the_original() {
    for (name, kind) in ALL {
        if name.ends_with("animated.png") || name.ends_with("animated.webp") {
            let (mut from, mut to) = (Cursor::new(corpus(name)), Cursor::new(Vec::new()));
            let why = re_encode(kind, &mut from, &mut to, &InspectLimits::default()).unwrap_err();
            assert!(matches!(why, Unacceptable::Unsupported { .. }), "{name}: {why}");
            continue;
        }
        let after = drawn(kind, &corpus(name));
        accepted(&after, kind);
        assert!(
            !holds(&after, "Anna") && !holds(&after, "Exif") && !holds(&after, "remark"),
            "{name}"
        );
        let (before, after) = (picture(&corpus(name)), picture(&after));
        let turned = name == "jpeg_exif.jpg" || name == "png_text.png" || name == "webp_exif.webp";
        if !turned {
            assert_eq!(
                (after.width(), after.height()),
                (before.width(), before.height()),
                "{name}"
            );
        }
        if kind == MediaType::Png && !turned && name != "png_I16.png" {
            assert_eq!(after.to_rgba8(), before.to_rgba8(), "{name}");
        }
    }
}

#[test]
fn a_picture_that_is_too_large_is_not_drawn() {
    let limits = InspectLimits::default().with_max_pixels(24 * 16 - 1);
    for (name, kind) in ALL {
        let (mut from, mut to) = (Cursor::new(corpus(name)), Cursor::new(Vec::new()));
        assert!(re_encode(kind, &mut from, &mut to, &limits).is_err(), "{name}");
    }
}

#[test]
fn what_a_phone_writes_behind_a_picture_is_taken_only_where_it_is_left_out() {
    use crate::media::inspect;

    let archive = corpus("archive.zip");
    for tail in [&b"SEFT"[..], b"\0\0\0\x18ftypmp42", &archive] {
        let file = [&corpus("jpeg_exif.jpg"), tail].concat();
        for handling in [ImageHandling::StripMetadata, ImageHandling::ReEncode] {
            let limits = handling.within(&InspectLimits::default());
            let look = |limits: &InspectLimits| {
                inspect(
                    &mut Cursor::new(&file),
                    file.len() as u64,
                    MediaType::IMAGES,
                    limits,
                )
            };
            assert!(look(&InspectLimits::default()).is_err());
            assert!(look(&ImageHandling::AsIs.within(&limits)).is_err());
            assert_eq!(look(&limits).ok(), Some(MediaType::Jpeg));
            let mut to = Cursor::new(Vec::new());
            assert!(
                handling
                    .handle(MediaType::Jpeg, &mut Cursor::new(&file), &mut to, &limits)
                    .unwrap()
            );
            let kept = to.into_inner();
            accepted(&kept, MediaType::Jpeg);
            assert!(!kept.windows(tail.len()).any(|bytes| bytes == tail));
        }
        // Of other formats no program writes anything behind the end.
        let other = [&corpus("png_RGB.png"), tail].concat();
        let limits = ImageHandling::StripMetadata.within(&InspectLimits::default());
        assert!(
            inspect(
                &mut Cursor::new(&other),
                other.len() as u64,
                MediaType::IMAGES,
                &limits
            )
            .is_err()
        );
    }
}

#[test]
fn handling_leaves_what_is_no_picture_alone() {
    let handle = |handling: ImageHandling, kind, name| {
        let (mut from, mut to) = (Cursor::new(corpus(name)), Cursor::new(Vec::new()));
        let written = handling
            .handle(kind, &mut from, &mut to, &InspectLimits::default())
            .unwrap();
        assert_eq!(written, !to.into_inner().is_empty());
        written
    };
    assert!(!handle(ImageHandling::AsIs, MediaType::Jpeg, "jpeg_exif.jpg"));
    assert!(handle(
        ImageHandling::StripMetadata,
        MediaType::Jpeg,
        "jpeg_exif.jpg"
    ));
    assert!(handle(ImageHandling::ReEncode, MediaType::Jpeg, "jpeg_exif.jpg"));
    assert!(!handle(ImageHandling::ReEncode, MediaType::Pdf, "reportlab.pdf"));
}
