//! Where MySQL is, how long to wait for it, and how many connections to hold.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::Pool;
use mysql_async::{Opts, OptsBuilder, SslOpts};

use super::pool::Connector;
use super::{Database, MySql, MySqlError};

/// How MySQL is reached.
///
/// # Example
///
/// ```no_run
/// use std::time::Duration;
/// use palisade::mysql::MySqlOptions;
///
/// # async fn open() -> Result<(), palisade::mysql::MySqlError> {
/// let database = MySqlOptions::new()
///     .statement_deadline(Duration::from_secs(2))
///     .open("mysql://shop:password@db.example.com/shop?ssl-ca=/etc/ssl/db-ca.pem")
///     .await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct MySqlOptions {
    connections: usize,
    connection_deadline: Duration,
    statement_deadline: Duration,
    roots: Option<PathBuf>,
}

impl Default for MySqlOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl MySqlOptions {
    /// Twelve connections, three seconds for a connection, three for a statement.
    pub fn new() -> Self {
        Self {
            connections: 12,
            connection_deadline: Duration::from_secs(3),
            statement_deadline: Duration::from_secs(3),
            roots: None,
        }
    }

    /// Holds at most so many connections; each serves one request at a time.
    #[must_use]
    pub fn connections(self, connections: usize) -> Self {
        Self {
            connections: connections.max(1),
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

    /// Waits so long for the answer to a statement, before the client gets a 503, and a third of it, though a second at least, for a
    /// row that somebody else holds locked.
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
    pub async fn open(self, address: &str) -> Result<MySql, MySqlError> {
        let address = Address::parse(address)?;
        let tls = if address.wants_tls(self.roots.is_some()) {
            Some(trusting(self.roots.or(address.roots))?)
        } else {
            None
        };
        let place = format!(
            "{}/{}",
            address.options.ip_or_hostname(),
            address.options.db_name().unwrap_or_default()
        );
        let options = OptsBuilder::from_opts(address.options)
            .ssl_opts(tls)
            // A loopback address means the loopback address.
            .prefer_socket(false)
            // How many rows were found, whether or not they were as they should be already.
            .client_found_rows(true);
        let connector = Connector::new(options.into(), self.statement_deadline);
        let server = connector.server();
        let pool = Pool::builder(connector)
            .max_size(self.connections)
            .wait_timeout(Some(self.connection_deadline))
            .create_timeout(Some(self.connection_deadline))
            .recycle_timeout(Some(self.connection_deadline))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| MySqlError::Unreachable {
                server,
                reason: error.to_string(),
            })?;
        let database = MySql::new(Database {
            pool,
            statement_deadline: self.statement_deadline,
            place,
        });
        database.connection().await?;
        Ok(database)
    }
}

/// Whom to believe that they are the server: the authorities in a file, or those of the system.
fn trusting(file: Option<PathBuf>) -> Result<SslOpts, MySqlError> {
    let roots: Vec<_> = if let Some(file) = file {
        let text = std::fs::read(&file).map_err(|error| MySqlError::Trust {
            reason: format!("{}: {error}", file.display()),
        })?;
        vec![text.into()]
    } else {
        let found = rustls_native_certs::load_native_certs().certs;
        if found.is_empty() {
            return Err(MySqlError::Trust {
                reason: "no certificate authority in the system's store (Debian: ca-certificates)".to_owned(),
            });
        }
        found
            .into_iter()
            .map(|certificate| certificate.to_vec().into())
            .collect()
    };
    Ok(SslOpts::default()
        .with_disable_built_in_roots(true)
        .with_root_certs(roots))
}

/// What the address says about TLS, in the words of MySQL's own clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Unsaid,
    Disabled,
    Required,
}

struct Address {
    options: Opts,
    mode: Mode,
    roots: Option<PathBuf>,
}

