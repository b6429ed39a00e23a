//! What somebody with an account on the machine tries against sessions in files, and what a crash leaves there.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use palisade::session::{FileSessions, SessionKey, SessionStore};
use palisade_core::token::{Alphabet, random_string};

use crate::client::settings;
use crate::kept::{HOUR, device, stored};

fn session_file(folder: &Path, key: &SessionKey) -> PathBuf {
    folder.join(format!("{}{}", settings().session_cookie_name, key.expose()))
}

#[tokio::test]
async fn a_file_that_cannot_be_read_keeps_nobody_from_ending_their_other_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileSessions::new(folder.path(), &settings()).unwrap();
    let now = SystemTime::now();
    let (mine, stolen, ended) = (
        SessionKey::generate(),
        SessionKey::generate(),
        SessionKey::generate(),
    );
    for key in [&mine, &stolen] {
        store
            .create(key, stored("{}", now + HOUR), Some(device("7")), None, now)
            .await
            .unwrap();
    }
    store
        .create(&ended, stored("{}", now - HOUR), None, None, now)
        .await
        .unwrap();
    // A disk that was full, a backup of another user's, a crash: one file of somebody is not text.
    let name = format!(
        "{}{}",
        settings().session_cookie_name,
        SessionKey::generate().expose()
    );
    fs::write(folder.path().join(name), b"\xff\xfe\x00").unwrap();
    let listed = store.list("7", now).await.map(|listed| listed.len());
    let others = store.delete_others("7", Some(&mine)).await;
    let cleared = store.clear_expired(100, now).await;
    let told = format!("{listed:?} {others:?} {cleared:?}");
    assert!(
        matches!((&listed, &others, &cleared), (Ok(2), Ok(1), Ok(1))),
        "{told}"
    );
    assert!(
        store.load(&stolen, now).await.unwrap().is_none(),
        "the stolen session lives on: {told}"
    );
}

/// The attack, by somebody with an account on the machine, where the folder is Django's default, `/tmp`: a pipe that is called as
/// a session, and the cookie of that name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipe_in_the_folder_takes_no_thread_and_stops_no_cleaning() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileSessions::new(folder.path(), &settings()).unwrap();
    let (key, now) = (SessionKey::generate(), SystemTime::now());
    let pipe = session_file(folder.path(), &key);
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let load = tokio::time::timeout(Duration::from_secs(2), store.load(&key, now)).await;
    let clear = tokio::time::timeout(Duration::from_secs(2), store.clear_expired(1, now)).await;
    let other = SessionKey::generate();
    let write = tokio::time::timeout(
        Duration::from_secs(2),
        store.create(&other, stored("{}", now + HOUR), None, None, now),
    )
    .await;
    let verdict = (load.is_err(), clear.is_err(), write.is_err());
    // Let the threads go, or the test's runtime would wait for them for ever.
    for _ in 0..1000 {
        let mut options = fs::OpenOptions::new();
        // O_NONBLOCK: an error, where nobody reads.
        std::os::unix::fs::OpenOptionsExt::custom_flags(options.write(true), 0o4000);
        drop(options.open(&pipe));
        tokio::task::yield_now().await;
    }
    assert_eq!(
        verdict,
        (false, false, false),
        "hang: a look-up, the cleaning, and then every write of everybody"
    );
}

/// One change waits for the folder's lock, which another process has, and a logout for that change.
#[tokio::test]
async fn a_logout_that_waits_for_its_turn_is_done_though_the_client_hung_up() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileSessions::new(folder.path(), &settings()).unwrap();
    let (key, first, now) = (SessionKey::generate(), SessionKey::generate(), SystemTime::now());
    store
        .create(&key, stored("{}", now + HOUR), None, None, now)
        .await
        .unwrap();
    let other = fs::File::open(folder.path().join(".palisade-sessions.lock")).unwrap();
    other.lock().unwrap();
    let waiting = tokio::spawn({
        let store = store.clone();
        async move {
            store
                .create(&first, stored("{}", now + HOUR), None, None, now)
                .await
        }
    });
    tokio::task::yield_now().await;
    assert!(store.delete(&key).now_or_never().is_none());
    other.unlock().unwrap();
    waiting.await.unwrap().unwrap();
    let gone = async {
        while store.load(&key, now).await.unwrap().is_some() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone)
        .await
        .expect("the session is there for as long as it lives");
}

#[tokio::test]
async fn what_is_called_as_a_session_and_is_no_file_of_a_sessions_length_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileSessions::new(folder.path(), &settings()).unwrap();
    let now = SystemTime::now();
    let [real, link, large] = [(); 3].map(|()| SessionKey::generate());
    store
        .create(&real, stored("{}", now + HOUR), None, None, now)
        .await
        .unwrap();
    assert!(store.load(&real, now).await.unwrap().is_some());
    symlink(
        session_file(folder.path(), &real),
        session_file(folder.path(), &link),
    )
    .unwrap();
    let file = fs::File::create(session_file(folder.path(), &large)).unwrap();
    file.set_len(1 << 40).unwrap();
    for (key, what) in [(&link, "a link"), (&large, "a terabyte")] {
        assert!(store.load(key, now).await.is_err(), "{what}");
    }
    let long = stored(
        &format!(r#"{{"text":"{}"}}"#, random_string(2_000_000, Alphabet::Base62)),
        now + HOUR,
    );
    let written = store.create(&SessionKey::generate(), long, None, None, now).await;
    assert!(written.is_err(), "it could not be read again");
}

#[test]
fn a_lock_that_is_a_link_or_a_pipe_is_refused() {
    for pipe in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let (lock, target) = (
            folder.path().join(".palisade-sessions.lock"),
            folder.path().join("target"),
        );
        if pipe {
            assert!(Command::new("mkfifo").arg(&lock).status().unwrap().success());
        } else {
            symlink(&target, &lock).unwrap();
        }
        assert!(FileSessions::new(folder.path(), &settings()).is_err());
        assert!(!target.exists(), "a file was made where the link points to");
    }
}

/// The attack: somebody with an account on the machine puts files, links and pipes where sessions are kept.
#[test]
fn a_folder_that_others_may_write_into_is_refused_and_the_error_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    for (mode, is_taken) in [
        (0o700, true),
        (0o755, true),
        (0o770, false),
        (0o702, false),
        (0o1777, false),
    ] {
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
        let opened = FileSessions::new(folder.path(), &settings());
        assert_eq!(opened.is_ok(), is_taken, "{mode:o}");
        if let Err(error) = opened {
            let told = error.to_string();
            assert!(
                told.contains("chmod 700") && told.contains(&format!("{mode:o}")),
                "{told}"
            );
        }
        FileSessions::dangerous_in_shared_folder(folder.path(), &settings()).unwrap();
    }
}
