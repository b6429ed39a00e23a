//! How a connection begins: over TLS or in clear, and with settings that the rest relies upon.

use std::time::Duration;

use deadpool_postgres::Connect;
use futures_util::future::{BoxFuture, FutureExt};
use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Config, Connection, Error, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

#[derive(Clone)]
pub(super) struct Connector {
    tls: Option<MakeRustlsConnect>,
    deadline: Duration,
}

impl Connector {
    pub(super) fn in_clear(deadline: Duration) -> Self {
        Self { tls: None, deadline }
    }

    pub(super) fn with_tls(config: ClientConfig, deadline: Duration) -> Self {
        Self {
            tls: Some(MakeRustlsConnect::new(config)),
            deadline,
        }
    }
}

impl Connect for Connector {
    fn connect(&self, config: &Config) -> BoxFuture<'_, Result<(Client, JoinHandle<()>), Error>> {
        let config = config.clone();
        async move {
            let (client, connection) = if let Some(tls) = &self.tls {
                let (client, connection) = config.connect(tls.clone()).await?;
                (client, tokio::spawn(serve(connection)))
            } else {
                let (client, connection) = config.connect(NoTls).await?;
                (client, tokio::spawn(serve(connection)))
            };
            settle(&client, self.deadline).await?;
            Ok((client, connection))
        }
        .boxed()
    }
}

async fn serve<S, T>(connection: Connection<S, T>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    if let Err(error) = connection.await {
        tracing::warn!(target: "palisade::postgres", %error, "a connection to PostgreSQL ended");
    }
}

/// Rows are locked and read again under `read committed`; what we no longer wait for, the server ends by itself. A row that
/// another holds locked is given up on well before that: who waits for it has a connection that others need.
async fn settle(client: &Client, deadline: Duration) -> Result<(), Error> {
    // Half a second more than we wait: our own deadline says what happened in better words.
    let limit = (deadline.as_millis() + 500).to_string();
    let for_a_lock = (deadline.as_millis() / 3).max(1).to_string();
    client
        .query_typed(
            "SELECT set_config('statement_timeout', $1, false),
                    set_config('idle_in_transaction_session_timeout', $1, false),
                    set_config('lock_timeout', $2, false),
                    set_config('default_transaction_isolation', 'read committed', false)",
            &[(&limit, Type::TEXT), (&for_a_lock, Type::TEXT)],
        )
        .await?;
    Ok(())
}
