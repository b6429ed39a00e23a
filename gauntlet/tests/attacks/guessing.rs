//! Each attack of `attack::guessing` succeeds against the weak twin and fails against the vault.

use gauntlet::Target;
use gauntlet::attack::{Outcome, guessing};
use testkit::Authority;

/// Runs an attack against both.
async fn on_both(attack: impl AsyncFn(&Target) -> anyhow::Result<Outcome>) {
    let weak = Target::weak_twin(&Authority::new().unwrap()).await.unwrap();
    let outcome = attack(&weak).await.unwrap();
    assert!(outcome.succeeded, "the weak twin withstood: {}", outcome.evidence);
    let vault = Target::vault().await.unwrap();
    let outcome = attack(&vault).await.unwrap();
    assert!(
        !outcome.succeeded,
        "the vault fell: {}\n{}",
        outcome.evidence,
        vault.log()
    );
}

#[tokio::test]
async fn list_of_passwords_in_a_row() {
    on_both(guessing::list_in_a_row).await;
}

#[tokio::test]
async fn list_of_passwords_at_once() {
    on_both(guessing::list_at_once).await;
}

#[tokio::test]
async fn list_of_passwords_from_made_up_addresses() {
    on_both(guessing::list_from_made_up_addresses).await;
}

#[tokio::test]
async fn one_password_at_many_accounts() {
    on_both(guessing::one_password_at_many_accounts).await;
}

#[tokio::test]
async fn account_told_apart_by_the_answer() {
    on_both(guessing::account_told_apart).await;
}

#[tokio::test]
async fn account_told_apart_by_the_wait() {
    on_both(guessing::account_told_apart_by_the_wait).await;
}

#[tokio::test]
async fn owner_locked_out_by_failing_on_purpose() {
    on_both(guessing::owner_locked_out).await;
}
