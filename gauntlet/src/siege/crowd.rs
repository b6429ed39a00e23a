//! Ten thousand connections that want nothing but to be there.

use std::time::Duration;

use anyhow::Result;
use tokio::task::JoinSet;

use super::{ADDRESSES, Ground, PER_ADDRESS, Stand, attacker};

/// The handshake has ten seconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// How many each address opens: five times what it may have.
const EACH: usize = 1_250;

/// A connection that ends sooner than this was refused, and did not run out of the time for its handshake.
const AT_ONCE: Duration = Duration::from_secs(5);

pub(super) async fn idle(ground: &Ground) -> Result<Stand> {
    let mut clients = JoinSet::new();
    let addresses = usize::try_from(ADDRESSES)?;
    for _ in 0..EACH {
        for number in 0..addresses {
            // A refused connection is open first: only the server's answer says what became of it.
            let mut wire = ground.target.silent_from(attacker(number)).await?;
            clients.spawn(async move {
                let begun = tokio::time::Instant::now();
                wire.closed(PATIENCE).await.map(|()| begun.elapsed())
            });
        }
    }
    let (made, mut ended, mut held) = (clients.len(), 0, 0);
    while let Some(client) = clients.join_next().await {
        if let Ok(time) = client? {
            ended += 1;
            held += u64::from(time >= AT_ONCE);
        }
    }
    // Whoever has had a place gives it back during the siege, so that each may be taken a few times.
    anyhow::ensure!(
        held <= 3 * ADDRESSES * PER_ADDRESS,
        "{held} of {made} had a place"
    );
    let how = format!("{held} had a place until the handshake was over, the others were refused at once");
    Ok(Stand { made, ended, how })
}
