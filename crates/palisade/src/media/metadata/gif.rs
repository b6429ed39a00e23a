//! GIF without its remarks: comments go, and what programs note, but for how often it is repeated.

use std::io::{Read, Seek, Write};

use super::copy;
use crate::media::inspect::{Source, Unacceptable};

pub(super) fn strip<F: Read + Seek, W: Write>(
    source: &mut Source<'_, F>,
    to: &mut W,
) -> Result<(), Unacceptable> {
    copy(source, to, 10)?;
    let flags = source.byte()?;
    to.write_all(&[flags])?;
    copy(source, to, 2 + colours(flags))?;
    loop {
        let block = source.byte()?;
        match block {
            b',' => {
                to.write_all(&[block])?;
                copy(source, to, 8)?;
                let flags = source.byte()?;
                to.write_all(&[flags])?;
                copy(source, to, colours(flags) + 1)?;
                blocks(source, Some(&mut *to))?;
            }
            b'!' => {
                let label = source.byte()?;
                let head = source.head(12)?;
                let repeats = head == b"\x0bNETSCAPE2.0" || head == b"\x0bANIMEXTS1.0";
                match label {
                    0xf9 | 0x01 => {
                        to.write_all(&[block, label])?;
                        blocks(source, Some(&mut *to))?;
                    }
                    0xff if repeats => repetition(source, to)?,
                    _ => blocks(source, None::<&mut W>)?,
                }
            }
            b';' => {
                to.write_all(&[block])?;
                return source.ends_here();
            }
            _ => return Err(source.damaged("one of its blocks is of no known kind")),
        }
    }
}

/// How many bytes the colours of these flags take.
fn colours(flags: u8) -> u64 {
    if flags & 0x80 == 0 {
        0
    } else {
        3 << ((flags & 7) + 1)
    }
}

/// Steps over blocks up to the empty one, and copies them if they are kept.
fn blocks<F: Read + Seek, W: Write>(
    source: &mut Source<'_, F>,
    mut to: Option<&mut W>,
) -> Result<(), Unacceptable> {
    loop {
        let length = source.byte()?;
        match &mut to {
            Some(to) => {
                to.write_all(&[length])?;
                copy(source, to, u64::from(length))?;
            }
            None => source.skip(u64::from(length))?,
        }
        if length == 0 {
            return Ok(());
        }
    }
}

/// Writes anew how often it is repeated, and nothing that stands beside it.
fn repetition<F: Read + Seek, W: Write>(source: &mut Source<'_, F>, to: &mut W) -> Result<(), Unacceptable> {
    source.skip(12)?;
    loop {
        let length = source.byte()?;
        if length == 0 {
            return Ok(());
        }
        let block = source.vec(usize::from(length))?;
        if let [1, low, high] = block.as_slice() {
            to.write_all(b"!\xff\x0bNETSCAPE2.0\x03\x01")?;
            to.write_all(&[*low, *high, 0])?;
        }
    }
}
