//! A server that goes away in the midst of requests: errors while it is down, and afterwards the truth.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};

use super::{Contract, PATIENCE, device};
use crate::promise::{Broken, answered, broken, ensure, same, stranger};
use crate::session::key::SessionKey;
use crate::session::store::{StoreError, Updated};

/// What the store's server is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// Stopped, at once.
    Down,
    /// Running and answering, with the data it had.
    Up,
}

/// How many requests change the session when the server goes away.
const WRITERS: usize = 8;

/// How many changes are acknowledged before the server goes away.
const BEFORE: usize = 40;

pub(super) async fn check(contract: &Contract, mut turn: impl AsyncFnMut(Server)) -> Result<(), Broken> {
    let user = stranger();
    let (kept, left) = (
        contract.begin(Some(&user), 3000).await?,
        contract.begin(Some(&user), 3000).await?,
    );
    let promise = "a session can be deleted";
    answered(promise, contract.store.delete(&left).await)?;

    let (mut counted, mut writers) = write_until_it_fails(contract, &kept);
    for _ in 0..BEFORE {
        counted.recv().await;
    }
    turn(Server::Down).await;
    let acknowledged = finish(&mut writers).await?;
    says_that_it_is_down(contract, &kept, &user).await?;
    turn(Server::Up).await;
    recovers(contract, &kept).await?;

    let promise = "after an outage every change that was acknowledged is there, and none twice";
    let mut found = Vec::new();
    for writer in WRITER_NAMES {
        found.push(
            contract
                .number(promise, &kept, writer, 0)
                .await?
                .unwrap_or_default(),
        );
    }
    for (found, acknowledged) in found.iter().zip(&acknowledged) {
        // The last change of each may have been made and its answer lost with the server.
        ensure(
            promise,
            (*acknowledged..=acknowledged + 1).contains(found),
            format_args!("{found} changes are there, {acknowledged} were acknowledged"),
        )?;
    }
    let promise = "an outage brings back no session that was deleted before";
    same(
        promise,
        &contract.number(promise, &left, "number", 0).await?,
        &None,
    )?;
    let promise = "after an outage a user's sessions are listed as before";
    ensure(
        promise,
        contract.list(&user, 0).await?.iter().any(|line| line.key == kept),
        "the session is not listed",
    )?;
    let promise = "after an outage a session can be deleted";
    answered(promise, contract.store.delete(&kept).await)?;
    same(
        promise,
        &contract.number(promise, &kept, "number", 0).await?,
        &None,
    )
}

const WRITER_NAMES: [&str; WRITERS] = ["ant", "bee", "cat", "dog", "eel", "fox", "gnu", "hen"];

/// What a writer was told: how many changes are made, and then an error.
type Writers = JoinSet<Result<(usize, u64), Broken>>;

fn write_until_it_fails(contract: &Contract, key: &SessionKey) -> (mpsc::UnboundedReceiver<()>, Writers) {
    let promise = "a change at the time of an outage is made, or answered with an error";
    let (count, counted) = mpsc::unbounded_channel();
    let mut writers = JoinSet::new();
    for (writer, name) in WRITER_NAMES.into_iter().enumerate() {
        let (store, key, now) = (Arc::clone(&contract.store), key.clone(), contract.at(0));
        let merge = contract.merge(name, |number| number + 1);
        let count = count.clone();
        writers.spawn(async move {
            let mut acknowledged = 0;
            loop {
                match in_time(promise, store.update(&key, merge.clone(), now)).await? {
                    Ok(Updated::Saved) => acknowledged += 1,
                    Ok(Updated::Gone) => return Err(broken(promise, "the session was said to be gone")),
                    Err(_) => return Ok((writer, acknowledged)),
                }
                // Nobody counts any more once enough are made.
                let _ = count.send(());
                tokio::task::yield_now().await;
            }
        });
    }
    (counted, writers)
}

async fn finish(writers: &mut Writers) -> Result<[u64; WRITERS], Broken> {
    let promise = "while its server is down, a store answers every change with an error";
    let mut acknowledged = [0; WRITERS];
    let all = async {
        while let Some(done) = writers.join_next().await {
            let (writer, made) = done.map_err(|error| broken(promise, error))??;
            if let Some(count) = acknowledged.get_mut(writer) {
                *count = made;
            }
        }
        Ok(())
    };
    timeout(PATIENCE, all)
        .await
        .map_err(|_| broken(promise, "changes went on being acknowledged"))??;
    Ok(acknowledged)
}

async fn says_that_it_is_down(contract: &Contract, key: &SessionKey, user: &str) -> Result<(), Broken> {
    let (store, now) = (&contract.store, contract.at(0));
    let (new, stored) = (SessionKey::generate(), contract.stored("number", 1, 3000));
    let merge = || contract.merge("number", |number| number + 1);
    refused("a read", store.load(key, now)).await?;
    refused("an update", store.update(key, merge(), now)).await?;
    refused("a move", store.cycle(key, &new, merge(), None, now)).await?;
    refused(
        "a new session",
        store.create(&new, stored, Some(device(user)), None, now),
    )
    .await?;
    refused("a deletion", store.delete(key)).await?;
    refused("a list", store.list(user, now)).await?;
    refused("the end of others", store.delete_others(user, Some(key))).await
}

async fn refused<T>(what: &str, answer: impl Future<Output = Result<T, StoreError>>) -> Result<(), Broken> {
    let promise = "while its server is down, a store answers with an error, never with an empty session";
    ensure(
        promise,
        in_time(promise, answer).await?.is_err(),
        format_args!("{what} was answered"),
    )
}

async fn in_time<T>(promise: &str, answer: impl Future<Output = T>) -> Result<T, Broken> {
    timeout(PATIENCE, answer)
        .await
        .map_err(|_| broken(promise, format_args!("there was no answer within {PATIENCE:?}")))
}

/// Asks until the store answers, as the next requests would.
async fn recovers(contract: &Contract, key: &SessionKey) -> Result<(), Broken> {
    let promise = "a store answers again, without being made anew, when its server does, and has the session";
    let mut tries = interval(Duration::from_millis(50));
    let again = async {
        loop {
            if let Ok(found) = contract.store.load(key, contract.at(0)).await {
                return found.is_some();
            }
            tries.tick().await;
        }
    };
    let found = in_time(promise, again).await?;
    ensure(promise, found, "it answers, but the session is lost")
}
