//! Uploads on a real disk: cut into any pieces, too large, empty, cancelled, panicked over, and in processes that are killed.

mod folders;
mod killed;

use std::fs;
use std::future::poll_fn;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body_util::BodyExt as _;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};
use tokio::runtime::{Builder, Runtime};
use tokio::task::spawn_blocking;

use super::upload::{Came, Incoming, Takes};
use super::*;

const TEXTS: Takes = Takes {
    accept: &[MediaType::Text],
    max_size: 2000,
    images: ImageHandling::AsIs,
};

/// One thread waits for the disk, so that what it does after something comes after it.
fn runtime() -> Runtime {
    Builder::new_current_thread()
        .max_blocking_threads(1)
        .enable_time()
        .build()
        .unwrap()
}

/// Lets everything end that was begun: what waits for the disk, and the tasks that wait for that.
async fn settle() {
    for _ in 0..5 {
        spawn_blocking(|| ()).await.unwrap();
        tokio::task::yield_now().await;
    }
}

/// Begins what a client waits for, and says whether it is not done at once.
async fn is_under_way<F: Future>(future: &mut Pin<Box<F>>) -> bool {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await
}

/// Lets nothing be done on the disk until this is dropped.
fn hold_the_disk() -> mpsc::Sender<()> {
    let (held, until) = mpsc::channel();
    spawn_blocking(move || until.recv());
    held
}

/// Every file below a folder that is no lock.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.file_name().is_some_and(|name| name != "lock") {
            found.push(path);
        }
    }
    found
}

async fn came(media: &Media, content: &[u8], cut: usize) -> Came {
    let mut incoming = Incoming::begin(media, "a.txt".into(), TEXTS).await.unwrap();
    for piece in content.chunks(cut) {
        incoming.write(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    incoming.finish().await.unwrap()
}

async fn upload(media: &Media, content: &[u8]) -> Upload {
    match came(media, content, 7).await {
        Came::Here(upload) => *upload,
        _ => panic!("a text is accepted"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_file_is_the_same_however_it_was_cut(
        content in prop::collection::vec(prop::sample::select(&b"abc xyz\n"[..]), 0..2200),
        cut in 1..3000_usize,
    ) {
        let folder = tempfile::tempdir().unwrap();
        runtime().block_on(async {
            let media = Media::on_disk(folder.path().join("media")).unwrap();
            match came(&media, &content, cut).await {
                Came::Empty => assert!(content.is_empty()),
                Came::TooLarge => assert!(content.len() > 2000),
                Came::TooMany => panic!("one file is not too many"),
                Came::Unacceptable(why) => panic!("{why}"),
                Came::Here(upload) => {
                    assert!((1..=2000).contains(&content.len()));
                    assert_eq!(upload.digest().0[..], Sha256::digest(&content)[..]);
                    let file = upload.keep().await.unwrap().noted();
                    assert_eq!((file.size, file.file_name.as_str()), (content.len() as u64, "a.txt"));
                    let opened = media.open(&file.name).await.unwrap();
                    let read = opened.body(0..file.size).collect().await.unwrap().to_bytes();
                    assert_eq!(read, content);
                    assert!(media.delete(&file.name).await.unwrap());
                }
            }
            assert!(files(folder.path()).is_empty(), "nothing else stays");
        });
    }
}

#[test]
fn file_that_became_too_large_is_gone_before_its_end() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let media = Media::on_disk(folder.path().join("media")).unwrap();
        let mut incoming = Incoming::begin(&media, "a.txt".into(), TEXTS).await.unwrap();
        incoming.write(vec![b'a'; 2000].into()).await.unwrap();
        assert_eq!(files(folder.path()).len(), 1);
        incoming.write(Bytes::from_static(b"a")).await.unwrap();
        assert!(files(folder.path()).is_empty());
        incoming.write(vec![b'a'; 2000].into()).await.unwrap();
        assert!(files(folder.path()).is_empty(), "the rest is read past");
        assert!(matches!(incoming.finish().await.unwrap(), Came::TooLarge));
    });
}

#[test]
fn what_waits_and_what_is_kept_is_open_to_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let modes = |path: &Path| {
        let own = path.ancestors().take_while(|path| *path != folder.path());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        own.map(mode).collect::<Vec<_>>()
    };
    runtime().block_on(async {
        let media = Media::on_disk(folder.path().join("media")).unwrap();
        let upload = upload(&media, b"a text").await;
        let waiting = files(folder.path()).pop().unwrap();
        assert_eq!(modes(&waiting), [0o600, 0o700, 0o700, 0o700]);
        let _file = upload.keep().await.unwrap().noted();
        let kept = files(folder.path()).pop().unwrap();
        assert_ne!(kept, waiting);
        assert_eq!(modes(&kept), [0o600, 0o700, 0o700, 0o700]);
    });
}

