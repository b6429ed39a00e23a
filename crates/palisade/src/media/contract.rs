//! What every store of files must keep: the tests that hold the disk and S3 to it, and whoever writes another one.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use http_body_util::BodyExt as _;

use super::{MediaError, MediaName, MediaStore};
use crate::promise::{Broken, answered, broken, ensure, kept, same};

/// Larger than what a store takes at once: S3 has parts of 8 MiB.
const LARGE: usize = 8 * 1024 * 1024 + 300;
/// How far clocks of two machines may differ.
const CLOCKS: Duration = Duration::from_mins(2);

/// Holds a store to all its promises. Files wait in `folder` before they are kept, as they do in the spool.
///
/// # Panics
///
/// With the promise that was broken, and what was found instead.
pub async fn keeps_files(store: &dyn MediaStore, folder: &Path) {
    kept(all(store, folder).await);
}

async fn all(store: &dyn MediaStore, folder: &Path) -> Result<(), Broken> {
    answered("a store that works says so", store.check().await)?;
    answered("a store that works says so again", store.check().await)?;
    for contents in [Vec::new(), b"a".to_vec(), pattern(LARGE)] {
        gives_what_it_was_given(store, folder, &contents).await?;
    }
    replaces_nothing(store, folder).await?;
    lists_what_it_keeps(store, folder).await?;
    says_what_is_missing(store, folder).await
}

async fn gives_what_it_was_given(
    store: &dyn MediaStore,
    folder: &Path,
    contents: &[u8],
) -> Result<(), Broken> {
    let name = MediaName::draw();
    answered(
        "a file is kept",
        store.keep(&spooled(folder, contents)?, &name).await,
    )?;
    let whole = 0..contents.len();
    let middle = contents.len() / 2;
    let ranges = [
        whole.clone(),
        0..contents.len().min(1),
        middle..contents.len(),
        middle..middle,
    ];
    for range in ranges.into_iter().chain(across(contents.len())) {
        let read = read(store, &name, &range).await?;
        let expected = contents.get(range.clone()).unwrap_or_default();
        // Not shown: it may be megabytes.
        ensure(
            "a range is what stands there",
            read == expected,
            format_args!("{} bytes of {range:?}", read.len()),
        )?;
    }
    // Somebody who reads half of it and goes away takes nothing from others.
    let opened = answered("a kept file is opened", store.open(&name).await)?;
    same("a file has its size", &opened.size(), &(contents.len() as u64))?;
    let mut body = opened.body(0..contents.len() as u64);
    let _ = body.frame().await;
    drop(body);
    let again = read(store, &name, &whole).await?;
    ensure(
        "a file is read again",
        again == contents,
        format_args!("{} bytes", again.len()),
    )?;
    let deleted = answered("a file is deleted", store.delete(&name).await)?;
    ensure(
        "a deletion says that there was a file",
        deleted,
        "it said that there was none",
    )
}

/// Ranges over the places where parts may meet.
fn across(length: usize) -> Vec<Range<usize>> {
    let meet = [64 * 1024, 256 * 1024, 8 * 1024 * 1024];
    let within = meet.into_iter().filter(|at| at + 5 <= length);
    within.map(|at| at - 5..at + 5).collect()
}

async fn replaces_nothing(store: &dyn MediaStore, folder: &Path) -> Result<(), Broken> {
    for contents in [b"the first".to_vec(), pattern(LARGE)] {
        let name = MediaName::draw();
        answered(
            "a file is kept",
            store.keep(&spooled(folder, &contents)?, &name).await,
        )?;
        for other in [b"another".to_vec(), pattern(LARGE + 1)] {
            let second = store.keep(&spooled(folder, &other)?, &name).await;
            ensure(
                "a name that is taken is not given again",
                second.is_err(),
                "it was",
            )?;
        }
        let read = read(store, &name, &(0..contents.len())).await?;
        ensure(
            "nothing takes the place of a file",
            read == contents,
            format_args!("{} bytes", read.len()),
        )?;
        answered("a file is deleted", store.delete(&name).await)?;
    }
    Ok(())
}

async fn lists_what_it_keeps(store: &dyn MediaStore, folder: &Path) -> Result<(), Broken> {
    let begun = SystemTime::now();
    let mut names = [MediaName::draw(), MediaName::draw(), MediaName::draw()];
    for name in &names {
        answered(
            "a file is kept",
            store.keep(&spooled(folder, b"a file")?, name).await,
        )?;
    }
    let listed = answered("files are listed", store.list().await)?;
    let mut found: Vec<MediaName> = listed.iter().map(|listed| listed.name).collect();
    found.sort_unstable();
    names.sort_unstable();
    same(
        "what is kept is listed, and nothing else",
        &found.as_slice(),
        &names.as_slice(),
    )?;
    for listed in &listed {
        let is_now = listed.kept + CLOCKS >= begun && listed.kept <= SystemTime::now() + CLOCKS;
        ensure(
            "a file is listed with the time it came",
            is_now,
            format_args!("{:?}", listed.kept),
        )?;
    }
    for name in &names {
        answered("a file is deleted", store.delete(name).await)?;
    }
    let listed = answered("files are listed", store.list().await)?;
    same("what is deleted is not listed", &listed.len(), &0)
}

async fn says_what_is_missing(store: &dyn MediaStore, folder: &Path) -> Result<(), Broken> {
    let name = MediaName::draw();
    match store.open(&name).await {
        Err(MediaError::Missing) => {}
        other => {
            return Err(broken(
                "a name without a file is missing",
                format_args!("found {other:?}"),
            ));
        }
    }
    let deleted = answered("a deletion of nothing is no error", store.delete(&name).await)?;
    ensure(
        "a deletion of nothing says so",
        !deleted,
        "it said that there was a file",
    )?;
    let nowhere = store.keep(&folder.join("nothing-is-here"), &name).await;
    ensure("what is not there cannot be kept", nowhere.is_err(), "it was")?;
    let listed = answered("files are listed", store.list().await)?;
    same("what failed left nothing", &listed.len(), &0)
}

async fn read(store: &dyn MediaStore, name: &MediaName, range: &Range<usize>) -> Result<Vec<u8>, Broken> {
    let opened = answered("a kept file is opened", store.open(name).await)?;
    let body = opened.body(range.start as u64..range.end as u64);
    let collected = body.collect().await;
    let bytes =
        collected.map_err(|error| broken("a kept file is read", format_args!("the store said: {error}")))?;
    Ok(bytes.to_bytes().to_vec())
}

/// A file as it waits in the spool.
fn spooled(folder: &Path, contents: &[u8]) -> Result<PathBuf, Broken> {
    let path = folder.join(MediaName::draw().to_string());
    answered("a test has a folder", std::fs::write(&path, contents))?;
    Ok(path)
}

/// Bytes of which no page is like another.
fn pattern(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    for (number, page) in bytes.chunks_mut(256).enumerate() {
        for (byte, from) in page.iter_mut().zip(number.to_be_bytes()) {
            *byte = from;
        }
    }
    bytes
}
