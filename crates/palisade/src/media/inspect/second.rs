//! Whether a file that is in order as one format can be read as another one, too, by programs that do not begin at its beginning.
//!
//! ZIP is read from its end, and PHP looks for its archives' stub anywhere in a file (`phar://`), and for its own tag in whatever it is
//! made to include. So these are looked for in the whole file, wherever its own format has room for foreign bytes: comments, profiles,
//! data that is never drawn.

use std::io::{Read, Seek};

use memchr::memmem;

use super::{Source, Unacceptable};
use crate::media::MediaType;

/// The record with which a ZIP archive ends, and how far before its end a reader looks for it.
const ZIP_END: &[u8] = b"PK\x05\x06";
const ZIP_TAIL: u64 = 22 + 65_535;

/// What is looked for in the whole file, in lower case, and what it makes of it. Long enough that no picture has it by chance.
const ANYWHERE: [(&[u8], &str); 3] = [
    (b"__halt_compiler", "it holds a PHP archive"),
    (b"<?php", "it holds a PHP script"),
    (b"<script", "it holds a script for web pages"),
];
/// The longest of them, less one.
const OVERLAP: usize = 14;

/// Refuses a file that holds what another program would take for its own.
pub(super) fn nothing_besides<F: Read + Seek>(
    source: &mut Source<'_, F>,
    kind: MediaType,
) -> Result<(), Unacceptable> {
    // Where its walk has ended: what is cut off behind it is not kept.
    let end = source.at();
    // The forms of a PDF are XML, with elements of that name.
    let looked_for = match kind {
        MediaType::Pdf => ANYWHERE.get(..2),
        _ => ANYWHERE.get(..),
    };
    let looked_for = looked_for.unwrap_or_default();
    source.go_to(0)?;
    let mut carried: Vec<u8> = Vec::new();
    let mut found = None;
    source.each(end, |piece| {
        carried.extend(piece.iter().map(u8::to_ascii_lowercase));
        found = found.or_else(|| {
            let is_there = |(what, _): &&(&[u8], &str)| memmem::find(&carried, what).is_some();
            looked_for.iter().find(is_there).map(|(_, why)| *why)
        });
        carried.drain(..carried.len().saturating_sub(OVERLAP));
        Ok(())
    })?;
    if let Some(why) = found {
        return Err(source.besides(why));
    }
    source.go_to(end.saturating_sub(ZIP_TAIL))?;
    let tail = source.vec(usize::try_from(end - source.at()).unwrap_or(usize::MAX))?;
    if memmem::find_iter(&tail, ZIP_END).any(|at| ends_an_archive(tail.get(at..).unwrap_or_default())) {
        return Err(source.besides("it holds a ZIP archive"));
    }
    Ok(())
}

/// Whether this is the end of an archive for a reader that is not strict: one disk, and a comment that is there.
fn ends_an_archive(record: &[u8]) -> bool {
    let number = |at: usize| {
        let bytes = record.get(at..).and_then(<[u8]>::first_chunk);
        bytes.map(|bytes| u16::from_le_bytes(*bytes))
    };
    number(20).is_some() && number(4) == number(6) && number(8) == number(10)
}
