//! The site that an attack is aimed at, as far as an attack may know it.

mod vault;
mod weak_twin;

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use palisade::clock::Clock;
use testkit::browser::Setup;
use testkit::raw::Wire;
use testkit::{Authority, Visitor, WeakTwin, certificate};

use self::vault::Vault;

/// How long a browser may take to report.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a report is looked for meanwhile.
const GLANCE: Duration = Duration::from_millis(20);

/// A running site, gone when this is dropped.
#[derive(Debug)]
pub struct Target {
    host: &'static str,
    secure: SocketAddr,
    in_clear: SocketAddr,
    /// Where raw bytes are sent: the weak twin has a server for them that was written by hand.
    raw: SocketAddr,
    fingerprint: String,
    certified: &'static str,
    authority: String,
    site: Site,
}

#[derive(Debug)]
enum Site {
    WeakTwin(WeakTwin),
    Vault(Box<Vault>),
}

/// Which of the two sites an attack is run against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The site without defences, where every attack must succeed.
    WeakTwin,
    /// The vault, where every attack must fail.
    Vault,
}

impl Side {
    /// Both, the weak one first.
    pub const BOTH: [Side; 2] = [Side::WeakTwin, Side::Vault];

    /// Opens a fresh site.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn open(self) -> Result<Target> {
        match self {
            Side::WeakTwin => Target::weak_twin(&Authority::new()?).await,
            Side::Vault => Target::vault().await,
        }
    }

    /// Opens a fresh site; the vault is started with these options, of which the weak twin knows none.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn open_with(self, options: &[&str]) -> Result<Target> {
        match self {
            Side::WeakTwin => self.open().await,
            Side::Vault => Target::vault_with(options).await,
        }
    }

    /// Opens a fresh site that goes by this clock; the weak twin needs none.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn open_at(self, clock: &Clock) -> Result<Target> {
        match self {
            Side::WeakTwin => self.open().await,
            Side::Vault => Target::vault_at(clock, "").await,
        }
    }
}

impl Target {
    /// Builds the program of the vault, so that no attack has to wait for that.
    ///
    /// # Errors
    /// When it does not build.
    pub fn prepare() -> Result<()> {
        vault::program().map(drop)
    }

