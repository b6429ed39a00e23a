//! A user's sessions are listed and ended, and ended sessions are cleared a batch at a time.

use super::{Contract, device, near};
use crate::promise::{Broken, answered, ensure, same, stranger};
use crate::session::key::SessionKey;
use crate::session::store::Listed;

pub(super) async fn check(contract: &Contract) -> Result<(), Broken> {
    lists(contract).await?;
    lists_newest_first(contract).await?;
    ends_a_users_other_sessions(contract).await?;
    clears_what_has_ended(contract).await
}

fn has(listed: &[Listed], key: &SessionKey) -> bool {
    listed.iter().any(|line| line.key == *key)
}

async fn lists(contract: &Contract) -> Result<(), Broken> {
    let promise =
        "a user's sessions that have not ended are listed, with device and times, and nobody else's";
    let (user, other) = (stranger(), stranger());
    let mine = [
        contract.begin(Some(&user), 300).await?,
        contract.begin(Some(&user), 300).await?,
    ];
    let short = contract.begin(Some(&user), 120).await?;
    contract.begin(Some(&other), 300).await?;
    contract.begin(None, 300).await?;
    let listed = contract.list(&user, 118).await?;
    same(promise, &listed.len(), &3)?;
    ensure(
        promise,
        mine.iter().chain([&short]).all(|key| has(&listed, key)),
        "one is missing",
    )?;
    for line in &listed {
        let ends = if line.key == short { 120 } else { 300 };
        same(promise, &line.device, &device(&user))?;
        ensure(
            promise,
            near(line.created, contract.at(0)),
            "it began at another time",
        )?;
        ensure(
            promise,
            near(line.expires, contract.at(ends)),
            "it ends at another time",
        )?;
    }
    let listed = contract.list(&user, 122).await?;
    ensure(
        promise,
        listed.len() == 2 && !has(&listed, &short),
        "one that has ended is listed",
    )?;
    let promise = "a user is named, not matched";
    for name in ["%", "_", "*", "", "' OR '1'='1"] {
        same(promise, &contract.list(name, 0).await?.len(), &0)?;
        let ended = contract.store.delete_others(name, None).await;
        same(promise, &answered(promise, ended)?, &0)?;
    }
    same(promise, &contract.list(&user, 122).await?.len(), &2)
}

async fn lists_newest_first(contract: &Contract) -> Result<(), Broken> {
    let promise = "a user's sessions are listed newest first";
    let user = stranger();
    let mut keys = Vec::new();
    for began in [10, 30, 20] {
        let key = SessionKey::generate();
        let stored = contract.stored("number", 1, 300);
        let created = contract
            .store
            .create(&key, stored, Some(device(&user)), None, contract.at(began));
        answered(promise, created.await)?;
        keys.push(key);
    }
    let listed: Vec<usize> = contract
        .list(&user, 40)
        .await?
        .iter()
        .filter_map(|line| keys.iter().position(|key| *key == line.key))
        .collect();
    same(promise, &listed, &vec![1, 2, 0])
}

async fn ends_a_users_other_sessions(contract: &Contract) -> Result<(), Broken> {
    let promise = "a user's other sessions end, and only theirs";
    let (user, other) = (stranger(), stranger());
    let (kept, first, second) = (
        contract.begin(Some(&user), 300).await?,
        contract.begin(Some(&user), 300).await?,
        contract.begin(Some(&user), 300).await?,
    );
    let (others, nobodys) = (
        contract.begin(Some(&other), 300).await?,
        contract.begin(None, 300).await?,
    );
    let ended = contract.store.delete_others(&user, Some(&kept)).await;
    same(promise, &answered(promise, ended)?, &2)?;
    for (key, expected) in [
        (&kept, Some(1)),
        (&first, None),
        (&second, None),
        (&others, Some(1)),
        (&nobodys, Some(1)),
    ] {
        same(
            promise,
            &contract.number(promise, key, "number", 0).await?,
            &expected,
        )?;
    }
    ensure(
        promise,
        contract.list(&user, 0).await?.iter().all(|line| line.key == kept),
        "one is still listed",
    )?;
    let promise = "all of a user's sessions end when none is to be kept";
    let ended = contract.store.delete_others(&user, None).await;
    same(promise, &answered(promise, ended)?, &1)?;
    same(
        promise,
        &contract.number(promise, &kept, "number", 0).await?,
        &None,
    )
}

async fn clears_what_has_ended(contract: &Contract) -> Result<(), Broken> {
    let promise = "ended sessions are cleared at most so many at a time, and the others stay";
    let user = stranger();
    let clear = async |at_most: usize| {
        let cleared = contract.store.clear_expired(at_most, contract.at(500)).await;
        let cleared = answered(promise, cleared)?;
        ensure(
            promise,
            cleared <= at_most,
            format_args!("{cleared} went, of at most {at_most}"),
        )?;
        Ok::<usize, Broken>(cleared)
    };
    while clear(1000).await? > 0 {}
    let alive = contract.begin(Some(&user), 1000).await?;
    for _ in 0..5 {
        contract.begin(Some(&user), 120).await?;
    }
    let cleared = [clear(3).await?, clear(3).await?, clear(3).await?];
    if !contract.expires_by_itself {
        same(promise, &cleared, &[3, 2, 0])?;
        // At a time when they had not ended: they are gone from the list, not only from sight.
        same(promise, &contract.list(&user, 0).await?.len(), &1)?;
    }
    same(
        promise,
        &contract.number(promise, &alive, "number", 500).await?,
        &Some(1),
    )?;
    ensure(
        promise,
        has(&contract.list(&user, 500).await?, &alive),
        "the list has lost the one that stays",
    )
}
