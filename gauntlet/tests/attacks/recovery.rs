//! Each attack of `attack::recovery` succeeds against the weak twin and fails against the vault.

use anyhow::{Result, ensure};
use gauntlet::attack::{Outcome, recovery};
use gauntlet::{Target, attack};
use testkit::Authority;

/// Runs an attack against both.
async fn judge(attack: impl AsyncFn(&Target) -> Result<Outcome>) -> Result<()> {
    let twin = Target::weak_twin(&Authority::new()?).await?;
    let seen: attack::Outcome = attack(&twin).await?;
    ensure!(
        seen.succeeded,
        "the attack does not see the hole: {}",
        seen.evidence
    );
    let vault = Target::vault().await?;
    let seen = attack(&vault).await?;
    ensure!(
        !seen.succeeded,
        "the vault fell: {} {}",
        seen.evidence,
        vault.log()
    );
    Ok(())
}

#[tokio::test]
async fn link_to_reset_a_password_leads_to_the_site_alone() -> Result<()> {
    judge(recovery::poisoned_link).await
}

#[tokio::test]
async fn link_that_was_used_is_dead() -> Result<()> {
    judge(recovery::link_used_twice).await
}

#[tokio::test]
async fn link_dies_with_a_change_of_password() -> Result<()> {
    judge(recovery::link_after_password_change).await
}

#[tokio::test]
async fn link_opens_nobody_elses_account() -> Result<()> {
    judge(recovery::link_of_another).await
}

#[tokio::test]
async fn page_for_forgotten_passwords_tells_no_accounts_apart() -> Result<()> {
    judge(recovery::accounts_told_apart).await
}

#[tokio::test]
async fn half_a_login_is_none() -> Result<()> {
    judge(recovery::half_login).await
}

#[tokio::test]
async fn code_that_was_seen_is_worth_nothing() -> Result<()> {
    judge(recovery::code_replayed).await
}

#[tokio::test]
async fn recovery_code_works_once() -> Result<()> {
    judge(recovery::recovery_code_twice).await
}

#[tokio::test]
async fn codes_cannot_be_guessed_in_a_row() -> Result<()> {
    judge(recovery::codes_guessed).await
}
