//! Connections that many requests read over at the same time.
//!
//! PostgreSQL answers questions in the order in which they come, and the next may be sent before the last is answered. So a
//! look-up by key takes no connection away from anybody: it joins the others on their way. What may wait for a lock does
//! not belong here, since all would wait behind it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use deadpool_postgres::{ClientWrapper, Connect};
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_postgres::Config;

use super::PostgresError;
use super::connector::Connector;
use super::server::Server;

pub(super) struct Lanes {
    connector: Connector,
    config: Config,
    server: Server,
    all: Box<[Lane]>,
    next: AtomicUsize,
    deadline: Duration,
}

#[derive(Default)]
struct Lane {
    client: ArcSwapOption<ClientWrapper>,
    opening: Mutex<()>,
}

impl Lanes {
    pub(super) fn new(connector: Connector, config: Config, count: usize, deadline: Duration) -> Self {
        Self {
            connector,
            server: Server::of(&config),
            config,
            all: (0..count).map(|_| Lane::default()).collect(),
            next: AtomicUsize::new(0),
            deadline,
        }
    }

    /// A connection to read over, made anew if the last one was lost.
    pub(super) async fn client(&self) -> Result<Arc<ClientWrapper>, PostgresError> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.all.len().max(1);
        let Some(lane) = self.all.get(turn) else {
            return Err(PostgresError::Overloaded);
        };
        if let Some(client) = lane.open() {
            return Ok(client);
        }
        timeout(self.deadline, self.reopen(lane))
            .await
            .unwrap_or_else(|_| Err(self.server.unreachable("it did not accept a connection in time")))
    }

    async fn reopen(&self, lane: &Lane) -> Result<Arc<ClientWrapper>, PostgresError> {
        let _one_at_a_time = lane.opening.lock().await;
        if let Some(client) = lane.open() {
            return Ok(client);
        }
        let opened = self.connector.connect(&self.config).await;
        let (client, task) = opened.map_err(|error| self.server.while_connecting(&error))?;
        let client = Arc::new(ClientWrapper::new(client, task));
        lane.client.store(Some(Arc::clone(&client)));
        Ok(client)
    }

    /// Sends nobody over this connection any more.
    pub(super) fn close(&self, client: &Arc<ClientWrapper>) {
        for lane in &self.all {
            let current = lane.client.load();
            if current
                .as_ref()
                .is_some_and(|current| Arc::ptr_eq(current, client))
            {
                lane.client.compare_and_swap(&current, None);
            }
        }
    }
}

impl Lane {
    fn open(&self) -> Option<Arc<ClientWrapper>> {
        self.client.load_full().filter(|client| !client.is_closed())
    }
}
