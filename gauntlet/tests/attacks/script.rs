//! Each attack of `attack::script` succeeds against the weak twin and fails against the vault.

use gauntlet::Target;
use gauntlet::attack::{Outcome, script};
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
async fn script_in_markdown() {
    on_both(script::script_in_markdown).await;
}

#[tokio::test]
async fn script_in_a_link() {
    on_both(script::script_in_a_link).await;
}

#[tokio::test]
async fn script_in_a_title() {
    on_both(script::script_in_a_title).await;
}

#[tokio::test]
async fn secret_by_order() {
    on_both(script::secret_by_order).await;
}

#[tokio::test]
async fn secret_by_search() {
    on_both(script::secret_by_search).await;
}

#[tokio::test]
async fn wild_card_in_a_search() {
    on_both(script::wild_card_in_a_search).await;
}

#[tokio::test]
async fn line_in_the_log() {
    on_both(script::line_in_the_log).await;
}

#[tokio::test]
async fn flood_of_reports() {
    on_both(script::flood_of_reports).await;
}
