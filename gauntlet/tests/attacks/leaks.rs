//! Each attack of `attack::leaks` succeeds against the weak twin and fails against the vault.

use gauntlet::Target;
use gauntlet::attack::{Outcome, leaks};
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
async fn live_session_of_a_stolen_table() {
    on_both(leaks::live_session_of_a_stolen_table).await;
}

#[tokio::test]
async fn data_of_a_stolen_table() {
    on_both(leaks::data_of_a_stolen_table).await;
}

#[tokio::test]
async fn session_data_moved_to_ones_own() {
    on_both(leaks::session_data_moved_to_ones_own).await;
}

#[tokio::test]
async fn private_page_in_a_shared_cache() {
    on_both(leaks::private_page_in_a_shared_cache).await;
}

#[tokio::test]
async fn page_behind_the_back_button() {
    on_both(leaks::page_behind_the_back_button).await;
}

#[tokio::test]
async fn secret_in_log_or_report() {
    on_both(leaks::secret_in_log_or_report).await;
}

#[tokio::test]
async fn secret_in_a_letter_to_an_admin() {
    on_both(leaks::secret_in_a_letter_to_an_admin).await;
}

#[tokio::test]
async fn settings_in_an_error_page() {
    on_both(leaks::settings_in_an_error_page).await;
}
