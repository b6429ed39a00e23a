//! From the command line to a running server, and one sentence for each thing that may be in the way.
//!
//! A start makes what is missing and keeps what is there. Nothing is replaced silently: a key or a certificate that was
//! trusted yesterday is trusted today, or the start fails and says what to do.

use std::env;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use palisade::clock::Clock;
use palisade::core::settings::{EmailBackend, Folder, reference_toml};
use palisade::load::{LoadError, load_settings_over};
use palisade::mail::Mailer;
use palisade::report::ReportFolder;
use palisade::serve::{Bound, ClientCa, ServeError, Tls};
use palisade::sqlite::Sqlite;
use palisade::{Palisade, SecretKey, Settings};

use crate::app;
use crate::cli::{Command, Options};
use crate::data::{DataFolder, reason};
use crate::documents;
use crate::log;
use crate::overview;
use crate::reach::Reach;
use crate::staff::{appoint, certificate};

/// The hosts that are answered to unless the settings name others.
const HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The file of settings that is read if it is there and no other is named.
const CONFIG: &str = "palisade.toml";

/// How often sessions that have ended are cleared away.
const CLEANING: Duration = Duration::from_hours(1);

/// Does what the command line asks for: starts the vault and serves until it is asked to stop, unless it names a command.
///
/// # Errors
///
/// Whatever keeps it from starting; [`sentence`] says it.
pub async fn run(options: Options) -> Result<()> {
    if options.print_config {
        return Ok(io::stdout().write_all(reference_toml().as_bytes())?);
    }
    log::open(&options.log)?;
    match &options.command {
        Some(Command::Staff(asked)) => appoint::run(&DataFolder::there(&options.data)?, asked).await,
        Some(Command::ClientCertificate(asked)) => certificate::run(&DataFolder::open(&options.data)?, asked),
        Some(Command::Routes(asked)) => overview::routes(&options, asked),
        Some(Command::Check(asked)) => overview::check(&options, asked),
        None => serve(options).await,
    }
}

async fn serve(options: Options) -> Result<()> {
    let opened = open(&options, Clock::system()).await?;
    opened.announce();
    opened.serve().await
}

/// Opens the vault on its ports, as the options say, by this clock. Whoever comes waits until it is [served](Opened::serve).
///
/// # Errors
///
/// Whatever keeps it from starting; [`sentence`] says it.
pub async fn open(options: &Options, clock: Clock) -> Result<Opened> {
    let asked = Asked::of(options)?;
    let reach = Reach::of(options)?;
    let data = DataFolder::open(&options.data)?;
    let mut own = own_settings(data.secret_key(options.new_key)?);
    data.seal_sessions(&mut own)?;
    let settings = settings(options.config.as_deref(), own)?;
    let settings = with_mail(settings, &data.mail(), asked.https)?;
    let tls = match (&options.certificate, &options.key) {
        (Some(certificate), Some(key)) => Tls::from_files(certificate, key).map_err(plainly)?,
        _ => Tls::development(data.path(), [""; 0])?,
    };
    let tls = match client_ca(options).map_err(plainly)? {
        Some(authority) => tls.with_client_ca(authority).map_err(plainly)?,
        None => tls,
    };

    let hosts = settings.allowed_hosts.patterns().to_vec();
    if !asked.https.ip().is_loopback() && hosts.iter().all(|host| HOSTS.contains(&host.as_str())) {
        tracing::warn!(
            "other machines can reach {} but are answered to at no name of theirs, only at {}: set \
             PALISADE_ALLOWED_HOSTS=vault.example, with the name that people will open",
            asked.https,
            hosts.join(", ")
        );
    }

    let file = data.database();
    ensure!(
        !file.is_dir(),
        "cannot open the database {}: a folder is in the way, move it away",
        file.display()
    );
    let database = Sqlite::open(file)?;
    let routes = app::routes(&settings, &database, clock.clone(), &reach)?;
    let keys = data.seal_keys(clock.clone())?;
    let mailer = Mailer::from_settings(&settings)?;
    let mail = mail_folder(&settings);
    let reports = ReportFolder::open(data.path().join("reports"))?;
    let media = documents::media(&data.media(), &database).await?;
    let palisade = app::palisade(settings, &database, clock)?
        .with_media(media)
        .with_reports(reports);
    let palisade = app::with_recovery(palisade, &database, keys, mailer)?;
    let site = palisade.protect(routes)?;

    let server = palisade::serve(site, tls)
        .listen(&options.listen)
        .http_redirect(&options.http_listen)
        .bind()
        .await
        .map_err(|error| asked.name(error))?;
    let authority = options
        .certificate
        .is_none()
        .then(|| data.path().join("tls").join("ca.pem"));
    Ok(Opened {
        server,
        palisade,
        database,
        hosts,
        authority,
        mail,
    })
}

