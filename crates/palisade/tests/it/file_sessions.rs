//! Sessions in Django's files: the contract, and what a folder of files has of its own.

use std::fs;
use std::time::SystemTime;

use palisade::session::contract::Contract;
use palisade::session::store::{Merge, Stored, Updated};
use palisade::session::{FileSessions, SessionKey, SessionStore};

use crate::client::settings;
use crate::kept::{HOUR, codec, stored};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn files_keep_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileSessions::new(folder.path(), &settings()).unwrap();
    let contract = Contract::of(store).with_codec(codec());
    contract.holds().await;
    contract.counts_exactly(2_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_wait_for_each_other_at_the_folders_lock() {
    let folder = tempfile::tempdir().unwrap();
    let stores = [(); 2].map(|()| FileSessions::new(folder.path(), &settings()).unwrap());
    let (key, now) = (SessionKey::generate(), SystemTime::now());
    stores[0]
        .create(&key, stored("{}", now + HOUR), None, None, now)
        .await
        .unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for turn in 0..200 {
        let (store, key) = (stores[turn % 2].clone(), key.clone());
        let merge = Merge::new(|current| {
            let mut data = codec().decode(&current.data).unwrap();
            let n: u32 = data.get("n").and_then(Result::ok).unwrap_or_default();
            data.insert("n", &(n + 1)).unwrap();
            Stored {
                data: codec().encode(&data, current.expires),
                expires: current.expires,
            }
        });
        tasks.spawn(async move { store.update(&key, merge, now).await.unwrap() });
    }
    while let Some(updated) = tasks.join_next().await {
        assert_eq!(updated.unwrap(), Updated::Saved);
    }
    let found = stores[1].load(&key, now).await.unwrap().unwrap();
    let data = codec().decode(&found.data).unwrap();
    assert_eq!(data.get::<u32>("n").unwrap().unwrap(), 200);
}

#[tokio::test]
async fn a_session_file_is_named_as_djangos_and_read_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let store = FileSessions::new(folder.path(), &settings()).unwrap();
    let (key, now) = (SessionKey::generate(), SystemTime::now());
    store
        .create(&key, stored(r#"{"n":1}"#, now + HOUR), None, None, now)
        .await
        .unwrap();
    let file = folder
        .path()
        .join(format!("{}{}", settings().session_cookie_name, key.expose()));
    assert_eq!(
        codec()
            .decode(&fs::read_to_string(&file).unwrap())
            .unwrap()
            .to_json()
            .as_str(),
        r#"{"n":1}"#
    );
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    // The moment between Django's making a file and its filling it.
    fs::write(&file, "").unwrap();
    assert_eq!(store.load(&key, now).await.unwrap(), None);
}

#[tokio::test]
async fn a_folder_that_is_gone_is_an_error_and_not_an_empty_session() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileSessions::new(folder.path(), &settings()).unwrap();
    let (key, now) = (SessionKey::generate(), SystemTime::now());
    let file = folder
        .path()
        .join(format!("{}{}", settings().session_cookie_name, key.expose()));
    fs::create_dir(&file).unwrap();
    assert!(store.load(&key, now).await.is_err());
    let nowhere = FileSessions::new(folder.path().join("nowhere"), &settings()).unwrap_err();
    assert!(nowhere.to_string().contains("make the folder"), "{nowhere}");
}
