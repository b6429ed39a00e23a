//! What every store of sessions must do, asked of each of ours.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use palisade::clock::Clock;
use palisade::session::store::{Merge, Stored, Updated};
use palisade::session::{Device, MemorySessions, SessionKey, SessionStore, Sessions, SqliteSessions};
use palisade::sqlite::Sqlite;

use crate::client::settings;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds)
}

fn stored(data: &str, until: u64) -> Stored {
    Stored {
        data: data.to_owned(),
        expires: at(until),
    }
}

fn device(user: &str) -> Device {
    Device {
        user_id: user.to_owned(),
        address: "192.0.2.7".to_owned(),
        user_agent: "Firefox".to_owned(),
    }
}

fn append(text: &'static str) -> Merge {
    Merge::new(move |current| Stored {
        data: format!("{}{text}", current.data),
        expires: current.expires,
    })
}

async fn begin(store: &dyn SessionStore, user: Option<&str>, until: u64) -> SessionKey {
    let key = SessionKey::generate();
    store
        .create(&key, stored("data", until), user.map(device), None, at(0))
        .await
        .unwrap();
    key
}

/// Everything that the trait promises.
async fn keeps_the_contract(store: &dyn SessionStore) {
    loads_what_has_not_ended(store).await;
    merges_in_one_step(store).await;
    moves_to_a_new_key(store).await;
    replaces_and_deletes(store).await;
    lists_and_ends_a_users_sessions(store).await;
    clears_what_has_ended(store).await;
}

async fn loads_what_has_not_ended(store: &dyn SessionStore) {
    let key = begin(store, None, 100).await;
    assert_eq!(store.load(&key, at(99)).await.unwrap(), Some(stored("data", 100)));
    assert_eq!(
        store.load(&key, at(100)).await.unwrap(),
        None,
        "the end is the end"
    );
    assert_eq!(store.load(&SessionKey::generate(), at(0)).await.unwrap(), None);
    let taken = store.create(&key, stored("other", 100), None, None, at(0)).await;
    assert!(taken.is_err(), "a key that is taken is an error");
    assert_eq!(store.load(&key, at(0)).await.unwrap(), Some(stored("data", 100)));
}

async fn merges_in_one_step(store: &dyn SessionStore) {
    let key = begin(store, None, 100).await;
    assert_eq!(
        store.update(&key, append("+1"), at(0)).await.unwrap(),
        Updated::Saved
    );
    let (two, three) = tokio::join!(
        store.update(&key, append("+2"), at(0)),
        store.update(&key, append("+2"), at(0))
    );
    assert_eq!((two.unwrap(), three.unwrap()), (Updated::Saved, Updated::Saved));
    assert_eq!(
        store.load(&key, at(0)).await.unwrap(),
        Some(stored("data+1+2+2", 100))
    );
    assert_eq!(
        store.update(&key, append("+late"), at(100)).await.unwrap(),
        Updated::Gone
    );
    store.delete(&key).await.unwrap();
    assert_eq!(
        store.update(&key, append("+gone"), at(0)).await.unwrap(),
        Updated::Gone
    );
    assert_eq!(
        store.load(&key, at(0)).await.unwrap(),
        None,
        "an update never brings a session back"
    );
}

async fn moves_to_a_new_key(store: &dyn SessionStore) {
    let (old, new) = (begin(store, Some("cycler"), 100).await, SessionKey::generate());
    assert_eq!(
        store.cycle(&old, &new, append("+in"), None, at(1)).await.unwrap(),
        Updated::Saved
    );
    assert_eq!(store.load(&old, at(1)).await.unwrap(), None);
    assert_eq!(
        store.load(&new, at(1)).await.unwrap(),
        Some(stored("data+in", 100))
    );
    let listed = store.list("cycler", at(1)).await.unwrap();
    assert_eq!(listed.len(), 1, "the list follows the key");
    assert_eq!((&listed[0].key, listed[0].created), (&new, at(0)));
    let third = SessionKey::generate();
    assert_eq!(
        store.cycle(&old, &third, append(""), None, at(1)).await.unwrap(),
        Updated::Gone
    );
    assert_eq!(store.load(&third, at(1)).await.unwrap(), None);
    assert_eq!(
        store
            .cycle(&new, &third, append(""), Some(device("other")), at(2))
            .await
            .unwrap(),
        Updated::Saved
    );
    assert_eq!(
        store.list("cycler", at(2)).await.unwrap(),
        [],
        "the session is another's now"
    );
    assert_eq!(store.list("other", at(2)).await.unwrap()[0].created, at(2));
    store.delete(&third).await.unwrap();
}

