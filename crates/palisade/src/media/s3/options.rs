//! Which bucket, where, with which key, and whom to believe that they are its server.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use object_store::aws::{AmazonS3Builder, Checksum, S3ConditionalPut};
use object_store::{BackoffConfig, RetryConfig};
use palisade_core::SecretKey;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::OnceCell;

use super::http::Way;
use super::{Inner, S3};

/// Why a bucket cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum S3Error {
    /// Its name is none.
    #[error("{0:?} is no name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens")]
    Bucket(String),
    /// The region's name is none.
    #[error("{0:?} is no region such as \"eu-central-1\"")]
    Region(String),
    /// What stands before the names of files is no path.
    #[error(
        "{0:?} is no prefix such as \"vault/media\": letters, digits, hyphens, underscores and single slashes"
    )]
    Prefix(String),
    /// The server's address cannot be used.
    #[error("{address:?} is no address of a server such as \"https://s3.example\": {reason}")]
    Endpoint {
        /// What was given.
        address: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// There is no key.
    #[error(
        "the environment has no {0}: set it to a key that may read, write, delete and list this bucket and no other"
    )]
    NoKey(&'static str),
    /// There is nobody to believe.
    #[error("cannot trust any server: {0}")]
    Trust(String),
    /// It cannot be used for another reason.
    #[error("cannot use the bucket: {0}")]
    Unusable(String),
}

/// The key with which a bucket is asked.
#[derive(Clone, Debug)]
pub struct S3Credentials {
    id: String,
    secret: SecretKey,
    token: Option<SecretKey>,
}

impl S3Credentials {
    /// A key and its name.
    pub fn new(id: impl Into<String>, secret: SecretKey) -> Self {
        Self {
            id: id.into(),
            secret,
            token: None,
        }
    }

    /// Adds the token of a key that expires. It is not renewed: the process must be started again before.
    #[must_use]
    pub fn with_session_token(mut self, token: SecretKey) -> Self {
        self.token = Some(token);
        self
    }

    /// Takes the key from the environment, under the names that all tools for S3 know: `AWS_ACCESS_KEY_ID`,
    /// `AWS_SECRET_ACCESS_KEY`, and `AWS_SESSION_TOKEN` if there is one.
    ///
    /// # Errors
    ///
    /// When one of the first two is missing.
    pub fn from_env() -> Result<Self, S3Error> {
        Self::among(|name| std::env::var(name).ok())
    }

    fn among(value: impl Fn(&str) -> Option<String>) -> Result<Self, S3Error> {
        let needed = |name: &'static str| {
            value(name)
                .filter(|value| !value.is_empty())
                .ok_or(S3Error::NoKey(name))
        };
        let (id, secret) = (needed("AWS_ACCESS_KEY_ID")?, needed("AWS_SECRET_ACCESS_KEY")?);
        let token = value("AWS_SESSION_TOKEN").filter(|value| !value.is_empty());
        Ok(Self {
            id,
            secret: SecretKey::new(secret),
            token: token.map(SecretKey::new),
        })
    }
}

/// Where buckets are and how they are spoken to.
///
/// # Example
///
/// ```no_run
/// use palisade::media::{S3Credentials, S3Options};
///
/// let bucket = S3Options::new("eu-central-1")
///     .prefix("vault")
///     .open("documents-of-example-com", &S3Credentials::from_env()?)?;
/// # let _ = bucket;
/// # Ok::<(), palisade::media::S3Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct S3Options {
    region: String,
    endpoint: Option<String>,
    prefix: String,
    roots: Option<PathBuf>,
    in_clear: bool,
    may_be_public: bool,
}

impl S3Options {
    /// Buckets of AWS in this region, over TLS, as the system's certificate authorities have it.
    pub fn new(region: impl Into<String>) -> Self {
        Self {
            region: region.into(),
            endpoint: None,
            prefix: String::new(),
            roots: None,
            in_clear: false,
            may_be_public: false,
        }
    }

    /// Buckets of another server that speaks S3, such as `https://minio.example:9000`. Without TLS only one of this machine is spoken to.
    #[must_use]
    pub fn endpoint(mut self, address: impl Into<String>) -> Self {
        self.endpoint = Some(address.into());
        self
    }

    /// Keeps files below this path of the bucket, such as `vault/media`, so that others may use the bucket, too.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Trusts the certificate authorities in this PEM file, and not those of the system.
    #[must_use]
    pub fn root_certificates(mut self, file: impl Into<PathBuf>) -> Self {
        self.roots = Some(file.into());
        self
    }

