//! What a file begins as: which walk it is given to, and what is never accepted, by the name that people know it by.

use std::io::{Read, Seek};

use super::{Source, Unacceptable};
use crate::media::MediaType;

/// What the first bytes promise. The walk has to keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begins {
    /// One kind.
    Known(MediaType),
    /// A ZIP archive: which kind, its contents say.
    Archive,
    /// What is known and never accepted.
    Refused(&'static str),
    /// Nothing that is known.
    Nothing,
}

/// How many bytes are looked at, as browsers do (WHATWG MIME Sniffing §5.2 reads 1,445).
const HEAD: u64 = 1445;

/// What is known by its first bytes, and never accepted.
const REFUSED: [(&[u8], &str); 25] = [
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a Linux program"),
    (b"\xfe\xed\xfa", "a macOS program"),
    (b"\xcf\xfa\xed\xfe", "a macOS program"),
    (b"\xce\xfa\xed\xfe", "a macOS program"),
    (b"\xca\xfe\xba\xbe", "a Java or macOS program"),
    (b"\0asm", "a WebAssembly program"),
    (b"#!", "a script"),
    (b"L\0\0\0\x01\x14\x02\0", "a Windows shortcut"),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an old office document (.doc, .xls, .ppt) or an installer",
    ),
    (b"{\\rt", "an RTF document"),
    (b"%!PS", "a PostScript document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\0", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"BM", "a BMP picture"),
    (b"II*\0", "a TIFF picture or a camera's raw file"),
    (b"MM\0*", "a TIFF picture or a camera's raw file"),
    (b"8BPS", "a Photoshop file"),
    (b"CWS", "a Flash film"),
    (b"FWS", "a Flash film"),
    (b"SQLite format 3\0", "a database"),
];

/// Says what a file begins as.
pub(super) fn begins<F: Read + Seek>(source: &mut Source<'_, F>) -> Result<Begins, Unacceptable> {
    let head = source.head(HEAD)?;
    Ok(of_head(&head))
}

fn of_head(head: &[u8]) -> Begins {
    let known = [
        (&b"\x89PNG\r\n\x1a\n"[..], MediaType::Png),
        (b"\xff\xd8\xff", MediaType::Jpeg),
        (b"GIF87a", MediaType::Gif),
        (b"GIF89a", MediaType::Gif),
        (b"%PDF-", MediaType::Pdf),
    ];
    if let Some((_, kind)) = known.into_iter().find(|(magic, _)| head.starts_with(magic)) {
        return Begins::Known(kind);
    }
    if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        return Begins::Known(MediaType::WebP);
    }
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return Begins::Archive;
    }
    match head.get(4..12) {
        Some(b"ftypheic" | b"ftypheix" | b"ftypmif1" | b"ftypmsf1") => {
            return Begins::Refused("a HEIC picture, as iPhones take them (share it as \"most compatible\")");
        }
        Some(b"ftypavif" | b"ftypavis") => return Begins::Refused("an AVIF picture"),
        Some(brand) if brand.starts_with(b"ftyp") => return Begins::Refused("a film or a sound"),
        _ => {}
    }
    // Two letters begin a text as well: BMP and programs have bytes of control soon after.
    let refused = REFUSED.iter().find(|(magic, _)| {
        head.starts_with(magic)
            && (magic.len() > 3 || *magic == b"#!" || head.iter().any(|byte| is_binary(*byte)))
    });
    if let Some((_, what)) = refused {
        return Begins::Refused(what);
    }
    if let Some(what) = markup(head) {
        return Begins::Refused(what);
    }
    if head.is_empty() || head.iter().any(|byte| is_binary(*byte)) {
        return Begins::Nothing;
    }
    Begins::Known(MediaType::Text)
}

/// A binary data byte of the standard: no text has it.
fn is_binary(byte: u8) -> bool {
    matches!(byte, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f)
}

