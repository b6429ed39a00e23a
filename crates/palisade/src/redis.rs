//! Redis or Valkey, as one server, behind Sentinel, or as a cluster.
//!
//! All requests share one connection, on which commands follow each other without waiting. It is made when it is first
//! needed and made anew when it has failed, by whichever request comes next, so that a service outlives its server. Whatever is
//! asked ends within a time limit, connecting included. A command is never sent a second time after an error: nobody knows
//! whether the first one was carried out.
//!
//! # Security
//!
//! Whoever can reach the server can read and make sessions. Give it a password, an address that only the service reaches, and
//! `rediss://` (TLS, with the system's certificate authorities, or those of [`RedisOptions`]) where the way is not your own. Chain and
//! name are always checked; addresses of which some ask for TLS and some do not are refused, and so are other machines' without TLS.

mod open;
mod swap;

pub use open::RedisOptions;
pub(crate) use swap::{Held, Life, Swapped};

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::redis::aio::{ConnectionLike, MultiplexedConnection};
use ::redis::cluster::ClusterClient;
use ::redis::cluster_async::ClusterConnection;
use ::redis::sentinel::SentinelClient;
use ::redis::{AsyncConnectionConfig, Client, Cmd, ErrorKind, FromRedisValue, RedisFuture, ServerErrorKind};

/// How long an operation may take unless [`Redis::with_time_limit`] says otherwise.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// What can go wrong with Redis.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RedisError {
    /// An address cannot be understood.
    #[error(
        "not the address of a Redis server, which is redis://[user:password@]host[:port][/database], or rediss:// for TLS"
    )]
    Address(#[source] ::redis::RedisError),
    /// Addresses that must agree do not.
    #[error("the addresses of Redis differ {0}: give all of them alike")]
    Several(&'static str),
    /// An address asks for TLS without a check of whom one speaks to.
    #[error(
        "the address of Redis ends with #insecure, which is TLS with anybody who answers: trust the server's certificate authority with RedisOptions::root_certificates instead"
    )]
    Insecure,
    /// An address is another machine's and asks for no TLS.
    #[error(
        "Redis at {host} would be spoken to in clear, and whoever can listen on the way would read sessions and the password: give the \
         server TLS and an address that begins with rediss://, or say RedisOptions::dangerous_in_clear"
    )]
    InClear {
        /// The other machine.
        host: String,
    },
    /// There are no certificates to check the server with, or none to show it.
    #[error("the certificates for Redis cannot be used: {reason}")]
    Trust {
        /// What is wrong.
        reason: String,
    },
    /// The server cannot be reached, or the connection to it was lost.
    #[error("Redis at {server} cannot be reached: {source}")]
    Unreachable {
        /// Its host and port, without user and password.
        server: Arc<str>,
        /// What the system said.
        source: ::redis::RedisError,
    },
    /// The server answered with an error.
    #[error("Redis: {0}")]
    Server(#[from] ::redis::RedisError),
    /// There was no answer within the time limit.
    #[error("Redis at {server} did not answer within {limit:?}")]
    TimeLimit {
        /// Its host and port, without user and password.
        server: Arc<str>,
        /// How long was waited.
        limit: Duration,
    },
    /// Under a key stands something that is not to be read as a session.
    #[error("Redis holds something under the key of a session that is none: {0}")]
    Foreign(Box<dyn std::error::Error + Send + Sync>),
    /// A session cannot be written in the form that is asked for.
    #[error("a session has no form in Django's cache")]
    Unwritable,
    /// A key that must be new is taken.
    #[error("the new session key is taken")]
    Taken,
}

/// A Redis or Valkey server, or several that act as one. Clones share the connection.
///
/// # Example
///
/// ```
/// use palisade::redis::Redis;
///
/// let one = Redis::open("redis://127.0.0.1:6379/0")?;
/// let watched = Redis::sentinel(["redis://127.0.0.1:26379"], "redis://:password@mymaster/0")?;
/// let many = Redis::cluster(["redis://127.0.0.1:7000", "redis://127.0.0.1:7001"])?;
/// # Ok::<(), palisade::redis::RedisError>(())
/// ```
#[derive(Clone)]
pub struct Redis {
    inner: Arc<Inner>,
    limit: Duration,
}

struct Inner {
    place: Place,
    /// Host and port, which may be told.
    server: Arc<str>,
    live: Mutex<Option<Live>>,
    /// Held by the one request that connects, while the others wait for it.
    connecting: tokio::sync::Mutex<u64>,
}

enum Place {
    One(Client),
    Sentinel(tokio::sync::Mutex<SentinelClient>, RedisOptions),
    Cluster(ClusterClient),
}

#[derive(Clone)]
struct Live {
    number: u64,
    connection: Connection,
}

#[derive(Clone)]
enum Connection {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

/// Never the address: it may hold a password.
impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match &self.inner.place {
            Place::One(_) => "one server",
            Place::Sentinel(..) => "behind Sentinel",
            Place::Cluster(_) => "a cluster",
        };
        f.debug_tuple("Redis").field(&place).finish()
    }
}

impl Redis {
    /// Uses one server. It is connected to when it is first needed.
    ///
    /// # Errors
    ///
    /// When the address cannot be understood, or is another machine's and asks for no TLS.
    pub fn open(address: &str) -> Result<Self, RedisError> {
        RedisOptions::new().open(address)
    }