    /// Speaks to another machine without TLS where its address asks for none.
    ///
    /// # Security
    ///
    /// Whoever can listen on the way reads every file.
    #[must_use]
    pub fn dangerous_in_clear(mut self) -> Self {
        self.in_clear = true;
        self
    }

    /// Uses a bucket although it gives its files to whoever knows their names.
    ///
    /// # Security
    ///
    /// A link that has leaked once is a file that everybody has for ever: no rule of this library is asked.
    #[must_use]
    pub fn dangerous_public_bucket(mut self) -> Self {
        self.may_be_public = true;
        self
    }

    /// Opens a bucket, which must be there already. Nothing is sent: [`super::super::MediaStore::check`] asks whether it can be used.
    ///
    /// # Errors
    ///
    /// When a name or the address cannot be used, or there is nobody to trust.
    pub fn open(&self, bucket: &str, credentials: &S3Credentials) -> Result<S3, S3Error> {
        if !is_bucket(bucket) {
            return Err(S3Error::Bucket(bucket.to_owned()));
        }
        if !is_word(&self.region) {
            return Err(S3Error::Region(self.region.clone()));
        }
        let prefix = prefix(&self.prefix).ok_or_else(|| S3Error::Prefix(self.prefix.clone()))?;
        // A certificate for all buckets has no room for a dot in one.
        let by_host = self.endpoint.is_none() && !bucket.contains('.');
        let address = match &self.endpoint {
            Some(endpoint) => format!("{}/{bucket}", self.checked(endpoint)?),
            None if by_host => format!("https://{bucket}.s3.{}.amazonaws.com", self.region),
            None => format!("https://s3.{}.amazonaws.com/{bucket}", self.region),
        };
        let way = Way::new(Arc::new(self.trusting()?), self.in_clear);
        let secret = std::str::from_utf8(credentials.secret.expose());
        let secret = secret.map_err(|_| S3Error::Unusable("the key is no text".to_owned()))?;
        let mut builder = AmazonS3Builder::new()
            .with_region(&self.region)
            .with_bucket_name(bucket)
            .with_access_key_id(&credentials.id)
            .with_secret_access_key(secret)
            .with_virtual_hosted_style_request(by_host)
            .with_checksum_algorithm(Checksum::SHA256)
            .with_conditional_put(S3ConditionalPut::ETagMatch)
            .with_retry(retries())
            .with_http_connector(way.clone());
        if let Some(token) = &credentials.token {
            let token = std::str::from_utf8(token.expose());
            builder =
                builder.with_token(token.map_err(|_| S3Error::Unusable("the token is no text".to_owned()))?);
        }
        if let Some(endpoint) = &self.endpoint {
            // What is allowed in clear is decided above, and again by the address that is connected to.
            builder = builder
                .with_endpoint(endpoint.trim_end_matches('/'))
                .with_allow_http(true);
        }
        let store = builder
            .build()
            .map_err(|error| S3Error::Unusable(super::http::reason(&error)))?;
        let inner = Inner {
            store,
            client: way.client(),
            prefix,
            address,
            may_be_public: self.may_be_public,
            proven: OnceCell::new(),
        };
        Ok(S3 {
            inner: Arc::new(inner),
        })
    }

    /// The address of a server, without the slash at its end.
    fn checked<'e>(&self, endpoint: &'e str) -> Result<&'e str, S3Error> {
        let refused = |reason| {
            Err(S3Error::Endpoint {
                address: endpoint.to_owned(),
                reason,
            })
        };
        let Ok(uri) = endpoint.parse::<Uri>() else {
            return refused("it cannot be read");
        };
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return refused("it has no scheme or no host");
        };
        if authority.as_str().contains('@') {
            // The value is not repeated: it holds a password.
            return Err(S3Error::Endpoint {
                address: String::new(),
                reason: "keys do not stand in addresses",
            });
        }
        if uri.path() != "/" || uri.query().is_some() {
            return refused("it has a path");
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let near = host == "localhost"
            || host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        match scheme {
            "https" => Ok(endpoint.trim_end_matches('/')),
            "http" if near || self.in_clear => Ok(endpoint.trim_end_matches('/')),
            "http" => refused("without TLS whoever listens reads every file; write https://"),
            _ => refused("its scheme is neither https nor http"),
        }
    }

    fn trusting(&self) -> Result<ClientConfig, S3Error> {
        let mut roots = RootCertStore::empty();
        if let Some(file) = &self.roots {
            let certificates = CertificateDer::pem_file_iter(file)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(|error| S3Error::Trust(format!("{}: {error}", file.display())))?;
            roots.add_parsable_certificates(certificates);
        } else {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        let needs_any = self
            .endpoint
            .as_ref()
            .is_none_or(|address| address.starts_with("https"));
        if roots.is_empty() && needs_any {
            let from = self.roots.as_ref().map_or_else(
                || "the system's store (Debian: ca-certificates)".to_owned(),
                |file| file.display().to_string(),
            );
            return Err(S3Error::Trust(format!("no certificate authority in {from}")));
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| S3Error::Trust(error.to_string()))?;
        Ok(config.with_root_certificates(roots).with_no_client_auth())
    }
}