/// A vault whose ports are open.
pub struct Opened {
    server: Bound,
    palisade: Palisade,
    database: Sqlite,
    hosts: Vec<String>,
    authority: Option<PathBuf>,
    mail: Option<PathBuf>,
}

impl Opened {
    /// Where it is served.
    pub fn addresses(&self) -> &[SocketAddr] {
        self.server.addresses()
    }

    /// From where plain HTTP is sent on to HTTPS.
    pub fn redirect_address(&self) -> Option<SocketAddr> {
        self.server.redirect_address()
    }

    /// Serves until it is asked to stop.
    ///
    /// # Errors
    ///
    /// When the database cannot be closed.
    pub async fn serve(self) -> Result<()> {
        if let Some(sessions) = self.palisade.sessions() {
            sessions.clear_expired_every(CLEANING);
        }
        self.server.await;
        self.palisade.close().await;
        self.database.close().await.context("cannot close the database")
    }

    fn announce(&self) {
        announce(
            self.addresses(),
            self.redirect_address(),
            &self.hosts,
            self.authority.as_deref(),
            self.mail.as_deref(),
        );
    }
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

/// Where the command line asks to listen.
pub(crate) struct Asked {
    pub(crate) https: SocketAddr,
    http: SocketAddr,
}

impl Asked {
    /// Reads both addresses before anything is made, so that a slip leaves nothing behind.
    pub(crate) fn of(options: &Options) -> Result<Self> {
        let read = |option: &str, text: &str| -> Result<SocketAddr> {
            text.parse().map_err(|_| {
                anyhow!("{option} {text:?} is not an address with a port, such as 127.0.0.1:8443")
            })
        };
        let asked = Self {
            https: read("--listen", &options.listen)?,
            http: read("--http-listen", &options.http_listen)?,
        };
        let (https, http) = (asked.https, asked.http);
        let shared = https.ip() == http.ip() || https.ip().is_unspecified() || http.ip().is_unspecified();
        ensure!(
            https.port() != http.port() || https.port() == 0 || !shared,
            "--listen {https} and --http-listen {http} are the same place: give one of them another port"
        );
        Ok(asked)
    }