impl Address {
    fn parse(text: &str) -> Result<Self, MySqlError> {
        let wrong = |reason: String| MySqlError::Address { reason };
        let (head, words) = text.split_once('?').unwrap_or((text, ""));
        let (mut mode, mut roots, mut kept) = (Mode::Unsaid, None, Vec::new());
        for word in words.split('&').filter(|word| !word.is_empty()) {
            match word.split_once('=') {
                Some(("ssl-mode", "DISABLED")) => mode = Mode::Disabled,
                // We always check chain and name: all of them ask for what the last one says.
                Some(("ssl-mode", "REQUIRED" | "VERIFY_CA" | "VERIFY_IDENTITY")) => mode = Mode::Required,
                Some(("ssl-mode", "PREFERRED")) => mode = Mode::Unsaid,
                Some(("ssl-mode", _)) => {
                    return Err(wrong(
                        "ssl-mode is DISABLED, PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY".to_owned(),
                    ));
                }
                Some(("ssl-ca", file)) => {
                    let file = percent_encoding::percent_decode_str(file).decode_utf8();
                    let file = file.map_err(|_| wrong("ssl-ca is not text".to_owned()))?;
                    roots = Some(PathBuf::from(&*file));
                }
                Some(("require_ssl" | "verify_ca" | "verify_identity" | "built_in_roots", _)) => {
                    return Err(wrong("TLS is asked for with ssl-mode and ssl-ca".to_owned()));
                }
                _ => kept.push(word),
            }
        }
        let text = if kept.is_empty() {
            head.to_owned()
        } else {
            format!("{head}?{}", kept.join("&"))
        };
        let options = Opts::from_url(&text).map_err(|error| wrong(error.to_string()))?;
        let address = Self { options, mode, roots };
        if mode == Mode::Disabled && !address.is_near() {
            tracing::warn!(
                target: "palisade::mysql",
                host = address.options.ip_or_hostname(),
                "the connection to MySQL is not encrypted (ssl-mode=DISABLED): whoever can listen on the way reads sessions \
                 and password hashes"
            );
        }
        Ok(address)
    }

    /// Whether the way to the server does not leave this machine.
    fn is_near(&self) -> bool {
        // The driver takes an address in a URL for a name.
        let host = self.options.ip_or_hostname();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse();
        self.options.socket().is_some()
            || host == "localhost"
            || address.is_ok_and(|address: IpAddr| address.is_loopback())
    }

    /// Whether to speak TLS; `trusts` says that an authority is named elsewhere.
    fn wants_tls(&self, trusts: bool) -> bool {
        match self.mode {
            Mode::Disabled => false,
            Mode::Required => true,
            // Preferring TLS is having none as soon as somebody on the way says so.
            Mode::Unsaid => trusts || self.roots.is_some() || !self.is_near(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_on_another_machine_is_spoken_to_over_tls_unless_the_address_says_otherwise() {
        for (text, tls) in [
            ("mysql://u:p@db.example.com/d", true),
            ("mysql://u:p@db.example.com/d?ssl-mode=PREFERRED", true),
            ("mysql://u:p@db.example.com/d?ssl-mode=DISABLED", false),
            ("mysql://u:p@127.0.0.1/d", false),
            ("mysql://u:p@[::1]:3306/d", false),
            ("mysql://u:p@127.0.0.1.example.com/d", true),
            ("mysql://u:p@localhost/d", false),
            ("mysql://u:p@localhost/d?ssl-mode=VERIFY_IDENTITY", true),
            ("mysql://u:p@localhost/d?ssl-ca=%2Fetc%2Fca.pem", true),
        ] {
            assert_eq!(Address::parse(text).unwrap().wants_tls(false), tls, "{text}");
        }
    }

    #[test]
    fn a_wrong_address_is_told_without_its_password() {
        for wrong in [
            "",
            "mysql://",
            "mysql://u:hunter2@db/d?ssl-mode=maybe",
            "mysql://u:hunter2@db/d?verify_ca=false",
            "mysql://u:hunter2@db:port/d",
            "postgres://u:hunter2@db/d",
        ] {
            let Err(error) = Address::parse(wrong).map(drop) else {
                panic!("{wrong} is understood");
            };
            assert!(!error.to_string().contains("hunter2"), "{error}");
            assert!(
                error.to_string().contains("mysql://user:password@host/database"),
                "{error}"
            );
        }
    }
}
