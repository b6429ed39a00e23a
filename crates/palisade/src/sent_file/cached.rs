//! What the kernel holds of files in memory: a microsecond away, and no thread has to be there that may wait for a disk.
//!
//! Linux answers "not without waiting" where it does not hold something, or cannot say. Elsewhere that is always the answer.

use std::fs::File;
use std::path::Path;

/// Opens a file to which the way is known, unless it is a link.
#[cfg(target_os = "linux")]
pub(super) fn open(path: &Path) -> Option<File> {
    use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};

    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = openat2(CWD, path, flags, Mode::empty(), ResolveFlags::CACHED);
    opened.ok().map(File::from)
}

/// Reads what is there of a file from this place on, and says how much that was. Nothing is there at its end.
#[cfg(target_os = "linux")]
pub(super) fn read(file: &File, into: &mut [u8], place: u64) -> Option<usize> {
    use rustix::io::{ReadWriteFlags, preadv2};

    let mut into = [std::io::IoSliceMut::new(into)];
    preadv2(file, &mut into, place, ReadWriteFlags::NOWAIT).ok()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn open(_path: &Path) -> Option<File> {
    None
}

#[cfg(not(target_os = "linux"))]
pub(super) fn read(_file: &File, _into: &mut [u8], _place: u64) -> Option<usize> {
    None
}
