//! Where Redis is, and whom to believe that it is Redis: addresses, TLS and certificates.
//!
//! An address says whether TLS is spoken, and of several all say the same: one word in one of them must not be what sends
//! sessions in clear. Without TLS only this machine is spoken to, unless somebody has said that it is dangerous.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ::redis::cluster::ClusterClient;
use ::redis::sentinel::{SentinelClientBuilder, SentinelServerType};
use ::redis::{
    Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, TlsCertificates, TlsMode,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::{Place, Redis, RedisError, TIME_LIMIT};

/// How Redis is reached, where its address alone does not say it.
///
/// # Example
///
/// ```no_run
/// use palisade::redis::RedisOptions;
///
/// let redis = RedisOptions::new()
///     .root_certificates("/etc/shop/redis-ca.pem")
///     .client_certificate("/etc/shop/redis.pem", "/etc/shop/redis.key")
///     .open("rediss://shop:password@redis.example/0")?;
/// # Ok::<(), palisade::redis::RedisError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct RedisOptions {
    roots: Option<PathBuf>,
    client: Option<(PathBuf, PathBuf)>,
    in_clear: bool,
}

impl RedisOptions {
    /// Trusts the system's certificate authorities, and shows no certificate. Other machines are spoken to over TLS only.
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts the certificate authorities in this PEM file, and not those of the system.
    #[must_use]
    pub fn root_certificates(self, file: impl Into<PathBuf>) -> Self {
        Self {
            roots: Some(file.into()),
            ..self
        }
    }

    /// Shows the server this certificate, with the rest of its chain, and proves it by this key: two PEM files. Redis asks for one
    /// with `tls-auth-clients yes`, which is its default.
    #[must_use]
    pub fn client_certificate(self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self {
            client: Some((certificate.into(), key.into())),
            ..self
        }
    }

    /// Speaks to other machines without TLS where their addresses ask for none.
    ///
    /// # Security
    ///
    /// Whoever can listen on the way reads the password and every session, and whoever can change what is sent makes sessions.
    #[must_use]
    pub fn dangerous_in_clear(self) -> Self {
        Self {
            in_clear: true,
            ..self
        }
    }

    /// Uses one server, as [`Redis::open`] does.
    ///
    /// # Errors
    ///
    /// When the address cannot be understood or is another machine's without TLS, or a certificate is given that cannot be used.
    pub fn open(&self, address: &str) -> Result<Redis, RedisError> {
        let address = parsed(address)?;
        let certificates = self.tls([&address])?;
        self.may_speak_to(address.addr())?;
        let server = named([&address]);
        let client = match certificates {
            Some(certificates) => Client::build_with_tls(address, certificates),
            None => Client::open(address),
        };
        Ok(Redis::at(
            Place::One(client.map_err(RedisError::Address)?),
            &server,
        ))
    }

