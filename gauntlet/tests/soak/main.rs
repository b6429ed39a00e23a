//! A vault that is killed at random moments keeps every promise: `cargo xtask soak --seconds 600` asks for longer.

use std::env;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gauntlet::soak::soak;

/// How long a soak takes in CI.
const SECONDS: u64 = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_answered_write_is_lost_and_no_ended_session_returns_though_the_vault_is_killed() -> Result<()> {
    let seconds = match env::var("SOAK_SECONDS") {
        Ok(seconds) => seconds
            .parse()
            .context("SOAK_SECONDS is not a number of seconds")?,
        Err(_) => SECONDS,
    };
    let seed = match env::var("SOAK_SEED") {
        Ok(seed) => seed.parse().context("SOAK_SEED is not a number")?,
        Err(_) => 4711,
    };
    let toll = soak(Duration::from_secs(seconds), seed)
        .await
        .with_context(|| format!("with SOAK_SEED={seed}"))?;
    println!("{toll:?}");
    ensure!(toll.kills > 3, "the vault was killed {} times only", toll.kills);
    ensure!(toll.promises > 50, "there were {} promises only", toll.promises);
    ensure!(toll.compared > 50, "{} notes were compared only", toll.compared);
    ensure!(toll.unanswered > 0, "no kill has hit a change");
    ensure!(toll.ended > 0, "no session was ended");
    Ok(())
}