    /// Uses the server that Sentinel says is the first. `server` is its address with the name of the service in the host's
    /// place, for the user, password and database with which it wants to be talked to.
    ///
    /// # Errors
    ///
    /// When an address cannot be understood or is another machine's without TLS, the addresses differ in whether they ask for TLS, or
    /// those of the Sentinels differ in user or password.
    pub fn sentinel<'a>(
        sentinels: impl IntoIterator<Item = &'a str>,
        server: &str,
    ) -> Result<Self, RedisError> {
        RedisOptions::new().sentinel(sentinels, server)
    }

    /// Uses a cluster, of which these are some servers.
    ///
    /// # Errors
    ///
    /// When an address cannot be understood or is another machine's without TLS, or two differ in user or password or in whether they ask
    /// for TLS.
    pub fn cluster<'a>(servers: impl IntoIterator<Item = &'a str>) -> Result<Self, RedisError> {
        RedisOptions::new().cluster(servers)
    }

    /// Ends each operation after `limit`, with an error; five seconds unless it is set.
    #[must_use]
    pub fn with_time_limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Asks the server whether it is there, as a service may at its start.
    ///
    /// # Errors
    ///
    /// When it does not answer.
    pub async fn check(&self) -> Result<(), RedisError> {
        self.within(self.ask::<()>(&::redis::cmd("PING"))).await
    }

    /// Asks the server in the background whether it is there, and says so in the log if it is not: the service starts all the same.
    pub(crate) fn look(&self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let redis = self.clone();
        runtime.spawn(async move {
            if let Err(error) = redis.check().await {
                tracing::warn!(
                    target: "palisade::redis",
                    %error,
                    server = %redis.inner.server,
                    "sessions need a Redis that does not answer; the service starts all the same"
                );
            }
        });
    }

    fn at(place: Place, server: &str) -> Self {
        Self {
            inner: Arc::new(Inner {
                place,
                server: server.into(),
                live: Mutex::new(None),
                connecting: tokio::sync::Mutex::new(0),
            }),
            limit: TIME_LIMIT,
        }
    }

    /// Does something within the time limit. A server that lets it pass is connected to anew by whoever comes next.
    pub(crate) async fn within<T>(
        &self,
        operation: impl Future<Output = Result<T, RedisError>>,
    ) -> Result<T, RedisError> {
        let limit = self.limit;
        let before = self.live().map(|live| live.number);
        let done = tokio::time::timeout(limit, operation).await;
        done.unwrap_or_else(|_| {
            if let Some(number) = before {
                self.forget(number);
            }
            Err(self.too_late())
        })
    }

    fn out_of_reach(&self, source: ::redis::RedisError) -> RedisError {
        RedisError::Unreachable {
            server: Arc::clone(&self.inner.server),
            source,
        }
    }

    /// What to tell of an operation that did not end in time.
    pub(crate) fn too_late(&self) -> RedisError {
        RedisError::TimeLimit {
            server: Arc::clone(&self.inner.server),
            limit: self.limit,
        }
    }

    pub(crate) fn time_limit(&self) -> Duration {
        self.limit
    }

    /// Sends a command, once.
    pub(crate) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        let mut live = self.connected().await?;
        match command.query_async(&mut live.connection).await {
            Ok(answer) => Ok(answer),
            Err(error) => {
                if is_lost(&error) {
                    self.forget(live.number);
                }
                Err(if error.is_io_error() {
                    self.out_of_reach(error)
                } else {
                    error.into()
                })
            }
        }
    }

    async fn connected(&self) -> Result<Live, RedisError> {
        if let Some(live) = self.live() {
            return Ok(live);
        }
        let mut number = self.inner.connecting.lock().await;
        if let Some(live) = self.live() {
            return Ok(live);
        }
        *number += 1;
        let connection = self.inner.place.connect(self.limit).await;
        let live = Live {
            number: *number,
            connection: connection.map_err(|error| match error {
                RedisError::Server(source) => self.out_of_reach(source),
                other => other,
            })?,
        };
        *self.slot() = Some(live.clone());
        Ok(live)
    }

    fn live(&self) -> Option<Live> {
        self.slot().clone()
    }

    /// Drops a connection that failed, unless another has taken its place.
    fn forget(&self, number: u64) {
        let mut slot = self.slot();
        // A cluster's connection mends itself, node by node.
        if slot
            .as_ref()
            .is_some_and(|live| live.number == number && matches!(live.connection, Connection::One(_)))
        {
            *slot = None;
        }
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<Live>> {
        self.inner.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    async fn connect(&self, limit: Duration) -> Result<Connection, RedisError> {
        // The limit of the whole operation ends the wait.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(limit))
            .set_response_timeout(None);
        Ok(match self {
            Self::One(client) => Connection::One(
                client
                    .get_multiplexed_async_connection_with_config(&config)
                    .await?,
            ),
            Self::Sentinel(client, options) => {
                let first = client.lock().await.async_get_client().await?;
                options.may_speak_to(first.get_connection_info().addr())?;
                Connection::One(
                    first
                        .get_multiplexed_async_connection_with_config(&config)
                        .await?,
                )
            }
            Self::Cluster(client) => Connection::Cluster(client.get_async_connection().await?),
        })
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, ::redis::Value> {
        match self {
            Self::One(connection) => connection.req_packed_command(command),
            Self::Cluster(connection) => connection.req_packed_command(command),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a ::redis::Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<::redis::Value>> {
        match self {
            Self::One(connection) => connection.req_packed_commands(pipeline, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::One(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}

/// Says whether the connection is of no use any more: broken, or to a server that is no longer the first.
fn is_lost(error: &::redis::RedisError) -> bool {
    error.is_io_error()
        || error.is_unrecoverable_error()
        || matches!(
            error.kind(),
            ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown)
        )
}