    /// Uses the server that Sentinel says is the first, as [`Redis::sentinel`] does.
    ///
    /// # Errors
    ///
    /// When an address cannot be understood or is another machine's without TLS, the addresses differ in whether they ask for TLS, those
    /// of the Sentinels differ in user or password, or a certificate is given that cannot be used. Where the Sentinels send
    /// the service is judged when it is connected to.
    pub fn sentinel<'a>(
        &self,
        sentinels: impl IntoIterator<Item = &'a str>,
        server: &str,
    ) -> Result<Redis, RedisError> {
        let sentinels: Vec<ConnectionInfo> = sentinels.into_iter().map(parsed).collect::<Result<_, _>>()?;
        let server = parsed(server)?;
        let certificates = self.tls(sentinels.iter().chain([&server]))?;
        for sentinel in &sentinels {
            self.may_speak_to(sentinel.addr())?;
        }
        let service = match server.addr() {
            ConnectionAddr::TcpTls { host, .. } | ConnectionAddr::Tcp(host, _) => host.clone(),
            other => other.to_string(),
        };
        let told = format!(
            "{} (of the Sentinels {})",
            service.escape_debug(),
            named(&sentinels)
        );
        let places = sentinels.iter().map(|sentinel| sentinel.addr().clone());
        let mut builder = SentinelClientBuilder::new(places, service, SentinelServerType::Master)
            .map_err(RedisError::Address)?
            .set_client_to_redis_db(server.redis_settings().db())
            .set_client_to_redis_protocol(server.redis_settings().protocol());
        if let Some(user) = server.redis_settings().username() {
            builder = builder.set_client_to_redis_username(user);
        }
        if let Some(password) = server.redis_settings().password() {
            builder = builder.set_client_to_redis_password(password);
        }
        if let Some(first) = sentinels.first() {
            let first = first.redis_settings();
            let same = |other: &ConnectionInfo| {
                let other = other.redis_settings();
                (other.username(), other.password()) == (first.username(), first.password())
            };
            if !sentinels.iter().all(same) {
                return Err(RedisError::Several("in user or password"));
            }
            builder = builder.set_client_to_sentinel_protocol(first.protocol());
            if let Some(user) = first.username() {
                builder = builder.set_client_to_sentinel_username(user);
            }
            if let Some(password) = first.password() {
                builder = builder.set_client_to_sentinel_password(password);
            }
        }
        if let Some(certificates) = certificates {
            builder = builder
                .set_client_to_redis_tls_mode(TlsMode::Secure)
                .set_client_to_redis_certificates(certificates.clone())
                .set_client_to_sentinel_tls_mode(TlsMode::Secure)
                .set_client_to_sentinel_certificates(certificates);
        }
        let client = builder.build().map_err(RedisError::Address)?;
        let place = Place::Sentinel(tokio::sync::Mutex::new(client), self.clone());
        Ok(Redis::at(place, &told))
    }

    /// Uses a cluster, of which these are some servers, as [`Redis::cluster`] does.
    ///
    /// # Errors
    ///
    /// When an address cannot be understood or is another machine's without TLS, the addresses differ in user or password or in whether
    /// they ask for TLS, or a certificate is given that cannot be used.
    pub fn cluster<'a>(&self, servers: impl IntoIterator<Item = &'a str>) -> Result<Redis, RedisError> {
        let servers: Vec<ConnectionInfo> = servers.into_iter().map(parsed).collect::<Result<_, _>>()?;
        let certificates = self.tls(&servers)?;
        for server in &servers {
            self.may_speak_to(server.addr())?;
        }
        let told = named(&servers);
        let mut builder = ClusterClient::builder(servers)
            .connection_timeout(TIME_LIMIT)
            // The limit of the whole operation ends it; this one would send the command again.
            .response_timeout(TIME_LIMIT * 100);
        if let Some(certificates) = certificates {
            builder = builder.tls(TlsMode::Secure).certs(certificates);
        }
        let client = builder.build().map_err(RedisError::Address)?;
        Ok(Redis::at(Place::Cluster(client), &told))
    }

    /// The certificates, if all of these are spoken to over TLS; none, if none is.
    fn tls<'a>(
        &self,
        addresses: impl IntoIterator<Item = &'a ConnectionInfo>,
    ) -> Result<Option<TlsCertificates>, RedisError> {
        let (mut over_tls, mut in_clear) = (false, false);
        for address in addresses {
            match address.addr() {
                ConnectionAddr::TcpTls { insecure: true, .. } => return Err(RedisError::Insecure),
                ConnectionAddr::TcpTls { .. } => over_tls = true,
                _ => in_clear = true,
            }
        }
        match (over_tls, in_clear) {
            (true, true) => Err(RedisError::Several("in whether they ask for TLS")),
            (true, false) => self.certificates().map(Some),
            _ if self.roots.is_some() || self.client.is_some() => Err(RedisError::Trust {
                reason:
                    "certificates are given and the address asks for no TLS: it begins with rediss:// then"
                        .into(),
            }),
            _ => Ok(None),
        }
    }

    /// Refuses another machine's address where nothing that is sent would be encrypted.
    pub(super) fn may_speak_to(&self, address: &ConnectionAddr) -> Result<(), RedisError> {
        let ConnectionAddr::Tcp(host, _) = address else {
            return Ok(());
        };
        let name = host.trim_start_matches('[').trim_end_matches(']');
        if name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback()) {
            return Ok(());
        }
        let host = host.escape_debug().to_string();
        if !self.in_clear {
            return Err(RedisError::InClear { host });
        }
        tracing::warn!(
            target: "palisade::redis",
            host,
            "the connection to Redis is not encrypted (dangerous_in_clear): whoever can listen on the way reads sessions and the \
             password"
        );
        Ok(())
    }

    fn certificates(&self) -> Result<TlsCertificates, RedisError> {
        // An application that has chosen another provider of cryptography keeps it.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let root_cert = self.roots.as_deref().map(authorities).transpose()?;
        let client_tls = match &self.client {
            Some((certificate, key)) => Some(ClientTlsConfig {
                client_cert: authorities(certificate)?,
                client_key: private_key(key)?,
            }),
            None => None,
        };
        Ok(TlsCertificates {
            client_tls,
            root_cert,
        })
    }
}

/// The hosts and ports of addresses, without users and passwords.
fn named<'a>(addresses: impl IntoIterator<Item = &'a ConnectionInfo>) -> String {
    let named: Vec<String> = addresses
        .into_iter()
        .map(|address| address.addr().to_string().escape_debug().to_string())
        .collect();
    named.join(", ")
}

/// Understands an address, whose parts are told to nobody.
fn parsed(address: &str) -> Result<ConnectionInfo, RedisError> {
    address.into_connection_info().map_err(RedisError::Address)
}

