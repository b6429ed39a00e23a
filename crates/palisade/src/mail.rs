//! Sending mail: over TLS or not at all, and never while somebody waits for a page.
//!
//! Meets `credential-guessing`, `untrusted-host` and `insecure-transport`.
//!
//! 1. A mail with a link that opens an account is worth as much as the password. So it goes to the server over TLS whose
//!    certificate fits ([`Settings::email_host`]), and where the server offers no TLS nothing is sent.
//! 2. What is sent goes out in the background: the time of an answer does not say whether there was anything to send.
//! 3. Links begin with [`Settings::site_url`], never with what a request calls the site.
//! 4. No line break gets into a header (Django's `BadHeaderError`): a subject with one is refused, as is an address.
//! 5. A failure is logged under the mail's number. Neither the address nor what the server said of it is.
//!
//! In development [`EmailBackend::File`] writes each mail into a folder, and in tests [`EmailBackend::Memory`] keeps them.
//!
//! # Example
//!
//! ```
//! use palisade::core::settings::EmailBackend;
//! use palisade::mail::{Mail, Mailer};
//! use palisade::{SecretKey, Settings};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut settings = Settings::for_development(SecretKey::new("a key for this example only"));
//! settings.site_url = Some("https://localhost:8443".parse()?);
//! settings.email_backend = EmailBackend::Memory;
//! let mailer = Mailer::from_settings(&settings)?;
//!
//! mailer.post(Mail::new("ada@example.com", "Hello", "A line of text.")?)?;
//! mailer.close().await;
//! let sent = mailer.outbox().unwrap().sent();
//! assert_eq!(sent[0].subject(), "Hello");
//! # Ok(()) }
//! ```
//!
//! # Security
//!
//! TLS ends at the mail server: between servers, mail may travel in clear, and whoever runs the mailbox reads it.
//!
//! [`EmailBackend::File`]: palisade_core::settings::EmailBackend::File
//! [`EmailBackend::Memory`]: palisade_core::settings::EmailBackend::Memory

mod file;
mod memory;
mod message;
mod queue;
mod smtp;

pub use memory::Outbox;
pub use message::{BadMail, Mail};
pub use queue::MailBusy;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use lettre::address::Envelope;
use lettre::message::Mailbox;
use palisade_core::Settings;
use palisade_core::origin::Origin;
use palisade_core::settings::EmailBackend;
use palisade_core::token::{Alphabet, random_string};

use crate::clock::Clock;
use crate::redact::printable;
use message::Admins;
use queue::Queue;

/// How many characters a subject has, so that it fits into one line of a mail (RFC 5322: 998) behind its name.
const LONGEST_SUBJECT: usize = 988;
/// How many characters a mail's number has.
const NUMBER_CHARS: usize = 16;

/// Why mail cannot be sent with these settings. Each says what to change.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum MailSetupError {
    /// No address for links.
    #[error(
        "site_url is not set: links in mails need the site's own address, since what a request calls it may be an attacker's; set it \
         to something such as \"https://vault.example\""
    )]
    NoSiteUrl,
    /// No server.
    #[error(
        "email_host is not set: name the server that takes mails, or write them into a folder with email_backend = \"file\""
    )]
    NoHost,
    /// Two ways to begin TLS.
    #[error(
        "email_use_tls and email_use_ssl exclude each other: TLS begins with STARTTLS or with the connection"
    )]
    BothKindsOfTls,
    /// No TLS.
    #[error(
        "email_use_tls and email_use_ssl are both off: mails would travel in clear, and who resets a password with them could be \
         anybody; set one of them (or dangerous_email_in_clear, for a server on this machine)"
    )]
    InClear,
    /// No TLS, over a network.
    #[error(
        "dangerous_email_in_clear is for a server on this machine, and email_host is {0:?}: use localhost, or TLS"
    )]
    InClearElsewhere(String),
    /// The authorities cannot be read.
    #[error("the file of authorities {path} (email_ca_file) cannot be used: {reason}")]
    Authorities {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// TLS cannot be set up.
    #[error("TLS for {host:?} cannot be set up: {reason}")]
    Tls {
        /// The mail server.
        host: String,
        /// What is wrong.
        reason: String,
    },
    /// The sender is none.
    #[error("default_from_email is no address to send from, such as \"Vault <vault@example.com>\": {0}")]
    From(String),
    /// Who faults are told by is nobody.
    #[error("server_email is no address to send from, such as \"shop@example.com\": {0}")]
    ServerEmail(String),
    /// Somebody who is to be told of faults has no address.
    #[error("admins has {0:?} in it, which is no address that mail can be sent to: {1}")]
    Admin(String, String),
    /// No folder for files.
    #[error("email_file_path is not set: name the folder that email_backend = \"file\" writes into")]
    NoFolder,
    /// The folder cannot be used.
    #[error("mails cannot be written into {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// Others can read the folder.
    #[error("other users of this machine may read {}, where mails are written: chmod 700 it", .0.display())]
    FolderOpen(PathBuf),
}

/// The same text: what `main` returns is shown by its `Debug`.
impl fmt::Debug for MailSetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A mail as it is handed over: to whom, and its text with all headers.
#[derive(Debug)]
struct Letter {
    number: String,
    mail: Mail,
    envelope: Envelope,
    text: Vec<u8>,
}

/// Why a mail was not handed over; nothing in it tells the address.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
struct Undelivered {
    what: String,
    /// Whether it may work later.
    for_now: bool,
}

/// Where mails go.
trait Carrier: fmt::Debug + Send + Sync + 'static {
    fn deliver<'a>(&'a self, letter: &'a Letter) -> BoxFuture<'a, Result<(), Undelivered>>;
}