#[test]
fn upload_that_is_let_go_of_is_gone_also_by_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let media = Media::on_disk(folder.path().join("media")).unwrap();
        let waiting = upload(&media, b"a text").await;
        assert_eq!(files(folder.path()).len(), 1);
        let handler = tokio::spawn(async move {
            let _waiting = waiting;
            panic!("a handler's fault");
        });
        assert!(handler.await.unwrap_err().is_panic());
        assert!(files(folder.path()).is_empty());
    });
}

#[test]
fn file_is_deleted_again_unless_a_row_names_it() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let media = Media::on_disk(folder.path().join("media")).unwrap();
        let kept = upload(&media, b"a text").await.keep().await.unwrap();
        assert_eq!(files(folder.path()).len(), 1);
        drop(kept);
        settle().await;
        assert!(files(folder.path()).is_empty());
        let file = upload(&media, b"a text").await.keep().await.unwrap().noted();
        settle().await;
        assert!(media.open(&file.name).await.is_ok());
    });
}

#[test]
fn client_that_hangs_up_while_its_file_is_kept_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let media = Media::on_disk(folder.path().join("media")).unwrap();
        let mut keep = Box::pin(upload(&media, b"a text").await.keep());
        let held = hold_the_disk();
        assert!(is_under_way(&mut keep).await);
        drop(held);
        // The disk has done it, and tells nobody: the request is gone.
        spawn_blocking(|| ()).await.unwrap();
        drop(keep);
        settle().await;
        assert!(files(folder.path()).is_empty());

        let mut keep = Box::pin(upload(&media, b"a text").await.keep());
        let held = hold_the_disk();
        assert!(is_under_way(&mut keep).await);
        drop((keep, held));
        settle().await;
        assert!(files(folder.path()).is_empty(), "nor if it was gone before");
    });
}

/// A store that has kept the file when it says that it could not.
#[derive(Debug)]
struct Liar(Arc<AtomicBool>);

impl MediaStore for Liar {
    fn keep<'a>(&'a self, _: &'a Path, _: &'a MediaName) -> BoxFuture<'a, Result<(), MediaError>> {
        self.0.store(true, Ordering::Relaxed);
        Box::pin(async { Err(MediaError::Unavailable("the folder could not be synced".into())) })
    }

    fn open<'a>(&'a self, _: &'a MediaName) -> BoxFuture<'a, Result<Opened, MediaError>> {
        Box::pin(async { Err(MediaError::Missing) })
    }

    fn delete<'a>(&'a self, _: &'a MediaName) -> BoxFuture<'a, Result<bool, MediaError>> {
        Box::pin(async { Ok(self.0.swap(false, Ordering::Relaxed)) })
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<Listed>, MediaError>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn check(&self) -> BoxFuture<'_, Result<(), MediaError>> {
        Box::pin(async { Ok(()) })
    }
}

#[test]
fn file_that_could_not_be_kept_for_sure_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let is_there = Arc::new(AtomicBool::new(false));
        let media = Media::with_store(Liar(Arc::clone(&is_there)), folder.path().join("spool")).unwrap();
        let kept = upload(&media, b"a text").await.keep().await;
        assert!(matches!(kept, Err(MediaError::Unavailable(_))));
        settle().await;
        assert!(!is_there.load(Ordering::Relaxed));
        assert!(files(folder.path()).is_empty());
    });
}

#[test]
fn sweep_deletes_what_is_old_and_has_no_row() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let media = Media::on_disk(folder.path().join("media")).unwrap();
        let mut names = Vec::new();
        for _ in 0..3 {
            names.push(upload(&media, b"a text").await.keep().await.unwrap().noted().name);
        }
        let (named, old, new) = (names[0], names[1], names[2]);
        let now = SystemTime::now();
        for path in files(folder.path()) {
            if !path.ends_with(new.to_string()) {
                let file = fs::File::options().write(true).open(path).unwrap();
                file.set_modified(now - Duration::from_hours(7 * 24)).unwrap();
            }
        }
        let stranger = folder.path().join("media/files/readme.txt");
        fs::write(&stranger, "not ours").unwrap();
        assert_eq!(media.sweep(&HashSet::from([named]), now).await.unwrap(), 1);
        assert!(matches!(media.open(&old).await, Err(MediaError::Missing)));
        assert!(media.open(&named).await.is_ok() && media.open(&new).await.is_ok());
        assert!(
            stranger.exists(),
            "what this library did not name is not its to delete"
        );
    });
}

#[test]
fn empty_or_older_database_does_not_cost_the_files() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let media = Media::on_disk(folder.path().join("media")).unwrap();
        let mut names = Vec::new();
        for _ in 0..40 {
            names.push(upload(&media, b"a text").await.keep().await.unwrap().noted().name);
        }
        let later = SystemTime::now() + Duration::from_hours(30 * 24);
        for named in [&[][..], &names[..19]] {
            let named = named.iter().copied().collect();
            let refused = media.sweep(&named, later).await.unwrap_err().to_string();
            assert!(refused.contains("nothing is deleted"), "{refused}");
        }
        assert_eq!(files(&folder.path().join("media/files")).len(), 40);
        let named = names[..38].iter().copied().collect();
        assert_eq!(media.sweep(&named, later).await.unwrap(), 2);
    });
}
