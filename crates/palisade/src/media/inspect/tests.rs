//! Files as programs make them are accepted, and what attackers make of them is not: each attack is a file whose first bytes are right.

mod archives;
mod documents;
pub(in crate::media) mod make;
mod pictures;

use std::io::Cursor;
use std::path::Path;

use super::*;

/// A file of the corpus, which a real program has made.
pub(in crate::media) fn corpus(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/media");
    std::fs::read(folder.join(name)).unwrap()
}

fn look(file: &[u8], limits: &InspectLimits) -> Result<MediaType, Unacceptable> {
    inspect(&mut Cursor::new(file), file.len() as u64, MediaType::ALL, limits)
}

#[track_caller]
pub(in crate::media) fn accepted(file: &[u8], kind: MediaType) {
    match look(file, &InspectLimits::default()) {
        Ok(found) => assert_eq!(found, kind),
        Err(why) => panic!("{why}"),
    }
}

/// Refused, although whoever looks at its first bytes would take it.
#[track_caller]
fn refused(file: &[u8], kind: MediaType, because: &str) {
    refused_within(file, kind, because, &InspectLimits::default());
}

#[track_caller]
fn refused_within(file: &[u8], kind: MediaType, because: &str, limits: &InspectLimits) {
    let begins = sniff::begins(&mut Source::new(&mut Cursor::new(file), file.len() as u64).unwrap()).unwrap();
    let expected = if kind.is_archive() {
        Begins::Archive
    } else {
        Begins::Known(kind)
    };
    assert_eq!(begins, expected, "its first bytes are not even right");
    let why = look(file, limits).expect_err("it is accepted").to_string();
    assert!(why.contains(because), "{why}");
}

#[test]
fn files_of_real_programs_are_what_they_are() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/media");
    let mut seen = 0;
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let kind = match path.extension().unwrap().to_str().unwrap() {
            "png" => MediaType::Png,
            "jpg" => MediaType::Jpeg,
            "gif" => MediaType::Gif,
            "webp" => MediaType::WebP,
            "pdf" => MediaType::Pdf,
            "zip" => MediaType::Zip,
            "xlsx" => MediaType::Xlsx,
            "odt" => MediaType::Odt,
            "txt" => MediaType::Text,
            other => panic!("a file of the kind {other}"),
        };
        let found = look(&std::fs::read(&path).unwrap(), &InspectLimits::default());
        match name {
            "script.pdf" => assert!(matches!(found, Err(Unacceptable::Active { .. })), "{found:?}"),
            "encrypted.pdf" => assert!(matches!(found, Err(Unacceptable::Encrypted(_))), "{found:?}"),
            _ => assert_eq!(found.map_err(|why| format!("{name}: {why}")), Ok(kind)),
        }
        seen += 1;
    }
    assert!(seen >= 30, "only {seen} files");
}

#[test]
fn a_file_is_what_it_is_whatever_it_is_called_and_the_refusal_says_so() {
    let picture = corpus("png_RGB.png");
    let find = |accept: &[MediaType]| {
        inspect(
            &mut Cursor::new(&picture),
            picture.len() as u64,
            accept,
            &InspectLimits::default(),
        )
    };
    assert_eq!(find(MediaType::IMAGES).ok(), Some(MediaType::Png));
    let why = find(&[MediaType::Pdf, MediaType::Text, MediaType::Jpeg])
        .unwrap_err()
        .to_string();
    assert_eq!(
        why,
        "This is a PNG picture, which is not accepted here, whatever the file is called. Send a PDF, a plain text in UTF-8 or a JPEG picture."
    );
    let archive = corpus("archive.zip");
    let why = inspect(
        &mut Cursor::new(&archive),
        archive.len() as u64,
        MediaType::IMAGES,
        &InspectLimits::default(),
    );
    assert!(
        why.unwrap_err()
            .to_string()
            .starts_with("This is a ZIP archive or an office document")
    );
    for (file, what) in [
        (&b"MZ\x90\0\x03\0\0\0"[..], "a Windows program"),
        (b"\x7fELF\x02\x01", "a Linux program"),
        (b"<svg onload=alert(1)>", "an SVG picture"),
        (b"\xef\xbb\xbf <!doctype html>", "a web page"),
        (b"\0\0\0\x18ftypheic\0\0", "iPhones"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ".doc"),
        (b"", "empty"),
        (b"\0\x01\x02", "not accepted"),
    ] {
        let why = look(file, &InspectLimits::default()).unwrap_err().to_string();
        assert!(why.contains(what), "{why}");
    }
}

