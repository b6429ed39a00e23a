//! Where PostgreSQL is, how long to wait for it, and how many connections to hold.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::connector::Connector;
use super::lanes::Lanes;
use super::server::{Server, is_near};
use super::{Database, Postgres, PostgresError, tls};

/// How PostgreSQL is reached.
///
/// # Example
///
/// ```no_run
/// use std::time::Duration;
/// use palisade::postgres::PostgresOptions;
///
/// # async fn open() -> Result<(), palisade::postgres::PostgresError> {
/// let database = PostgresOptions::new()
///     .statement_deadline(Duration::from_secs(2))
///     .open("postgres://shop@db.example.com/shop?sslmode=verify-full")
///     .await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    writers: usize,
    readers: usize,
    connection_deadline: Duration,
    statement_deadline: Duration,
    roots: Option<PathBuf>,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl PostgresOptions {
    /// Ten connections to write and one to read, three seconds for a connection, three for a statement.
    pub fn new() -> Self {
        Self {
            writers: 10,
            readers: 1,
            connection_deadline: Duration::from_secs(3),
            statement_deadline: Duration::from_secs(3),
            roots: None,
        }
    }

    /// Holds at most so many connections for changes; each serves one request at a time.
    #[must_use]
    pub fn writers(self, writers: usize) -> Self {
        Self {
            writers: writers.max(1),
            ..self
        }
    }

    /// Holds so many connections for reading; each serves all requests that come along.
    ///
    /// One is the default: the fuller a connection, the fewer journeys and wake-ups a look-up costs at both ends. Take more where
    /// the one process that PostgreSQL gives a connection is busy all the time.
    #[must_use]
    pub fn readers(self, readers: usize) -> Self {
        Self {
            readers: readers.max(1),
            ..self
        }
    }

    /// Waits so long for a connection, free or new, before the client gets a 503.
    #[must_use]
    pub fn connection_deadline(self, deadline: Duration) -> Self {
        Self {
            connection_deadline: deadline,
            ..self
        }
    }

    /// Waits so long for the answer to a statement, before the client gets a 503, and a third of it for a row that somebody else
    /// holds locked. The server gives up a little later.
    #[must_use]
    pub fn statement_deadline(self, deadline: Duration) -> Self {
        Self {
            statement_deadline: deadline,
            ..self
        }
    }

    /// Trusts the certificate authorities in this PEM file, and not those of the system.
    #[must_use]
    pub fn root_certificates(self, file: impl Into<PathBuf>) -> Self {
        Self {
            roots: Some(file.into()),
            ..self
        }
    }

    /// Opens the database, making one connection to see that it is there.
    ///
    /// # Errors
    ///
    /// When the address is wrong, there is no certificate to trust, or the server cannot be reached.
    pub async fn open(self, address: &str) -> Result<Postgres, PostgresError> {
        let address = Address::parse(address, self.roots.is_some())?;
        let mut config = address.config;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(self.connection_deadline);
        }
        if config.get_application_name().is_none() {
            config.application_name("palisade");
        }
        let roots = self.roots.as_deref().or(address.roots.as_deref());
        let connector = match config.get_ssl_mode() {
            SslMode::Disable => Connector::in_clear(self.statement_deadline),
            _ => Connector::with_tls(tls::trusting(roots)?, self.statement_deadline),
        };
        let recycling = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = Manager::from_connect(config.clone(), connector.clone(), recycling);
        let pool = Pool::builder(manager)
            .max_size(self.writers)
            .wait_timeout(Some(self.connection_deadline))
            .create_timeout(Some(self.connection_deadline))
            .recycle_timeout(Some(self.connection_deadline))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| Server::of(&config).unreachable(error.to_string()))?;
        let database = Postgres::new(Database {
            pool,
            place: place(&config),
            server: Server::of(&config),
            lanes: Lanes::new(connector, config, self.readers, self.connection_deadline),
            statement_deadline: self.statement_deadline,
        });
        database.check().await?;
        Ok(database)
    }
}

/// Host and database, which may be shown, without user and password, which may not.
fn place(config: &Config) -> String {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        Some(Host::Unix(path)) => path.display().to_string(),
        None => String::new(),
    };
    format!("{host}/{}", config.get_dbname().unwrap_or_default())
}

/// An address as `libpq` writes it, with those of its words about TLS that the driver does not know.
struct Address {
    config: Config,
    roots: Option<PathBuf>,
}

impl Address {
    /// Reads an address; `trusts` says that an authority is named elsewhere.
    fn parse(text: &str, trusts: bool) -> Result<Self, PostgresError> {
        is_well_begun(text)?;
        let mut roots = None;
        let text = match text.split_once('?') {
            Some((head, words)) if text.starts_with("postgres") => {
                let mut kept = Vec::new();
                for word in words.split('&') {
                    match word.split_once('=') {
                        Some(("sslrootcert", file)) => roots = Some(unquoted(file)?),
                        // We always check chain and name: the two words ask for what `require` does here.
                        Some(("sslmode", "verify-full" | "verify-ca")) => kept.push("sslmode=require"),
                        _ => kept.push(word),
                    }
                }
                format!("{head}?{}", kept.join("&"))
            }
            _ => text.to_owned(),
        };
        let mut config = Config::from_str(&text).map_err(|error| PostgresError::Address {
            reason: std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string),
        })?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(PostgresError::Address {
                reason: "it names no host".to_owned(),
            });
        }
        match config.get_ssl_mode() {
            // Preferring TLS is having none as soon as somebody on the way says so.
            SslMode::Prefer if trusts || roots.is_some() || !is_near(&config) => {
                config.ssl_mode(SslMode::Require);
            }
            // Nobody listens on the way, and the certificate that a system makes for itself could not be checked.
            SslMode::Prefer => {
                config.ssl_mode(SslMode::Disable);
            }
            SslMode::Disable if !is_near(&config) => tracing::warn!(
                target: "palisade::postgres",
                host = place(&config),
                "the connection to PostgreSQL is not encrypted (sslmode=disable): whoever can listen on the way reads \
                 sessions and password hashes"
            ),
            _ => {}
        }
        Ok(Self { config, roots })
    }
}