/// Sends mail in the background. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Mailer {
    carrier: Arc<dyn Carrier>,
    queue: Queue,
    from: Mailbox,
    admins: Arc<Admins>,
    site: Origin,
    outbox: Option<Outbox>,
    clock: Clock,
}

impl Mailer {
    /// Sends as the settings say.
    ///
    /// # Errors
    ///
    /// When the settings do not say enough, or mail would travel in clear.
    pub fn from_settings(settings: &Settings) -> Result<Self, MailSetupError> {
        let site = settings.site_url.clone().ok_or(MailSetupError::NoSiteUrl)?;
        let from = message::sender(&settings.default_from_email)?;
        let mut outbox = None;
        let carrier: Arc<dyn Carrier> = match settings.email_backend {
            EmailBackend::File => Arc::new(file::MailFolder::open(settings)?),
            EmailBackend::Memory => {
                let kept = Outbox::default();
                outbox = Some(kept.clone());
                Arc::new(kept)
            }
            // A back end that is added later is no reason to send nothing.
            _ => Arc::new(smtp::Smtp::from_settings(settings, &site)?),
        };
        Ok(Self {
            carrier,
            queue: Queue::default(),
            from,
            admins: Arc::new(Admins::from_settings(settings)?),
            site,
            outbox,
            clock: Clock::system(),
        })
    }

    /// Says whether [`from_settings`](Self::from_settings) would do, and makes nothing: for a check before a start.
    ///
    /// # Errors
    ///
    /// As [`from_settings`](Self::from_settings).
    ///
    /// # Example
    ///
    /// ```
    /// use palisade::mail::{MailSetupError, Mailer};
    /// use palisade::{SecretKey, Settings};
    ///
    /// let settings = Settings::new(SecretKey::new("…"), ["example.com"]);
    /// assert!(matches!(Mailer::check(&settings), Err(MailSetupError::NoSiteUrl)));
    /// ```
    pub fn check(settings: &Settings) -> Result<(), MailSetupError> {
        let site = settings.site_url.as_ref().ok_or(MailSetupError::NoSiteUrl)?;
        message::sender(&settings.default_from_email)?;
        match settings.email_backend {
            EmailBackend::File => file::MailFolder::check(settings),
            EmailBackend::Memory => Ok(()),
            _ => smtp::Smtp::from_settings(settings, site).map(|_| ()),
        }
    }

    /// Dates mails by this clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The address of a page of this site, for a link in a mail: `site_url`, and the path.
    pub fn link(&self, path: &str) -> String {
        format!("{}/{}", self.site, path.trim_start_matches('/'))
    }

    /// Hands a mail over, to be sent in the background; one that cannot be sent is tried again for half a minute, and then logged.
    ///
    /// # Errors
    ///
    /// [`MailBusy`] when too many wait to be sent.
    pub fn post(&self, mail: Mail) -> Result<(), MailBusy> {
        self.post_later(async move { vec![mail] })
    }

    /// Hands over a mail to each of `admins`, from `server_email`, with `email_subject_prefix` before the subject: Django's
    /// `mail_admins`. Line breaks in the subject become visible, and it is cut where a line of a mail ends.
    ///
    /// Faults reach them without it ([`report`](crate::report)).
    ///
    /// # Errors
    ///
    /// [`MailBusy`] when too many wait to be sent; then nobody gets it who has not got it yet.
    pub fn mail_admins(&self, subject: &str, text: impl Into<String>) -> Result<(), MailBusy> {
        let (prefix, text) = (&self.admins.prefix, text.into());
        let room = LONGEST_SUBJECT.saturating_sub(prefix.chars().count());
        // What is printed is ASCII.
        let shown = printable(subject, room);
        let subject = format!(
            "{prefix}{}",
            shown.get(..room).unwrap_or(&shown).trim_end_matches('…')
        );
        for to in &self.admins.to {
            match Mail::to_admin(&self.admins, to, subject.clone(), text.clone()) {
                Ok(mail) => self.post(mail)?,
                Err(error) => tracing::error!(target: "palisade::mail", %error, "admins are not told"),
            }
        }
        Ok(())
    }

    /// Whether anybody is to be told of faults.
    pub(crate) fn has_admins(&self) -> bool {
        !self.admins.to.is_empty()
    }

    /// Hands over what has still to be found out: whether there is anything to send takes its time in the background, too.
    pub(crate) fn post_later(
        &self,
        mails: impl Future<Output = Vec<Mail>> + Send + 'static,
    ) -> Result<(), MailBusy> {
        let mailer = self.clone();
        self.queue.take(async move |patience| {
            for mail in patience.in_turn(mails).await {
                let number = random_string(NUMBER_CHARS, Alphabet::Base36);
                match mail.letter(number.clone(), &mailer.from, &mailer.site, mailer.clock.now()) {
                    Ok(letter) => patience.deliver(&*mailer.carrier, &letter).await,
                    Err(error) => {
                        tracing::error!(target: "palisade::mail", mail = number, %error, "a mail was not sent");
                    }
                }
            }
        })
    }

    /// Waits until everything that was handed over has been sent, or given up.
    pub async fn sent(&self) {
        self.queue.empty().await;
    }

    /// Sends what waits, without waiting for a server that does not answer now, and takes nothing more: for the end of a program.
    pub async fn close(&self) {
        self.queue.close().await;
    }

    /// What was sent, with [`EmailBackend::Memory`](palisade_core::settings::EmailBackend::Memory).
    pub fn outbox(&self) -> Option<&Outbox> {
        self.outbox.as_ref()
    }
}