#[test]
fn a_file_shorter_or_longer_than_was_said_is_a_fault_of_ours() {
    for size in [0, 5, 700] {
        let found = inspect(
            &mut Cursor::new(b"text"),
            size,
            MediaType::ALL,
            &InspectLimits::default(),
        );
        assert!(matches!(found, Err(Unacceptable::Unreadable(_))), "{found:?}");
    }
}

#[test]
fn every_file_that_is_cut_off_is_refused_wherever_it_is_cut() {
    for name in [
        "png_text.png",
        "png_animated.png",
        "jpeg_exif.jpg",
        "jpeg_progressive.jpg",
        "gif_animated.gif",
        "webp_exif.webp",
        "webp_animated.webp",
        "reportlab.pdf",
        "archive.zip",
        "streamed.zip",
        "text.odt",
    ] {
        let kind = look(&corpus(name), &InspectLimits::default()).unwrap();
        let whole = corpus(name);
        for length in 0..whole.len() {
            let found = look(&whole[..length], &InspectLimits::default());
            // Of a PDF the last end of line may be missing.
            let is_whole = name.ends_with("pdf") && whole[length..].iter().all(u8::is_ascii_whitespace);
            assert_eq!(
                found.ok() == Some(kind),
                is_whole,
                "{name} cut at {length} of {}",
                whole.len()
            );
        }
    }
}

#[test]
fn every_file_with_something_behind_it_is_refused() {
    let tail = make::zip(&[make::put("Evil.class", b"evil")]);
    for (name, kind) in [
        ("png_RGB.png", MediaType::Png),
        ("jpeg_exif.jpg", MediaType::Jpeg),
        ("jpeg_mpo.jpg", MediaType::Jpeg),
        ("gif_still.gif", MediaType::Gif),
        ("webp_lossy.webp", MediaType::WebP),
        ("webp_exif.webp", MediaType::WebP),
        ("reportlab.pdf", MediaType::Pdf),
        ("archive.zip", MediaType::Zip),
    ] {
        for more in [
            &tail[..],
            b"\0\0",
            b"<script>alert(1)</script>",
            b"<?php evil(); __HALT_COMPILER(); ?>",
        ] {
            let file = [corpus(name), more.to_vec()].concat();
            assert!(
                look(&file, &InspectLimits::default()).is_err(),
                "{name} with {} bytes",
                more.len()
            );
        }
        refused(&[corpus(name), tail.clone()].concat(), kind, "");
    }
}

#[test]
fn text_is_text_to_its_last_byte() {
    accepted("Grüße\r\n\tand \u{1f600}\x0c".as_bytes(), MediaType::Text);
    accepted("ü".repeat(40_000).as_bytes(), MediaType::Text);
    accepted("\u{feff}with a mark".as_bytes(), MediaType::Text);
    let long = "a line of text\n".repeat(4000);
    for (tail, because) in [
        (&b"\0"[..], "characters that no text has"),
        (b"\x1b[2J", "characters that no text has"),
        ("\u{9b}31m".as_bytes(), "characters that no text has"),
        (b"\x7f", "characters that no text has"),
        (b"\xff", "UTF-8"),
        (b"\xc3", "UTF-8"),
        (b"\xed\xa0\x80", "UTF-8"),
        (b"\xc0\xaf", "UTF-8"),
    ] {
        refused(&[long.as_bytes(), tail].concat(), MediaType::Text, because);
    }
    let utf16: Vec<u8> = "Grüße".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(look(&[b"\xff\xfe".to_vec(), utf16].concat(), &InspectLimits::default()).is_err());
}
