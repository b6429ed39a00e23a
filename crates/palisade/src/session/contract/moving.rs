//! A session that moves to a new key is under one of the two, never under both or none.

use super::{Contract, device, near};
use crate::promise::{Broken, answered, ensure, same, stranger};
use crate::session::key::SessionKey;
use crate::session::store::Updated;

pub(super) async fn check(contract: &Contract) -> Result<(), Broken> {
    moves(contract).await?;
    changes_hands(contract).await?;
    moves_nothing_that_is_gone(contract).await?;
    stays_where_it_was_when_the_move_fails(contract).await?;
    moves_once(contract).await
}

async fn moves(contract: &Contract) -> Result<(), Broken> {
    let promise = "a session that moves to a new key takes its data along, merged, and leaves nothing behind";
    let user = stranger();
    let (old, new) = (contract.begin(Some(&user), 300).await?, SessionKey::generate());
    let merge = contract.merge("number", |number| number + 1);
    let cycled = contract
        .store
        .cycle(&old, &new, merge, None, contract.at(9))
        .await;
    same(promise, &answered(promise, cycled)?, &Updated::Saved)?;
    same(
        promise,
        &contract.number(promise, &old, "number", 9).await?,
        &None,
    )?;
    same(
        promise,
        &contract.number(promise, &new, "number", 9).await?,
        &Some(2),
    )?;

    let promise = "the list of a user's sessions follows a session to its new key";
    let listed = contract.list(&user, 9).await?;
    let [line] = listed.as_slice() else {
        return Err(super::broken(
            promise,
            format_args!("{} are listed", listed.len()),
        ));
    };
    ensure(promise, line.key == new, "another key is listed")?;
    same(promise, &line.device, &device(&user))?;
    ensure(
        promise,
        near(line.created, contract.at(0)),
        "it is listed as newly begun",
    )
}

async fn changes_hands(contract: &Contract) -> Result<(), Broken> {
    let promise = "a session that moves at a login is listed as that user's, begun at the login";
    let (before, after) = (stranger(), stranger());
    for first in [None, Some(before.as_str())] {
        let (old, new) = (contract.begin(first, 300).await?, SessionKey::generate());
        let merge = contract.merge("number", |number| number);
        let cycled = contract
            .store
            .cycle(&old, &new, merge, Some(device(&after)), contract.at(9));
        same(promise, &answered(promise, cycled.await)?, &Updated::Saved)?;
        same(promise, &contract.list(&before, 9).await?.len(), &0)?;
        let listed = contract.list(&after, 9).await?;
        let line = listed.iter().find(|line| line.key == new);
        ensure(
            promise,
            line.is_some_and(|line| near(line.created, contract.at(9))),
            "it is not listed so",
        )?;
    }
    Ok(())
}

async fn moves_nothing_that_is_gone(contract: &Contract) -> Result<(), Broken> {
    let promise = "a session that is gone or has ended does not move";
    let deleted = contract.begin(None, 300).await?;
    answered(promise, contract.store.delete(&deleted).await)?;
    let ended = contract.begin(None, 120).await?;
    for gone in [deleted, ended, SessionKey::generate()] {
        let new = SessionKey::generate();
        let merge = contract.merge("number", |number| number);
        let cycled = contract
            .store
            .cycle(&gone, &new, merge, Some(device(&stranger())), contract.at(122));
        same(promise, &answered(promise, cycled.await)?, &Updated::Gone)?;
        same(
            promise,
            &contract.number(promise, &new, "number", 0).await?,
            &None,
        )?;
    }
    Ok(())
}

async fn stays_where_it_was_when_the_move_fails(contract: &Contract) -> Result<(), Broken> {
    let promise = "a session whose move fails stays as it was under its old key";
    let user = stranger();
    let (old, taken) = (
        contract.begin(Some(&user), 300).await?,
        contract.begin(None, 300).await?,
    );
    let merge = contract.merge("number", |_| 2);
    let cycled = contract
        .store
        .cycle(&old, &taken, merge, Some(device(&stranger())), contract.at(0));
    ensure(
        promise,
        cycled.await.is_err(),
        "it moved onto a key that was taken",
    )?;
    for key in [&old, &taken] {
        same(
            promise,
            &contract.number(promise, key, "number", 0).await?,
            &Some(1),
        )?;
    }
    let listed = contract.list(&user, 0).await?;
    ensure(
        promise,
        listed.iter().any(|line| line.key == old),
        "the list has lost it",
    )
}

async fn moves_once(contract: &Contract) -> Result<(), Broken> {
    let promise = "of several requests that move a session at the same time, one does";
    let old = contract.begin(None, 300).await?;
    let keys: Vec<SessionKey> = (0..4).map(|_| SessionKey::generate()).collect();
    let moves = keys.iter().map(|new| {
        let merge = contract.merge("number", |number| number);
        contract.store.cycle(&old, new, merge, None, contract.at(0))
    });
    let mut moved = 0;
    for cycled in futures_util::future::join_all(moves).await {
        moved += usize::from(answered(promise, cycled)? == Updated::Saved);
    }
    let mut there = 0;
    for key in &keys {
        there += usize::from(contract.number(promise, key, "number", 0).await?.is_some());
    }
    same(promise, &(moved, there), &(1, 1))
}
