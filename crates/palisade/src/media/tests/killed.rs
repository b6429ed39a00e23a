//! Processes that take uploads and are killed: real ones, of this test's own program.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use bytes::Bytes;

use super::super::spool::Spool;
use super::super::upload::{Incoming, Takes};
use super::{TEXTS, files, hold_the_disk, is_under_way, runtime, settle};
use crate::media::Media;

/// Tells the process of its own where to work.
const FOLDER: &str = "PALISADE_TEST_UPLOADS_IN";

/// A process that has half an upload, and will never have more of it.
struct Uploading(Child);

impl Uploading {
    /// Starts it with this test of this program, and waits until it has said so; gives what it said.
    fn start(test: &str, folder: &Path) -> (Self, String) {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture"])
            .env(FOLDER, folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let process = Self(child);
        let said = lines
            .map(Result::unwrap)
            .find_map(|line| line.split_once("half of it: ").map(|(_, said)| said.to_owned()));
        (process, said.unwrap())
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Uploading {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the process of its own does: it writes this many pieces, says so, and waits for its end.
fn upload_half(folder: &Path, pieces: usize) {
    runtime().block_on(async {
        let media = Media::on_disk(folder).unwrap();
        let takes = Takes {
            max_size: u64::MAX,
            ..TEXTS
        };
        let mut incoming = Incoming::begin(&media, "a.txt".into(), takes).await.unwrap();
        for _ in 0..pieces {
            incoming.write(Bytes::from(vec![b'a'; 64 * 1024])).await.unwrap();
        }
        println!("half of it: {}", most_memory());
        let _ = std::io::stdin().read_line(&mut String::new());
        drop(incoming);
    });
}

/// The most memory that this process has held, in KiB.
fn most_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.unwrap()
        .trim()
        .trim_end_matches("kB")
        .trim()
        .parse()
        .unwrap()
}

#[test]
fn what_a_killed_process_had_of_an_upload_is_gone_at_the_next_start() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return upload_half(folder.as_ref(), 3);
    }
    let folder = tempfile::tempdir().unwrap();
    let media = folder.path().join("media");
    let test = "media::tests::killed::what_a_killed_process_had_of_an_upload_is_gone_at_the_next_start";
    let (killed, _) = Uploading::start(test, &media);
    let (living, _) = Uploading::start(test, &media);
    assert_eq!(files(&media).len(), 2);
    killed.kill();
    assert_eq!(files(&media).len(), 2, "nobody cleans up after kill -9");
    let again = Media::on_disk(&media).unwrap();
    let left = files(&media);
    assert_eq!(left.len(), 1, "what the living process writes stays");
    assert_eq!(left[0].metadata().unwrap().len(), 3 * 64 * 1024);
    living.kill();
    drop(again);
    let _last = Media::on_disk(&media).unwrap();
    assert!(files(&media).is_empty());
}

#[test]
fn memory_does_not_grow_with_the_file() {
    const PIECES: usize = 3200;
    if let Some(folder) = std::env::var_os(FOLDER) {
        return upload_half(folder.as_ref(), PIECES);
    }
    let folder = tempfile::tempdir().unwrap();
    let media = folder.path().join("media");
    let (process, said) =
        Uploading::start("media::tests::killed::memory_does_not_grow_with_the_file", &media);
    assert_eq!(files(&media)[0].metadata().unwrap().len(), 200 * 1024 * 1024);
    let kib: u64 = said.parse().unwrap();
    assert!(kib < 100 * 1024, "200 MiB were written, and {kib} KiB held");
    process.kill();
}

#[test]
fn bytes_that_wait_are_counted_until_they_are_let_go_of() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let spool = Spool::open(&folder.path().join("spool"), 1000).unwrap();
        for round in 0..20_u8 {
            let spooling = spool.begin().await.unwrap();
            let spooling = spooling.write(vec![round; 900].into()).await.unwrap();
            if round % 2 == 0 {
                assert!(spooling.write(vec![round; 101].into()).await.is_err());
            } else if round % 3 == 0 {
                drop(spooling.finish());
            } else {
                // Written and never waited for: the client has hung up.
                let mut write = Box::pin(spooling.write(vec![round; 100].into()));
                let held = hold_the_disk();
                assert!(is_under_way(&mut write).await);
                drop((write, held));
                settle().await;
            }
            assert!(files(folder.path()).is_empty(), "round {round}");
        }
    });
}
