//! The vault under siege: others are served, memory stays within its bound, and whoever besieges is cut off.
//!
//! `SIEGE=pings cargo test -p gauntlet --test siege -- --nocapture` runs one alone.

use std::env;

use anyhow::{Result, ensure};
use gauntlet::siege::{Ground, SIEGES, memory_bound};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn others_are_served_and_memory_is_bounded_during_every_siege() -> Result<()> {
    let ground = Ground::prepare().await?;
    println!("at most {} MiB", memory_bound() / 1024 / 1024);
    println!("| siege | made | quiet p99 | besieged p99 | memory | ended |");
    let mut wrong = Vec::new();
    let part = env::var("SIEGE").unwrap_or_default();
    for siege in SIEGES.iter().filter(|siege| siege.name.contains(&part)) {
        match ground.endure(siege).await {
            Ok(report) => {
                println!("{report}");
                wrong.extend(report.judge().err().map(|error| format!("{error:#}")));
            }
            Err(error) => wrong.push(format!("{error:#}")),
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
