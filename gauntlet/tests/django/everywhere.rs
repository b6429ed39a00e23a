//! A scene is written once, and played on every database and with every session engine.

use std::fmt::Debug;
use std::sync::Arc;

use anyhow::{Context, Result};
use gauntlet::beside::{Agreement, Database, Pair, SessionEngine};

/// Plays a scene on each database, beside others: it makes its own accounts.
pub(crate) async fn on_each_database(scene: impl AsyncFn(&Pair) -> Result<()>) -> Result<()> {
    for pair in shared().await? {
        let database = pair.agreement().database;
        let _told = Told(database);
        let played = scene(&pair).await;
        played.with_context(|| format!("on {database:?}"))?;
    }
    Ok(())
}

/// Plays a scene on each database, with a pair of its own that it may start anew.
pub(crate) async fn alone_on_each_database(
    agreement: Agreement,
    scene: impl AsyncFn(Pair) -> Result<()>,
) -> Result<()> {
    let _kept = shared().await?;
    for database in Database::ALL {
        let agreement = Agreement {
            database,
            ..agreement.clone()
        };
        let _told = Told(database);
        let played = scene(Pair::start(agreement).await?).await;
        played.with_context(|| format!("on {database:?}"))?;
    }
    Ok(())
}

/// The pairs that everybody uses. Who holds them keeps them, and their databases, running.
pub(crate) async fn shared() -> Result<Vec<Arc<Pair>>> {
    let mut pairs = Vec::new();
    for database in Database::ALL {
        pairs.push(Pair::shared(database).await?);
    }
    Ok(pairs)
}

/// Plays a scene where each of these engines keeps sessions, on a database.
pub(crate) async fn with_each(
    places: impl IntoIterator<Item = (SessionEngine, Database)>,
    scene: impl AsyncFn(Agreement) -> Result<()>,
) -> Result<()> {
    let _kept = shared().await?;
    for (sessions, database) in places {
        let agreement = Agreement {
            database,
            sessions,
            ..Agreement::new()
        };
        let place = (sessions, database);
        let _told = Told(place);
        let played = scene(agreement).await;
        played.with_context(|| format!("on {place:?}"))?;
    }
    Ok(())
}

/// Says where the scene was played when it ends in a panic.
struct Told<T: Debug>(T);

impl<T: Debug> Drop for Told<T> {
    #[expect(clippy::print_stderr, reason = "a test that failed says where")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("this was on {:?}", self.0);
        }
    }
}
