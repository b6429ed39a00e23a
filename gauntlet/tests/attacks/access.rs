//! Each attack of `attack::access` succeeds against the weak twin and fails against the vault.

use gauntlet::Target;
use gauntlet::attack::{Outcome, access};
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
async fn note_is_read_by_its_number() {
    on_both(access::note_is_read_by_its_number).await;
}

#[tokio::test]
async fn note_is_rewritten_by_its_number() {
    on_both(access::note_is_rewritten_by_its_number).await;
}

#[tokio::test]
async fn note_is_deleted_by_its_number() {
    on_both(access::note_is_deleted_by_its_number).await;
}

#[tokio::test]
async fn list_tells_of_others_notes() {
    on_both(access::list_tells_of_others_notes).await;
}

#[tokio::test]
async fn grant_is_used_after_it_was_taken_back() {
    on_both(access::grant_is_used_after_it_was_taken_back).await;
}

#[tokio::test]
async fn grant_is_used_after_its_day() {
    on_both(access::grant_is_used_after_its_day).await;
}

#[tokio::test]
async fn viewer_becomes_an_editor() {
    on_both(access::viewer_becomes_an_editor).await;
}