/// Three times within half a minute: somebody waits for the answer.
fn retries() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(50),
            max_backoff: Duration::from_secs(2),
            base: 2.0,
        },
        max_retries: 3,
        retry_timeout: Duration::from_secs(30),
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn is_bucket(name: &str) -> bool {
    let ends =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    (3..=63).contains(&name.len())
        && name.split('.').all(is_word)
        && ends(name.as_bytes().first())
        && ends(name.as_bytes().last())
}

/// A prefix with its slash, or nothing for none.
fn prefix(text: &str) -> Option<String> {
    let text = text.strip_suffix('/').unwrap_or(text);
    if text.is_empty() {
        return Some(String::new());
    }
    let is_part = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    text.split('/').all(is_part).then(|| format!("{text}/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(options: &S3Options, bucket: &str) -> Result<S3, S3Error> {
        let key = S3Credentials::new("id", SecretKey::new("a secret of the bucket"));
        options.open(bucket, &key)
    }

    #[test]
    fn a_server_is_spoken_to_in_clear_only_on_this_machine_or_if_somebody_says_that_it_is_dangerous() {
        let at = |address: &str| S3Options::new("eu-central-1").endpoint(address);
        for near in [
            "http://127.0.0.1:9000",
            "http://localhost:9000/",
            "http://[::1]:9000",
        ] {
            assert!(open(&at(near), "media").is_ok(), "{near}");
        }
        for far in [
            "http://minio.example:9000",
            "http://127.0.0.1.evil.example",
            "http://10.0.0.1",
            "http://localhost.evil.example",
        ] {
            assert!(
                matches!(open(&at(far), "media"), Err(S3Error::Endpoint { .. })),
                "{far}"
            );
            assert!(open(&at(far).dangerous_in_clear(), "media").is_ok(), "{far}");
        }
        for wrong in [
            "minio.example",
            "ftp://minio.example",
            "https://minio.example/path",
            "https://minio.example?x",
            "",
        ] {
            assert!(
                matches!(open(&at(wrong), "media"), Err(S3Error::Endpoint { .. })),
                "{wrong}"
            );
        }
        let with_key = open(&at("https://id:very-secret@minio.example"), "media")
            .unwrap_err()
            .to_string();
        assert!(!with_key.contains("very-secret"), "{with_key}");
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        let options = S3Options::new("eu-central-1");
        for bucket in [
            "",
            "ab",
            "Media",
            "media/other",
            "..",
            "a..b",
            "media?x",
            "-media",
            "media@evil.example",
            &"m".repeat(64),
        ] {
            assert!(
                matches!(open(&options, bucket), Err(S3Error::Bucket(_))),
                "{bucket}"
            );
        }
        for prefix in ["../other", "a//b", "/a", "a b", "a/../b", "."] {
            let options = options.clone().prefix(prefix);
            assert!(
                matches!(open(&options, "media"), Err(S3Error::Prefix(_))),
                "{prefix}"
            );
        }
        for region in ["", "eu-central-1.evil.example/", "EU"] {
            assert!(
                matches!(open(&S3Options::new(region), "media"), Err(S3Error::Region(_))),
                "{region}"
            );
        }
    }

    #[test]
    fn the_key_is_taken_under_the_names_that_tools_know_and_is_not_printed() {
        let environment = |name: &str| match name {
            "AWS_ACCESS_KEY_ID" => Some("id-of-the-key".to_owned()),
            "AWS_SECRET_ACCESS_KEY" => Some("very-secret".to_owned()),
            _ => None,
        };
        let key = S3Credentials::among(environment).unwrap();
        assert!(!format!("{key:?}").contains("very-secret"));
        let bucket = open(&S3Options::new("eu-central-1"), "media").unwrap();
        assert!(!format!("{bucket:?}").contains("a secret of the bucket"));
        let none = S3Credentials::among(|_| None).unwrap_err().to_string();
        assert!(none.contains("AWS_ACCESS_KEY_ID"), "{none}");
        let half = S3Credentials::among(|name| (name == "AWS_ACCESS_KEY_ID").then(|| "id".to_owned()));
        assert!(half.unwrap_err().to_string().contains("AWS_SECRET_ACCESS_KEY"));
    }
}