    /// Returns the name under which browsers visit the site.
    pub fn host(&self) -> &'static str {
        self.host
    }

    /// Returns the address of a page.
    pub fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.host)
    }

    /// Leads a browser to the site, over TLS and in clear.
    pub fn reachable(&self, browser: Setup) -> Setup {
        browser
            .resolve(&format!("{}:443", self.host), self.secure)
            .resolve(&format!("{}:80", self.host), self.in_clear)
            .trust(&self.fingerprint)
    }

    /// Returns a visitor without a browser.
    ///
    /// # Errors
    /// When the site's authority has no certificate.
    pub fn visitor(&self) -> Result<Visitor> {
        Ok(Visitor::tls(
            self.secure,
            self.host,
            self.certified,
            certificate::trusting(&self.authority)?,
        ))
    }

    /// Connects from this address of the machine, inside TLS, and offers this protocol.
    ///
    /// # Errors
    /// When the site does not take the connection.
    pub async fn wire_from(&self, from: IpAddr, protocol: &str) -> Result<Wire> {
        let mut config = certificate::trusting(&self.authority)?;
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        Wire::tls_from(from, self.secure, self.certified, config).await
    }

    /// Connects as [`wire_from`](Target::wire_from) does, with room for few answers that are not read.
    ///
    /// # Errors
    /// When the site does not take the connection.
    pub async fn wire_with_little_room(&self, from: IpAddr) -> Result<Wire> {
        let mut config = certificate::trusting(&self.authority)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Wire::tls_with_little_room(from, self.secure, self.certified, config).await
    }

    /// Connects from this address of the machine to the port of TLS, and says nothing yet.
    ///
    /// # Errors
    /// When the site does not take the connection.
    pub async fn silent_from(&self, from: IpAddr) -> Result<Wire> {
        Wire::plain_from(from, self.secure).await
    }

    /// Returns where the site listens for TLS.
    pub fn address(&self) -> SocketAddr {
        self.secure
    }

    /// Returns the folder in which the vault keeps everything.
    pub fn folder(&self) -> Option<&Path> {
        match &self.site {
            Site::WeakTwin(_) => None,
            Site::Vault(vault) => Some(vault.folder()),
        }
    }

    /// Reads how much memory the vault's process needs now, in bytes.
    ///
    /// # Errors
    /// When the site has no process of its own.
    pub fn memory(&self) -> Result<u64> {
        let process = self.process().context("the site has no process of its own")?;
        crate::siege::memory(process, "VmRSS:")
    }

    /// Kills the vault as a power cut does, and starts it again in the same folder, on other ports.
    ///
    /// # Errors
    /// When it does not start again.
    pub async fn killed_and_started(self) -> Result<Target> {
        match self.site {
            Site::WeakTwin(_) => bail!("the weak twin keeps nothing"),
            Site::Vault(vault) => vault.killed_and_started().await,
        }
    }

    /// Returns the id of the site's process, where it has one of its own.
    pub fn process(&self) -> Option<u32> {
        match &self.site {
            Site::WeakTwin(_) => None,
            Site::Vault(vault) => vault.process(),
        }
    }

    /// Returns a visitor who comes in clear.
    pub fn visitor_in_clear(&self) -> Visitor {
        Visitor::plain(self.in_clear, self.host)
    }

    /// Leads a browser to the site over TLS, and to somebody else in clear, as who sits between them does.
    pub fn reachable_past(&self, browser: Setup, in_clear: SocketAddr) -> Setup {
        browser
            .resolve(&format!("{}:443", self.host), self.secure)
            .resolve(&format!("{}:80", self.host), in_clear)
            .trust(&self.fingerprint)
    }

    /// Opens a connection inside TLS on which anything can be said.
    ///
    /// # Errors
    /// When there is no handshake.
    pub async fn wire(&self) -> Result<Wire> {
        Wire::tls(self.raw, self.certified, certificate::trusting(&self.authority)?).await
    }

    /// Opens a connection inside TLS to the site's own server, and offers these protocols.
    ///
    /// # Errors
    /// When there is no handshake.
    pub async fn wire_speaking(&self, protocols: &[&str]) -> Result<Wire> {
        let mut config = certificate::trusting(&self.authority)?;
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Wire::tls(self.secure, self.certified, config).await
    }

    /// Opens a connection in clear, on which anything can be said.
    ///
    /// # Errors
    /// When nobody listens.
    pub async fn wire_in_clear(&self) -> Result<Wire> {
        Wire::plain(self.in_clear).await
    }

    /// Opens a connection on which not even TLS is spoken yet.
    ///
    /// # Errors
    /// When nobody listens.
    pub async fn bare_wire(&self) -> Result<Wire> {
        Wire::plain(self.raw).await
    }

    /// Says whether a user has become an administrator, as the site's own memory has it.
    ///
    /// # Errors
    /// When the site's database cannot be read.
    pub fn is_admin(&self, username: &str) -> Result<bool> {
        match &self.site {
            Site::WeakTwin(twin) => Ok(twin.is_admin(username)),
            Site::Vault(vault) => vault.is_admin(username),
        }
    }

    /// Returns the mails that the site has sent, the latest last.
    ///
    /// # Errors
    /// When the vault's folder of mails cannot be read.
    pub fn mails(&self) -> Result<Vec<String>> {
        match &self.site {
            Site::WeakTwin(twin) => Ok(twin.mails()),
            Site::Vault(vault) => vault.mails(),
        }
    }

    /// Makes a user a member of staff, as the person does who runs the site.
    ///
    /// # Errors
    /// When the site's database cannot be written.
    pub fn appoint(&self, username: &str) -> Result<()> {
        match &self.site {
            Site::WeakTwin(twin) => twin.appoint(username),
            Site::Vault(vault) => vault.appoint(username)?,
        }
        Ok(())
    }

    /// Returns the certificate of the authority that the site's own is from (PEM).
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Returns what the site has logged, to explain a failure.
    pub fn log(&self) -> String {
        match &self.site {
            Site::WeakTwin(twin) => twin.log(),
            Site::Vault(vault) => vault.log(),
        }
    }

    /// Counts the reports of violated policies that the site keeps.
    ///
    /// # Errors
    /// When the site's database cannot be read.
    pub fn reports_kept(&self) -> Result<usize> {
        match &self.site {
            Site::WeakTwin(twin) => Ok(twin.reports_kept()),
            Site::Vault(vault) => vault.reports_kept(),
        }
    }

    /// Waits until a browser has reported that a policy was violated.
    ///
    /// # Errors
    /// When none does.
    pub async fn reported(&self) -> Result<()> {
        let begun = Instant::now();
        while self.reports_kept()? == 0 {
            ensure!(begun.elapsed() < PATIENCE, "no browser has reported anything");
            tokio::time::sleep(GLANCE).await;
        }
        Ok(())
    }

    /// Returns the table of sessions, as somebody has it who has stolen it: each key with its data.
    ///
    /// # Errors
    /// When the site's database cannot be read.
    pub fn stolen_sessions(&self) -> Result<Vec<(String, String)>> {
        match &self.site {
            Site::WeakTwin(twin) => Ok(twin.stolen_sessions()),
            Site::Vault(vault) => vault.stolen_sessions(),
        }
    }

    /// Puts this in the place of the data of every session, as somebody can who may write into the database.
    ///
    /// # Errors
    /// When the site's database cannot be written.
    pub fn overwrite_sessions(&self, data: &str) -> Result<()> {
        match &self.site {
            Site::WeakTwin(twin) => twin.overwrite_sessions(data),
            Site::Vault(vault) => vault.overwrite_sessions(data)?,
        }
        Ok(())
    }

    /// Returns what stands beside each name to know the password by, as somebody has it who has stolen the database.
    ///
    /// # Errors
    /// When the site's database cannot be read.
    pub fn stolen_passwords(&self) -> Result<Vec<(String, String)>> {
        match &self.site {
            Site::WeakTwin(twin) => Ok(twin.stolen_passwords()),
            Site::Vault(vault) => vault.stolen_passwords(),
        }
    }

    /// Puts this beside a name, as who brings users along from an old site does.
    ///
    /// # Errors
    /// When the site's database cannot be written.
    pub fn overwrite_password(&self, username: &str, stored: &str) -> Result<()> {
        match &self.site {
            Site::WeakTwin(twin) => twin.overwrite_password(username, stored),
            Site::Vault(vault) => vault.overwrite_password(username, stored)?,
        }
        Ok(())
    }

    /// Lets every mail fail from now on.
    ///
    /// # Errors
    /// When the vault's folder of mails cannot be put away.
    pub fn break_mail(&self) -> Result<()> {
        match &self.site {
            Site::WeakTwin(twin) => twin.break_mail(),
            Site::Vault(vault) => vault.break_mail()?,
        }
        Ok(())
    }

    /// Lets the last day pass of everything that was shared until one; the weak twin never looks at it.
    ///
    /// # Errors
    /// When the site's database cannot be written, or no end stands in it.
    pub fn let_grants_end(&self) -> Result<()> {
        match &self.site {
            Site::WeakTwin(_) => Ok(()),
            Site::Vault(vault) => vault.let_grants_end(),
        }
    }

    /// Lets every new note fail.
    ///
    /// # Errors
    /// When the site's database cannot be written.
    pub fn break_notes(&self) -> Result<()> {
        match &self.site {
            Site::WeakTwin(twin) => twin.break_notes(),
            Site::Vault(vault) => vault.break_notes()?,
        }
        Ok(())
    }

    /// Returns what the site has reported of its faults; the weak twin has it in its log.
    ///
    /// # Errors
    /// When the reports cannot be read.
    pub fn fault_reports(&self) -> Result<String> {
        match &self.site {
            Site::WeakTwin(twin) => Ok(twin.log()),
            Site::Vault(vault) => vault.fault_reports(),
        }
    }

    /// Opens the weak twin.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn weak_twin(authority: &Authority) -> Result<Target> {
        weak_twin::open(authority).await
    }

    /// Opens the weak twin so that it asks browsers for a certificate, and takes any.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn weak_twin_with_certificates(authority: &Authority) -> Result<Target> {
        weak_twin::open_with_certificates(authority).await
    }

    /// Builds and starts the vault with a fresh data folder.
    ///
    /// # Errors
    /// When it does not build or does not start.
    pub async fn vault() -> Result<Target> {
        Target::vault_with(&[]).await
    }

    /// Builds and starts the vault with more options.
    ///
    /// # Errors
    /// When it does not build or does not start.
    pub async fn vault_with(options: &[&str]) -> Result<Target> {
        vault::open(options).await
    }

    /// Starts the vault within the test, by a clock that the test moves, with more lines of settings.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn vault_at(clock: &Clock, settings: &str) -> Result<Target> {
        vault::open_at(clock, settings).await
    }
}