/// Refuses what the driver would misread: another scheme as words of its own, and half a password as a host.
fn is_well_begun(text: &str) -> Result<(), PostgresError> {
    let wrong = |reason: &str| {
        Err(PostgresError::Address {
            reason: reason.to_owned(),
        })
    };
    let Some((scheme, rest)) = text.split_once("://") else {
        return Ok(());
    };
    // Words such as `password=a://b` are an address, too.
    if scheme.contains('=') {
        return Ok(());
    }
    if !["postgres", "postgresql"].contains(&scheme) {
        return wrong("it begins with neither postgres:// nor postgresql://");
    }
    if rest.matches('@').count() > 1 {
        return wrong("it holds more than one @; in a password, @ is written %40");
    }
    Ok(())
}

fn unquoted(file: &str) -> Result<PathBuf, PostgresError> {
    let text = percent_encoding::percent_decode_str(file).decode_utf8();
    let text = text.map_err(|_| PostgresError::Address {
        reason: "sslrootcert is not text".to_owned(),
    })?;
    Ok(Path::new(&*text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(text: &str) -> SslMode {
        Address::parse(text, false).unwrap().config.get_ssl_mode()
    }

    #[test]
    fn a_server_on_another_machine_is_spoken_to_over_tls_unless_the_address_says_otherwise() {
        assert_eq!(mode("postgres://u:p@db.example.com/d"), SslMode::Require);
        assert_eq!(
            mode("postgres://u:p@db.example.com/d?sslmode=prefer"),
            SslMode::Require
        );
        assert_eq!(mode("host=db.example.com user=u"), SslMode::Require);
        assert_eq!(mode("postgres://u@localhost,db.example.com/d"), SslMode::Require);
        assert_eq!(
            mode("postgres://u:p@db.example.com/d?sslmode=disable"),
            SslMode::Disable
        );
        for near in [
            "postgres://u@localhost/d",
            "postgres://u@127.0.0.1/d",
            "host=/run/postgresql user=u",
            "postgres://u:p@/site?host=/var/run/postgresql",
        ] {
            assert_eq!(mode(near), SslMode::Disable, "{near}");
        }
    }

    #[test]
    fn a_server_on_this_machine_is_spoken_to_over_tls_if_an_authority_is_named() {
        let near = "postgres://u@localhost/d";
        let mode = |text: &str, trusts| Address::parse(text, trusts).unwrap().config.get_ssl_mode();
        assert_eq!(mode(near, true), SslMode::Require);
        assert_eq!(
            mode(&format!("{near}?sslrootcert=/etc/ca.pem"), false),
            SslMode::Require
        );
        assert_eq!(mode(&format!("{near}?sslmode=require"), false), SslMode::Require);
        assert_eq!(mode(&format!("{near}?sslmode=disable"), true), SslMode::Disable);
    }

    #[test]
    fn the_words_of_libpq_about_certificates_are_understood() {
        let text =
            "postgres://u@db/d?sslmode=verify-full&sslrootcert=%2Fetc%2Fdb%20ca.pem&application_name=shop";
        let address = Address::parse(text, false).unwrap();
        assert_eq!(address.config.get_ssl_mode(), SslMode::Require);
        assert_eq!(address.roots.as_deref(), Some(Path::new("/etc/db ca.pem")));
        assert_eq!(address.config.get_application_name(), Some("shop"));
    }

    #[test]
    fn an_address_that_begins_otherwise_is_told_how_one_begins() {
        for wrong in ["psql://u:p@db/d", "Postgres://u:p@db/d", "mysql://u:p@db/d"] {
            let error = Address::parse(wrong, false).map(drop).unwrap_err().to_string();
            assert!(
                error.contains("it begins with neither postgres:// nor postgresql://"),
                "{error}"
            );
        }
        Address::parse("host=db user=u password=a://b sslmode=require", false).unwrap();
    }

    #[test]
    fn a_wrong_address_is_told_without_its_password() {
        for wrong in [
            "",
            "postgres://",
            "postgres://u:hunter2@db/d?sslmode=maybe",
            "postgres://u:hunter2@db:port/d",
            "mysql://u:hunter2@db/d",
            "postgres://u:p@hunter2@db/d",
            "postgres://u:p@hunter2?@db/d",
        ] {
            let Err(error) = Address::parse(wrong, false).map(drop) else {
                panic!("{wrong} is understood");
            };
            assert!(!error.to_string().contains("hunter2"), "{error}");
            assert!(
                error
                    .to_string()
                    .contains("postgres://user:password@host/database"),
                "{error}"
            );
        }
    }
}