/// Reads a file of certificates, of which there must be one at least.
fn authorities(file: &Path) -> Result<Vec<u8>, RedisError> {
    let text = read(file)?;
    let found = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>();
    match found {
        Ok(found) if !found.is_empty() => Ok(text),
        Ok(_) => Err(unusable(file, "there is no certificate in it")),
        Err(error) => Err(unusable(file, error)),
    }
}

fn private_key(file: &Path) -> Result<Vec<u8>, RedisError> {
    let text = read(file)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| unusable(file, error))?;
    Ok(text)
}

fn read(file: &Path) -> Result<Vec<u8>, RedisError> {
    std::fs::read(file).map_err(|error| unusable(file, error))
}

fn unusable(file: &Path, reason: impl std::fmt::Display) -> RedisError {
    RedisError::Trust {
        reason: format!("{}: {reason}", file.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_in_clear_among_those_that_ask_for_tls_is_refused() {
        let (safe, clear) = ("rediss://:hunter2@a:1", "redis://:hunter2@b:2");
        let refused = [
            Redis::cluster([safe, clear]),
            Redis::cluster([clear, safe]),
            Redis::sentinel([safe], "redis://:hunter2@mymaster"),
            Redis::sentinel([clear], "rediss://:hunter2@mymaster"),
            Redis::sentinel([safe, clear], "rediss://:hunter2@mymaster"),
        ];
        for refused in refused {
            let error = refused.unwrap_err();
            assert!(
                error.to_string().contains("in whether they ask for TLS"),
                "{error}"
            );
            assert!(!format!("{error:?}").contains("hunter2"));
        }
    }

    #[test]
    fn tls_that_checks_nothing_is_refused_before_anything_is_sent() {
        let refused = [
            Redis::open("rediss://:hunter2@a:1/#insecure"),
            Redis::cluster(["rediss://a:1/#insecure"]),
            Redis::sentinel(["rediss://a:1"], "rediss://mymaster/#insecure"),
        ];
        for refused in refused {
            let error = refused.unwrap_err();
            assert!(matches!(error, RedisError::Insecure), "{error:?}");
            assert!(error.to_string().contains("root_certificates"), "{error}");
        }
    }

    #[test]
    fn certificates_for_an_address_in_clear_and_files_that_hold_none_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty.pem");
        std::fs::write(&empty, "").unwrap();
        let trusting = |file: &Path| RedisOptions::new().root_certificates(file);
        let told = [
            (trusting(&empty).open("redis://a"), "rediss://"),
            (
                trusting(&empty).open("rediss://a"),
                "empty.pem: there is no certificate",
            ),
            (trusting(&folder.path().join("gone")).open("rediss://a"), "gone: "),
            (
                RedisOptions::new()
                    .client_certificate(&empty, &empty)
                    .open("rediss://a"),
                "empty.pem",
            ),
        ];
        for (refused, why) in told {
            let error = refused.unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn sentinels_that_differ_in_their_password_are_told() {
        let error = Redis::sentinel(
            ["redis://:hunter2@127.0.0.1", "redis://:hunter3@127.0.0.2"],
            "redis://mymaster",
        )
        .unwrap_err();
        assert!(error.to_string().contains("in user or password"), "{error}");
        assert!(!format!("{error} {error:?}").contains("hunter"));
    }

    #[test]
    fn another_machine_is_spoken_to_in_clear_only_where_somebody_has_said_that_it_is_dangerous() {
        let far = "redis://:hunter2@cache.example:6379/0";
        let near = "redis://[::1]:7000";
        let open = |options: &RedisOptions| {
            [
                options.open(far),
                options.open("redis://192.0.2.7"),
                options.open("redis://127.0.0.1.example"),
                options.sentinel([near, far], "redis://mymaster"),
                options.cluster([near, far]),
            ]
        };
        for refused in open(&RedisOptions::new()) {
            let error = refused.unwrap_err();
            assert!(matches!(error, RedisError::InClear { .. }), "{error:?}");
            let told = format!("{error} {error:?}");
            assert!(
                told.contains("rediss://") && told.contains("dangerous_in_clear"),
                "{told}"
            );
            assert!(!told.contains("hunter"), "{told}");
        }
        // User and password of the Sentinels differ; that is told of another way of opening.
        for taken in open(&RedisOptions::new().dangerous_in_clear()) {
            let told = taken.err().map(|error| error.to_string());
            assert!(
                told.is_none_or(|told| told.contains("in user or password")),
                "not taken"
            );
        }
        for taken in [
            "redis://localhost",
            near,
            "redis://127.9.9.9/3",
            "unix:///run/redis.sock",
        ] {
            Redis::open(taken).unwrap();
        }
        Redis::sentinel([near], "redis://mymaster").unwrap();
    }
}
