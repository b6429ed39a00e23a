//! Each of our stores is held to the contract of stores, and the contract to finding what breaks it.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::FutureExt;
use palisade::clock::Clock;
use palisade::session::contract::{Contract, Server};
use palisade::session::store::{Stored, Updated};
use palisade::session::{MemorySessions, SessionKey, SessionStore, Sessions, SqliteSessions};
use palisade::sqlite::Sqlite;

use crate::client::settings;
use crate::faulty::{Fault, Faulty};
use crate::flaky::Flaky;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds)
}

fn sqlite() -> SqliteSessions {
    SqliteSessions::new(Sqlite::in_memory().unwrap()).unwrap()
}

async fn begin(store: &dyn SessionStore, until: u64) -> SessionKey {
    let key = SessionKey::generate();
    let stored = Stored {
        data: "data".to_owned(),
        expires: at(until),
    };
    store.create(&key, stored, None, None, at(0)).await.unwrap();
    key
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_keeps_the_contract() {
    let contract = Contract::of(MemorySessions::new());
    contract.holds().await;
    contract.counts_exactly(10_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite_keeps_the_contract() {
    let contract = Contract::of(sqlite());
    contract.holds().await;
    contract.counts_exactly(10_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_that_says_it_is_down_keeps_the_contract_in_an_outage() {
    let store = Flaky::default();
    let switch = store.clone();
    Contract::of(store)
        .survives_outage(async |server| switch.set_down(server == Server::Down))
        .await;
}

/// What the contract says to a store with one fault.
async fn verdict(fault: Fault) -> String {
    let checked = async move {
        let store = Faulty::new(fault);
        let switch = store.clone();
        let contract = Contract::of(store);
        contract.holds().await;
        contract.counts_exactly(100).await;
        contract
            .survives_outage(async |server| switch.set_down(server == Server::Down))
            .await;
    };
    let checked = AssertUnwindSafe(checked).catch_unwind().await;
    let panic = checked.expect_err("the fault was not found");
    panic.downcast_ref::<String>().unwrap().clone()
}

// On one thread the tasks of the suite take turns in a fixed order: every fault shows each time.
#[tokio::test]
async fn a_store_that_breaks_the_contract_is_told_which_promise_it_breaks() {
    for (fault, promise) in [
        (
            Fault::LosesUpdates,
            "requests that change different keys at the same time all keep theirs",
        ),
        (
            Fault::UpdatesInsert,
            "an update of a session that was deleted meanwhile answers that it is gone",
        ),
        (
            Fault::KeepsTheOldKey,
            "a session that moves to a new key takes its data along, merged, and leaves nothing behind",
        ),
        (
            Fault::DestroysBeforeItMoves,
            "a session whose move fails stays as it was under its old key",
        ),
        (
            Fault::NeverEnds,
            "a session is there until it ends, and not afterwards",
        ),
        (
            Fault::ForgetsTheReplaced,
            "a new session that replaces another ends that one in the same step",
        ),
        (
            Fault::StopsWhenNobodyWaits,
            "a session whose deletion nobody waits for is gone",
        ),
        (
            Fault::ClearsWithoutBound,
            "ended sessions are cleared at most so many at a time",
        ),
        (
            Fault::IsEmptyWhenDown,
            "while its server is down, a store answers with an error, never with an empty session",
        ),
        (
            Fault::IsGoneWhenDown,
            "a change at the time of an outage is made, or answered with an error",
        ),
        (
            Fault::AcknowledgesWhenDown,
            "after an outage every change that was acknowledged is there, and none twice",
        ),
    ] {
        let verdict = verdict(fault).await;
        assert!(
            verdict.starts_with(&format!("the store breaks its contract: {promise}")),
            "{fault:?}: {verdict}"
        );
    }
}

/// The contract allows a second of imprecision; these have none.
#[tokio::test]
async fn memory_and_sqlite_end_a_session_to_the_microsecond() {
    let stores: [Box<dyn SessionStore>; 2] = [Box::new(MemorySessions::new()), Box::new(sqlite())];
    for store in stores {
        let key = begin(&*store, 100).await;
        let last = at(100) - Duration::from_micros(1);
        assert!(store.load(&key, last).await.unwrap().is_some());
        assert!(
            store.load(&key, at(100)).await.unwrap().is_none(),
            "the end is the end"
        );
        let late = palisade::session::store::Merge::new(Stored::clone);
        assert_eq!(store.update(&key, late, at(100)).await.unwrap(), Updated::Gone);
    }
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
    let alive = begin(&store, 100).await;

    let sessions = Sessions::new(store.clone(), &settings(), Clock::fixed(at(0)));
    assert_eq!(sessions.clear_expired().await.unwrap(), 5100);
    assert_eq!(sessions.clear_expired().await.unwrap(), 0);
    assert!(store.load(&alive, at(0)).await.unwrap().is_some());
}
