//! Plain text: UTF-8 from the first byte to the last, without the bytes that only programs send.

use std::io::{Read, Seek};

use super::{Source, Unacceptable};

/// Walks through a text.
pub(super) fn walk<F: Read + Seek>(source: &mut Source<'_, F>) -> Result<(), Unacceptable> {
    let mut carried: Vec<u8> = Vec::new();
    let mut fault = None;
    let size = source.size();
    source.each(size, |piece| {
        carried.extend_from_slice(piece);
        let (whole, rest) = match std::str::from_utf8(&carried) {
            Ok(text) => (text, carried.len()),
            Err(error) => {
                if error.error_len().is_some() {
                    fault = fault.or(Some(Fault::NotUtf8));
                }
                let rest = error.valid_up_to();
                let whole = carried
                    .get(..rest)
                    .and_then(|whole| std::str::from_utf8(whole).ok());
                (whole.unwrap_or_default(), rest)
            }
        };
        if whole.chars().any(is_control) {
            fault = fault.or(Some(Fault::Control));
        }
        carried.drain(..rest);
        // At most the bytes of one character are carried on; after a fault nothing is.
        if fault.is_some() {
            carried.clear();
        }
        Ok(())
    })?;
    match fault {
        None if carried.is_empty() => Ok(()),
        Some(Fault::Control) => Err(source.damaged("it holds characters that no text has")),
        _ => Err(source.damaged("it is not in UTF-8")),
    }
}

#[derive(Clone, Copy)]
enum Fault {
    NotUtf8,
    Control,
}

/// A control that is neither a tab nor an end of line or page.
fn is_control(character: char) -> bool {
    character.is_control() && !matches!(character, '\t' | '\n' | '\r' | '\x0c')
}