async fn replaces_and_deletes(store: &dyn SessionStore) {
    let (old, new) = (begin(store, Some("replaced"), 100).await, SessionKey::generate());
    store
        .create(&new, stored("new", 100), None, Some(&old), at(0))
        .await
        .unwrap();
    assert_eq!(store.load(&old, at(0)).await.unwrap(), None);
    assert_eq!(store.load(&new, at(0)).await.unwrap(), Some(stored("new", 100)));
    assert_eq!(store.list("replaced", at(0)).await.unwrap(), []);
    store.delete(&new).await.unwrap();
    store.delete(&new).await.unwrap();
}

async fn lists_and_ends_a_users_sessions(store: &dyn SessionStore) {
    let (first, second, third) = (
        begin(store, Some("7"), 100).await,
        begin(store, Some("7"), 100).await,
        begin(store, Some("7"), 5).await,
    );
    let (others, anonymous) = (begin(store, Some("77"), 100).await, begin(store, None, 100).await);
    let keys = |listed: Vec<palisade::session::Listed>| -> std::collections::HashSet<SessionKey> {
        listed.into_iter().map(|line| line.key).collect()
    };
    assert_eq!(
        keys(store.list("7", at(0)).await.unwrap()),
        [first.clone(), second.clone(), third.clone()].into()
    );
    assert_eq!(
        keys(store.list("7", at(5)).await.unwrap()),
        [first.clone(), second.clone()].into()
    );
    assert_eq!(store.list("7", at(0)).await.unwrap()[0].device, device("7"));
    assert_eq!(store.delete_others("7", Some(&first)).await.unwrap(), 2);
    assert_eq!(
        keys(store.list("7", at(0)).await.unwrap()),
        [first.clone()].into()
    );
    for kept in [&first, &others, &anonymous] {
        assert!(
            store.load(kept, at(0)).await.unwrap().is_some(),
            "only the user's others end"
        );
    }
    assert_eq!(store.delete_others("7", None).await.unwrap(), 1);
    assert!(store.load(&first, at(0)).await.unwrap().is_none());
    assert_eq!(
        store.delete_others("%", None).await.unwrap(),
        0,
        "a user is named, not matched"
    );
    for key in [others, anonymous] {
        store.delete(&key).await.unwrap();
    }
}

async fn clears_what_has_ended(store: &dyn SessionStore) {
    store.clear_expired(usize::MAX, at(10_000)).await.unwrap();
    let alive = begin(store, Some("cleared"), 1000).await;
    for _ in 0..5 {
        begin(store, Some("cleared"), 10).await;
    }
    assert_eq!(
        store.clear_expired(3, at(500)).await.unwrap(),
        3,
        "at most so many"
    );
    assert_eq!(store.clear_expired(3, at(500)).await.unwrap(), 2);
    assert_eq!(store.clear_expired(3, at(500)).await.unwrap(), 0);
    assert!(store.load(&alive, at(500)).await.unwrap().is_some());
    assert_eq!(store.list("cleared", at(0)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn memory_keeps_the_contract() {
    keeps_the_contract(&MemorySessions::new()).await;
}

#[tokio::test]
async fn sqlite_keeps_the_contract() {
    keeps_the_contract(&SqliteSessions::new(Sqlite::in_memory().unwrap()).unwrap()).await;
}

#[tokio::test]
async fn five_thousand_ended_sessions_are_cleared_in_batches_and_the_living_stay() {
    let database = Sqlite::in_memory().unwrap();
    let store = SqliteSessions::new(database.clone()).unwrap();
    database
        .write(|writer| {
            writer.execute(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5100)
                 INSERT INTO django_session SELECT printf('ended%027d', i), 'data', '2001-01-01 00:00:00' FROM n",
                [],
            )
        })
        .await
        .unwrap();
    let alive = begin(&store, None, 100).await;
    let sessions = Sessions::new(store.clone(), &settings(), Clock::fixed(at(0)));
    assert_eq!(sessions.clear_expired().await.unwrap(), 5100);
    assert_eq!(sessions.clear_expired().await.unwrap(), 0);
    assert!(store.load(&alive, at(0)).await.unwrap().is_some());
}
