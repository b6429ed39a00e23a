//! From the command line to a running server, and one sentence for each thing that may be in the way.
//!
//! A start makes what is missing and keeps what is there. Nothing is replaced silently: a key or a certificate that was
//! trusted yesterday is trusted today, or the start fails and says what to do.

use std::env;
use std::io::{self, IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use palisade::clock::Clock;
use palisade::core::settings::reference_toml;
use palisade::load::{LoadError, load_settings_over};
use palisade::serve::Tls;
use palisade::sqlite::Sqlite;
use palisade::{SecretKey, Settings};
use tracing_subscriber::EnvFilter;

use crate::app;
use crate::cli::Options;
use crate::data::{DataFolder, reason};

/// The hosts that are answered to unless the settings name others.
const HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The file of settings that is read if it is there and no other is named.
const CONFIG: &str = "palisade.toml";

/// How often sessions that have ended are cleared away.
const CLEANING: Duration = Duration::from_hours(1);

/// Starts the vault and serves until it is asked to stop.
///
/// # Errors
///
/// Whatever keeps it from starting; [`sentence`] says it.
pub async fn run(options: Options) -> Result<()> {
    if options.print_config {
        return Ok(io::stdout().write_all(reference_toml().as_bytes())?);
    }
    log(&options.log)?;
    let data = DataFolder::open(&options.data)?;
    let settings = settings(options.config.as_deref(), data.secret_key()?)?;
    let tls = match (&options.certificate, &options.key) {
        (Some(certificate), Some(key)) => Tls::from_files(certificate, key)?,
        _ => Tls::development(data.path(), [""; 0])?,
    };

    let clock = Clock::system();
    let database = Sqlite::open(data.database())?;
    let routes = app::routes(&database, clock.clone(), &options.widget_origins)?;
    let palisade = app::palisade(settings, &database, clock)?;
    let site = palisade.protect(routes);

    let server = palisade::serve(site, tls)
        .listen(&options.listen)
        .http_redirect(&options.http_listen)
        .bind()
        .await?;
    if let Some(sessions) = palisade.sessions() {
        sessions.clear_expired_every(CLEANING);
    }
    let authority = options
        .certificate
        .is_none()
        .then(|| data.path().join("tls").join("ca.pem"));
    announce(
        server.addresses(),
        server.redirect_address(),
        authority.as_deref(),
    );
    server.await;
    database.close().await.context("cannot close the database")
}

/// Says in one sentence what went wrong; settings have a line each.
pub fn sentence(error: &anyhow::Error) -> String {
    let mut said = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        // Some errors say their cause themselves.
        if !said.contains(&cause) {
            said = format!("{said}: {cause}");
        }
    }
    said
}

fn log(filter: &str) -> Result<()> {
    let filter =
        EnvFilter::try_new(filter).map_err(|error| anyhow!("--log {filter:?} is no filter: {error}"))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .try_init()
        .map_err(|error| anyhow!("the log cannot be opened: {error}"))
}

/// Reads the settings, over what the vault brings itself: its key, and the names of this machine.
fn settings(named: Option<&Path>, key: SecretKey) -> Result<Settings> {
    let path = named.unwrap_or(Path::new(CONFIG));
    let variables = env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let own = Settings::new(key, HOSTS);
    let settings = if named.is_none() && matches!(path.try_exists(), Ok(false)) {
        own.overlaid(None, variables)?
    } else {
        load_settings_over(own, path, variables).map_err(|error| match error {
            LoadError::Unreadable { path, reason: why } => {
                anyhow!("cannot read the settings {}: {}", path.display(), reason(&why))
            }
            error => anyhow!(error),
        })?
    };
    for weakness in settings.weaknesses() {
        tracing::warn!(target: "palisade::settings", threat = weakness.threat.id(), "{}", weakness.what);
    }
    Ok(settings)
}

/// Says where to go and how to trust the certificate. A program that starts the vault reads the first two lines.
fn announce(addresses: &[SocketAddr], redirect: Option<SocketAddr>, authority: Option<&Path>) {
    let mut lines = Vec::new();
    for address in addresses {
        lines.push(format!("listening on https://{}", place(*address)));
    }
    if let Some(address) = redirect {
        lines.push(format!("redirecting from http://{}", place(address)));
    }
    if let Some(address) = addresses.first() {
        lines.push(format!(
            "\nOpen https://{}/ in a browser and sign up.",
            place(*address)
        ));
        if let Some(authority) = authority {
            let authority = authority.display();
            lines.push(
                "Your browser will warn you until it knows this machine's authority. Import it once:"
                    .to_owned(),
            );
            lines.push(format!("  {authority}"));
            lines.push(format!(
                "or try:\n  curl --cacert {authority} https://{}/",
                place(*address)
            ));
        }
    }
    // Serving goes on where nobody reads along.
    let _closed = writeln!(io::stdout(), "{}", lines.join("\n"));
}

/// The address as a browser on this machine is told it: by the name that the certificate is for.
fn place(address: SocketAddr) -> String {
    let ip = address.ip();
    if ip.is_loopback() || ip.is_unspecified() {
        format!("localhost:{}", address.port())
    } else {
        address.to_string()
    }
}