    /// Says which option an address is from, where that is what is wrong.
    fn name(&self, error: ServeError) -> anyhow::Error {
        let at = match &error {
            ServeError::AddressInUse { address }
            | ServeError::AddressForbidden { address }
            | ServeError::Address { address, .. }
            | ServeError::DevelopmentExposed { address } => *address,
            _ => return error.into(),
        };
        let option = if at == self.https {
            "--listen"
        } else {
            "--http-listen"
        };
        anyhow!("{option}: {error}")
    }
}

/// Whose certificates staff shows, if anybody's.
fn client_ca(options: &Options) -> Result<Option<ClientCa>, ServeError> {
    let Some(authority) = &options.client_ca else {
        return Ok(None);
    };
    let mut authority = ClientCa::from_file(authority)?;
    for list in &options.client_crls {
        authority = authority.with_crl(list)?;
    }
    Ok(Some(authority))
}

/// Says in plain words why a certificate or its key cannot be read.
fn plainly(error: ServeError) -> anyhow::Error {
    match error {
        ServeError::Unreadable { path, source } => {
            anyhow!("cannot read {}: {}", path.display(), reason(&source))
        }
        error => error.into(),
    }
}

/// What the vault brings itself: its key, and the names of this machine.
pub(crate) fn own_settings(key: SecretKey) -> Settings {
    Settings::new(key, HOSTS)
}

/// The file of settings: the one that is named, or `palisade.toml` if it is there.
pub(crate) fn config(named: Option<&Path>) -> Option<&Path> {
    let path = named.unwrap_or(Path::new(CONFIG));
    (named.is_some() || !matches!(path.try_exists(), Ok(false))).then_some(path)
}

/// The variables that may be settings.
pub(crate) fn variables() -> impl Iterator<Item = (String, String)> {
    env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Reads the settings, over what the vault brings itself, and logs what is loose in them.
pub(crate) fn settings(named: Option<&Path>, own: Settings) -> Result<Settings> {
    let settings = load(named, own)?;
    for weakness in settings.weaknesses() {
        tracing::warn!(target: "palisade::settings", threat = weakness.threat.id(), "{}", weakness.what);
    }
    Ok(settings)
}

/// Reads the settings, over what the vault brings itself.
pub(crate) fn load(named: Option<&Path>, own: Settings) -> Result<Settings> {
    match config(named) {
        None => Ok(own.overlaid(None, variables())?),
        Some(path) => load_settings_over(own, path, variables()).map_err(readably),
    }
}

/// Says in plain words why a file of settings cannot be read.
pub(crate) fn readably(error: LoadError) -> anyhow::Error {
    match error {
        LoadError::Unreadable { path, reason: why } => {
            anyhow!("cannot read the settings {}: {}", path.display(), reason(&why))
        }
        error => anyhow!(error),
    }
}

/// Writes mails into the data folder, with links to this machine, until the settings name a server that takes them.
pub(crate) fn with_mail(mut settings: Settings, folder: &Path, https: SocketAddr) -> Result<Settings> {
    if settings.email_backend == EmailBackend::Smtp && settings.email_host.is_empty() {
        settings.email_backend = EmailBackend::File;
    }
    if settings.email_backend == EmailBackend::File {
        if settings.email_file_path.is_none() {
            settings.email_file_path = Some(Folder::new(folder.display().to_string()));
        }
        if settings.site_url.is_none() {
            let port = Some(https.port()).filter(|port| ![0, 443].contains(port));
            let port = port.map_or_else(String::new, |port| format!(":{port}"));
            settings.site_url = Some(format!("https://localhost{port}").parse()?);
        }
    }
    Ok(settings)
}

/// The folder that mails are written into, if they are.
fn mail_folder(settings: &Settings) -> Option<PathBuf> {
    let folder = settings.email_file_path.as_ref();
    let folder = folder.filter(|_| settings.email_backend == EmailBackend::File);
    folder.map(|folder| folder.path().to_owned())
}

/// Says where to go and how to trust the certificate. A program that starts the vault reads the first two lines.
fn announce(
    addresses: &[SocketAddr],
    redirect: Option<SocketAddr>,
    hosts: &[String],
    authority: Option<&Path>,
    mail: Option<&Path>,
) {
    let mut lines = Vec::new();
    for address in addresses {
        lines.push(format!("listening on https://{}", place(*address, hosts)));
    }
    if let Some(address) = redirect {
        lines.push(format!("redirecting from http://{}", place(address, hosts)));
    }
    if let Some(address) = addresses.first() {
        lines.push(format!(
            "\nOpen https://{}/ in a browser and sign up.",
            place(*address, hosts)
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
                place(*address, hosts)
            ));
        }
    }
    if let Some(mail) = mail {
        let mail = mail.display();
        lines.push(format!(
            "\nMails, such as links to reset a password, are not sent but written into\n  {mail}\nuntil the settings name a \
             mail server (email_host) and this site's address (site_url)."
        ));
    }
    // Serving goes on where nobody reads along.
    let _closed = writeln!(io::stdout(), "{}", lines.join("\n"));
}

/// The address as a browser is told it: by a name that is answered to, which on this machine is `localhost` if it can be.
fn place(address: SocketAddr, hosts: &[String]) -> String {
    let (ip, port) = (address.ip(), address.port());
    let is_local = |host: &&String| HOSTS.contains(&host.as_str());
    // A pattern such as `.example` or `*` is no name to open.
    let mut names = hosts.iter().filter(|host| !host.starts_with(['.', '*']));
    let here = hosts.iter().any(|host| host == "localhost");
    let name = match ip {
        ip if ip.is_loopback() && here => None,
        ip if ip.is_loopback() => names.next(),
        _ => names.find(|host| !is_local(host)),
    };
    match name {
        Some(name) => format!("{name}:{port}"),
        None if ip.is_loopback() || ip.is_unspecified() => format!("localhost:{port}"),
        None => address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place_is_a_name_that_is_answered_to() {
        let place = |address: &str, hosts: &[&str]| {
            let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
            place(address.parse().unwrap(), &hosts)
        };
        assert_eq!(place("127.0.0.1:8443", &HOSTS), "localhost:8443");
        assert_eq!(place("[::1]:8443", &HOSTS), "localhost:8443");
        assert_eq!(place("0.0.0.0:443", &HOSTS), "localhost:443");
        assert_eq!(place("0.0.0.0:443", &["vault.example"]), "vault.example:443");
        assert_eq!(
            place("0.0.0.0:443", &["localhost", ".example", "vault.example"]),
            "vault.example:443"
        );
        assert_eq!(place("127.0.0.1:8443", &["vault.example"]), "vault.example:8443");
        assert_eq!(
            place("127.0.0.1:8443", &["localhost", "vault.example"]),
            "localhost:8443"
        );
        assert_eq!(place("10.0.0.7:8443", &HOSTS), "10.0.0.7:8443");
    }
}
