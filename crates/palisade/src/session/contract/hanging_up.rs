//! A client that hangs up: what it asked for is done all the same, and who logged out is out.
//!
//! A server drops the request's future then, and whatever the store was doing in it. The suite asks, looks once whether there is
//! an answer, and lets go.

use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{interval, timeout};

use super::{Contract, device};
use crate::promise::{Broken, broken, ensure, same, stranger};
use crate::session::key::SessionKey;

/// How long a store may take for what nobody waits for.
const SOON: Duration = Duration::from_secs(10);

pub(super) async fn check(contract: &Contract) -> Result<(), Broken> {
    deletes(contract).await?;
    ends_others(contract).await?;
    replaces(contract).await?;
    moves(contract).await
}

async fn deletes(contract: &Contract) -> Result<(), Broken> {
    let promise = "a session whose deletion nobody waits for is gone";
    let key = contract.begin(None, 300).await?;
    drop(contract.store.delete(&key).now_or_never());
    is_gone(contract, promise, &key).await
}

async fn ends_others(contract: &Contract) -> Result<(), Broken> {
    let promise = "a user's other sessions end though nobody waits for it";
    let user = stranger();
    let (kept, first, second) = (
        contract.begin(Some(&user), 300).await?,
        contract.begin(Some(&user), 300).await?,
        contract.begin(Some(&user), 300).await?,
    );
    drop(contract.store.delete_others(&user, Some(&kept)).now_or_never());
    is_gone(contract, promise, &first).await?;
    is_gone(contract, promise, &second).await?;
    let there = contract.number(promise, &kept, "number", 0).await?;
    same(promise, &there, &Some(1))
}

async fn replaces(contract: &Contract) -> Result<(), Broken> {
    let promise = "a session that is replaced is gone though nobody waits for the new one";
    let (old, new) = (contract.begin(None, 300).await?, SessionKey::generate());
    let session = contract.stored("number", 1, 300);
    let begun = contract.store.create(
        &new,
        session,
        Some(device(&stranger())),
        Some(&old),
        contract.at(0),
    );
    drop(begun.now_or_never());
    is_gone(contract, promise, &old).await
}

async fn moves(contract: &Contract) -> Result<(), Broken> {
    let promise = "a session whose move nobody waits for is under its new key";
    let (old, new) = (contract.begin(None, 300).await?, SessionKey::generate());
    let merge = contract.merge("number", |number| number);
    let cycled = contract.store.cycle(&old, &new, merge, None, contract.at(0));
    drop(cycled.now_or_never());
    is_gone(contract, promise, &old).await?;
    let moved = contract.number(promise, &new, "number", 0).await?;
    ensure(promise, moved == Some(1), "it is lost")
}

/// Looks until a session is gone.
async fn is_gone(contract: &Contract, promise: &str, key: &SessionKey) -> Result<(), Broken> {
    let mut looks = interval(Duration::from_millis(5));
    let gone = async {
        while contract.number(promise, key, "number", 0).await?.is_some() {
            looks.tick().await;
        }
        Ok(())
    };
    let late = |_| broken(promise, format_args!("it is there after {SOON:?}"));
    timeout(SOON, gone).await.map_err(late)?
}
