//! Changes at the same time are all made, and none is made to a session that is gone.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::{Contract, near};
use crate::promise::{Broken, answered, broken, same};
use crate::session::store::{Merge, StoreError, Stored, Updated};

pub(super) async fn check(contract: &Contract) -> Result<(), Broken> {
    merges(contract).await?;
    keeps_changes_to_different_keys(contract).await?;
    moves_the_end(contract).await?;
    changes_nothing_that_is_gone(contract).await?;
    loses_no_logout(contract).await
}

async fn merges(contract: &Contract) -> Result<(), Broken> {
    let promise = "an update merges into what the store holds";
    let key = contract.begin(None, 300).await?;
    let updated = contract.store.update(
        &key,
        contract.merge("number", |number| number + 41),
        contract.at(0),
    );
    same(promise, &answered(promise, updated.await)?, &Updated::Saved)?;
    same(
        promise,
        &contract.number(promise, &key, "number", 0).await?,
        &Some(42),
    )
}

const NAMES: [&str; 16] = [
    "ant", "bee", "cat", "dog", "eel", "fox", "gnu", "hen", "ibis", "jay", "kite", "lark", "mole", "newt",
    "owl", "pig",
];

async fn keeps_changes_to_different_keys(contract: &Contract) -> Result<(), Broken> {
    let promise = "requests that change different keys at the same time all keep theirs";
    let key = contract.begin(None, 300).await?;
    let mut tasks = JoinSet::new();
    for name in NAMES {
        let (store, key, now) = (Arc::clone(&contract.store), key.clone(), contract.at(0));
        let merge = contract.merge(name, |_| 7);
        tasks.spawn(async move { store.update(&key, merge, now).await });
    }
    all_saved(promise, tasks).await?;
    for name in NAMES {
        let found = contract.number(promise, &key, name, 0).await?;
        if found != Some(7) {
            return Err(broken(promise, format_args!("the change to {name:?} is lost")));
        }
    }
    same(
        promise,
        &contract.number(promise, &key, "number", 0).await?,
        &Some(1),
    )
}

async fn all_saved(promise: &str, mut tasks: JoinSet<Result<Updated, StoreError>>) -> Result<(), Broken> {
    while let Some(task) = tasks.join_next().await {
        let updated = task.map_err(|error| broken(promise, error))?;
        same(promise, &answered(promise, updated)?, &Updated::Saved)?;
    }
    Ok(())
}

async fn moves_the_end(contract: &Contract) -> Result<(), Broken> {
    let promise = "an update moves the session's end, later or earlier";
    let key = contract.begin(None, 300).await?;
    for ends in [900, 200] {
        let expires = contract.at(ends);
        let merge = Merge::new(move |current| Stored {
            expires,
            ..current.clone()
        });
        let updated = contract.store.update(&key, merge, contract.at(0)).await;
        same(promise, &answered(promise, updated)?, &Updated::Saved)?;
        let found = answered(promise, contract.store.load(&key, contract.at(ends - 2)).await)?;
        let found = found.ok_or_else(|| broken(promise, "it ended too early"))?;
        same(promise, &near(found.expires, expires), &true)?;
        let late = contract.number(promise, &key, "number", ends + 2).await?;
        same(promise, &late, &None)?;
    }
    Ok(())
}

async fn changes_nothing_that_is_gone(contract: &Contract) -> Result<(), Broken> {
    let promise = "an update of a session that has ended answers that it is gone";
    let key = contract.begin(None, 120).await?;
    let late = contract
        .store
        .update(&key, contract.merge("number", |_| 2), contract.at(122));
    same(promise, &answered(promise, late.await)?, &Updated::Gone)?;

    let promise =
        "an update of a session that was deleted meanwhile answers that it is gone, and brings nothing back";
    let key = contract.begin(None, 300).await?;
    answered(promise, contract.store.delete(&key).await)?;
    let updated = contract
        .store
        .update(&key, contract.merge("number", |_| 2), contract.at(0));
    same(promise, &answered(promise, updated.await)?, &Updated::Gone)?;
    same(
        promise,
        &contract.number(promise, &key, "number", 0).await?,
        &None,
    )
}

/// Deletes sessions in the midst of updates.
async fn loses_no_logout(contract: &Contract) -> Result<(), Broken> {
    let promise = "a logout during other requests of the session holds: none of them brings it back";
    for _ in 0..8 {
        let key = contract.begin(None, 300).await?;
        let mut tasks = JoinSet::new();
        for turn in 0..8 {
            let (store, key, now) = (Arc::clone(&contract.store), key.clone(), contract.at(0));
            let merge = contract.merge("number", |number| number + 1);
            tasks.spawn(async move {
                if turn == 4 {
                    store.delete(&key).await
                } else {
                    store.update(&key, merge, now).await.map(drop)
                }
            });
        }
        while let Some(task) = tasks.join_next().await {
            answered(promise, task.map_err(|error| broken(promise, error))?)?;
        }
        same(
            promise,
            &contract.number(promise, &key, "number", 0).await?,
            &None,
        )?;
    }
    Ok(())
}

pub(super) async fn count(contract: &Contract, updates: usize) -> Result<(), Broken> {
    let promise = "a number to which many requests add one at the same time ends as their count";
    let key = contract.begin(None, 300).await?;
    let mut tasks = JoinSet::new();
    for _ in 0..updates {
        let (store, key, now) = (Arc::clone(&contract.store), key.clone(), contract.at(0));
        let merge = contract.merge("counted", |number| number + 1);
        tasks.spawn(async move { store.update(&key, merge, now).await });
    }
    all_saved(promise, tasks).await?;
    let counted = contract.number(promise, &key, "counted", 0).await?;
    same(promise, &counted, &u64::try_from(updates).ok())
}
