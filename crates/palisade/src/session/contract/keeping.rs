//! What is written is found, under its key and no other.

use super::{Contract, near};
use crate::promise::{Broken, answered, ensure, same, stranger};
use crate::session::key::SessionKey;
use crate::session::store::Stored;

pub(super) async fn check(contract: &Contract) -> Result<(), Broken> {
    finds_what_was_written(contract).await?;
    keeps_large_data(contract).await?;
    knows_exact_keys_only(contract).await?;
    takes_no_key_twice(contract).await?;
    ends_sessions(contract).await?;
    deletes(contract).await?;
    replaces_in_one_step(contract).await
}

async fn finds_what_was_written(contract: &Contract) -> Result<(), Broken> {
    let promise = "what was written under a key is found under it, with its end";
    let key = contract.begin(None, 300).await?;
    let written = contract.stored("number", 1, 300);
    let Some(found) = answered(promise, contract.store.load(&key, contract.at(0)).await)? else {
        return Err(super::broken(promise, "nothing was found"));
    };
    same(promise, &contract.says(&found), &contract.says(&written))?;
    ensure(
        promise,
        near(found.expires, written.expires),
        format_args!("it ends at {:?}, not at {:?}", found.expires, written.expires),
    )
}

async fn keeps_large_data(contract: &Contract) -> Result<(), Broken> {
    let promise = "a session of a hundred thousand characters is kept whole";
    let key = SessionKey::generate();
    let mut data = palisade_core::session::SessionData::new();
    // Not compressible to nothing: the codec compresses.
    let text: String = (0..3_000).map(|_| stranger()).collect();
    // A text is JSON.
    let _ = data.insert("text", &text);
    let written = Stored {
        data: contract.codec.encode(&data, contract.start),
        expires: contract.at(300),
    };
    let created = contract
        .store
        .create(&key, written.clone(), None, None, contract.at(0));
    answered(promise, created.await)?;
    let found = answered(promise, contract.store.load(&key, contract.at(0)).await)?;
    ensure(
        promise,
        found.is_some_and(|found| contract.says(&found) == contract.says(&written)),
        "it came back different",
    )?;
    answered(promise, contract.store.delete(&key).await)
}

async fn knows_exact_keys_only(contract: &Contract) -> Result<(), Broken> {
    let promise = "a key that was never written is not found, however near to one that was";
    let key = contract.begin(None, 300).await?;
    let text = key.expose();
    let half = text.get(..16).unwrap_or_default();
    let other_end = if text.ends_with('a') { "b" } else { "a" };
    let head = text.get(..31).unwrap_or_default();
    let near = [
        SessionKey::generate().expose().to_owned(),
        format!("{text}a"),
        half.to_owned(),
        format!("{head}{other_end}"),
    ];
    for near in near.iter().filter_map(|text| SessionKey::parse(text)) {
        let found = contract.number(promise, &near, "number", 0).await?;
        same(promise, &found, &None)?;
        answered(promise, contract.store.delete(&near).await)?;
    }
    same(
        promise,
        &contract.number(promise, &key, "number", 0).await?,
        &Some(1),
    )
}

async fn takes_no_key_twice(contract: &Contract) -> Result<(), Broken> {
    let promise = "a key that is taken is refused with an error, and the session under it stays";
    let (key, mine) = (contract.begin(None, 300).await?, contract.begin(None, 300).await?);
    let again = contract
        .store
        .create(
            &key,
            contract.stored("number", 2, 300),
            None,
            Some(&mine),
            contract.at(0),
        )
        .await;
    ensure(promise, again.is_err(), "it was accepted")?;
    same(
        promise,
        &contract.number(promise, &key, "number", 0).await?,
        &Some(1),
    )?;
    let promise = "a session that could not be made has replaced nothing";
    same(
        promise,
        &contract.number(promise, &mine, "number", 0).await?,
        &Some(1),
    )
}

async fn ends_sessions(contract: &Contract) -> Result<(), Broken> {
    let promise = "a session is there until it ends, and not afterwards";
    let key = contract.begin(None, 120).await?;
    same(
        promise,
        &contract.number(promise, &key, "number", 118).await?,
        &Some(1),
    )?;
    same(
        promise,
        &contract.number(promise, &key, "number", 122).await?,
        &None,
    )
}

async fn deletes(contract: &Contract) -> Result<(), Broken> {
    let promise = "a deleted session is gone, and one that is not there can be deleted";
    let key = contract.begin(None, 300).await?;
    for _ in 0..2 {
        answered(promise, contract.store.delete(&key).await)?;
        same(
            promise,
            &contract.number(promise, &key, "number", 0).await?,
            &None,
        )?;
    }
    Ok(())
}

async fn replaces_in_one_step(contract: &Contract) -> Result<(), Broken> {
    let promise = "a new session that replaces another ends that one in the same step";
    let user = stranger();
    let (old, new) = (contract.begin(Some(&user), 300).await?, SessionKey::generate());
    let created = contract
        .store
        .create(
            &new,
            contract.stored("number", 2, 300),
            None,
            Some(&old),
            contract.at(0),
        )
        .await;
    answered(promise, created)?;
    same(
        promise,
        &contract.number(promise, &old, "number", 0).await?,
        &None,
    )?;
    same(
        promise,
        &contract.number(promise, &new, "number", 0).await?,
        &Some(2),
    )?;
    same(promise, &contract.list(&user, 0).await?.len(), &0)?;
    let promise = "a session that replaces one that is not there is made all the same";
    let third = SessionKey::generate();
    let stored = contract.stored("number", 3, 300);
    answered(
        promise,
        contract
            .store
            .create(&third, stored, None, Some(&old), contract.at(0))
            .await,
    )?;
    same(
        promise,
        &contract.number(promise, &third, "number", 0).await?,
        &Some(3),
    )
}