/// What a browser that guesses would take for a page, or a program for a document with script: whatever begins with a tag, a comment, a
/// declaration, after white space and a byte order mark. The standard's table names some tags; all are refused, `<svg` among them.
pub(super) fn markup(head: &[u8]) -> Option<&'static str> {
    let head = head
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(head)
        .trim_ascii_start();
    let (first, rest) = head.split_first()?;
    let second = rest.first().copied().unwrap_or_default();
    let is_tag = second.is_ascii_alphabetic() || matches!(second, b'!' | b'?' | b'/');
    let lower: Vec<u8> = head.iter().take(16).map(u8::to_ascii_lowercase).collect();
    match first {
        b'<' if lower.starts_with(b"<?php") => Some("a PHP script"),
        b'<' if lower.starts_with(b"<?xml") => Some("an XML document"),
        b'<' if lower.starts_with(b"<svg") => Some("an SVG picture"),
        b'<' if is_tag => Some("a web page or a piece of one"),
        b'%' if lower.starts_with(b"%pdf-") => Some("a PDF with something before it"),
        b'%' if lower.starts_with(b"%!ps") => Some("a PostScript document"),
        b'#' if second == b'!' => Some("a script"),
        b'{' if lower.starts_with(b"{\\rt") => Some("an RTF document"),
        b'm' | b'M' if lower.starts_with(b"mime-version:") => Some("a mail or a stored web page"),
        _ => None,
    }
}

/// Whether bytes that somebody may choose, right after the letters that a format begins with, make a script of the file: `GIF89a/*`,
/// `GIF89a=1;`.
pub(super) fn goes_on_as_script(bytes: &[u8]) -> bool {
    let bytes = bytes.trim_ascii_start();
    if bytes.starts_with(b"/*") || bytes.starts_with(b"//") {
        return true;
    }
    let Some(mut rest) = bytes.strip_prefix(b"=") else {
        return false;
    };
    while let Some((first, tail)) = rest.split_first() {
        match first {
            b'"' | b'\'' | b'`' | b'/' | b';' => return true,
            b' '..=b'~' | b'\t'..=b'\r' => rest = tail,
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_browser_would_take_for_a_page_is_no_text() {
        let tags = [
            "<!DOCTYPE HTML",
            "<html>",
            "<HEAD >",
            "<script>",
            "<iframe ",
            "<h1>",
            "<div>",
            "<font ",
            "<table>",
            "<a ",
            "<style>",
            "<title>",
            "<b>",
            "<body>",
            "<br>",
            "<p>",
            "<!-- x",
            "<?xml version",
            "<svg onload=",
            "</p>",
            "<math>",
            "<?php",
            "#!/bin/sh",
            "%!PS-Adobe-3.0",
            "{\\rtf1",
            "MIME-Version: 1.0",
        ];
        for tag in tags {
            for before in ["", " ", "\r\n\t\x0c ", "\u{feff}", "\u{feff} \n"] {
                let text = format!("{before}{tag}");
                assert!(matches!(of_head(text.as_bytes()), Begins::Refused(_)), "{text:?}");
            }
        }
        for text in [
            "1 < 2",
            "<3",
            "< p >",
            "# Title",
            "%",
            "{}",
            "MZ is a bank of ours",
            "BM",
            "Dear <b>",
            "name;age\n",
        ] {
            assert_eq!(
                of_head(text.as_bytes()),
                Begins::Known(MediaType::Text),
                "{text:?}"
            );
        }
        assert!(matches!(
            of_head(b"MZ\x90\0\x03"),
            Begins::Refused("a Windows program")
        ));
        assert_eq!(of_head(b"\0\x01"), Begins::Nothing);
    }

    #[test]
    fn bytes_that_make_a_script_of_a_picture_are_seen() {
        for bytes in [
            &b"/*\0\0"[..],
            b"//aa",
            b"\n=\"\0",
            b"=1/*",
            b"=`\0",
            b" \t/*",
            b"=1;a",
        ] {
            assert!(goes_on_as_script(bytes), "{bytes:?}");
        }
        for bytes in [
            &b"\x10\0\x10\0"[..],
            b"=\0\x10\0",
            b"\0/*a",
            b"*/aa",
            b"\x0a\x05\x0a\x05",
        ] {
            assert!(!goes_on_as_script(bytes), "{bytes:?}");
        }
    }
}
