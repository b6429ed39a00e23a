//! A mail, checked when it is made: what is wrong with it is told to whoever wrote it, and not to the mail server.

use std::time::SystemTime;

use lettre::Message;
use lettre::address::Envelope;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, SinglePart};
use palisade_core::Settings;
use palisade_core::origin::Origin;

use super::{Letter, MailSetupError};

/// What no mail can be made of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadMail {
    /// A line break, with which other headers and other recipients could be added.
    #[error("Header values can't contain newlines (header {0})")]
    Newline(&'static str),
    /// The address is none.
    #[error("the address is none that mail can be sent to")]
    Address,
    /// The parts do not make a mail.
    #[error("the mail cannot be written: {0}")]
    Unwritable(String),
}

/// A mail to one person, in plain text.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Who it is from, where that is not who all others are from.
    from: Option<Mailbox>,
    to: Mailbox,
    subject: String,
    text: String,
}

impl Mail {
    /// Writes a mail.
    ///
    /// # Errors
    ///
    /// When the address is none, or it or the subject has a line break in it (Django's `BadHeaderError`).
    ///
    /// # Example
    ///
    /// ```
    /// use palisade::mail::{BadMail, Mail};
    ///
    /// assert!(Mail::new("Ada <ada@example.com>", "Hello", "…").is_ok());
    /// let injected = Mail::new("ada@example.com", "Hello\nBcc: everybody@example.com", "…");
    /// assert_eq!(injected.unwrap_err(), BadMail::Newline("Subject"));
    /// ```
    pub fn new(to: &str, subject: impl Into<String>, text: impl Into<String>) -> Result<Self, BadMail> {
        let subject = subject.into();
        one_line("To", to)?;
        one_line("Subject", &subject)?;
        Ok(Self {
            from: None,
            to: to.parse().map_err(|_| BadMail::Address)?,
            subject,
            text: text.into(),
        })
    }

    /// Writes a mail from the site itself to one who runs it.
    pub(super) fn to_admin(
        admins: &Admins,
        to: &Mailbox,
        subject: String,
        text: String,
    ) -> Result<Self, BadMail> {
        one_line("Subject", &subject)?;
        Ok(Self {
            from: Some(admins.from.clone()),
            to: to.clone(),
            subject,
            text,
        })
    }

    /// The address, without a name.
    pub fn to(&self) -> &str {
        self.to.email.as_ref()
    }

    /// The subject.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The mail with all its headers.
    pub(super) fn letter(
        self,
        number: String,
        from: &Mailbox,
        site: &Origin,
        now: SystemTime,
    ) -> Result<Letter, BadMail> {
        let unwritable = |error: lettre::error::Error| BadMail::Unwritable(error.to_string());
        let host = host_of(site);
        let from = self.from.as_ref().unwrap_or(from);
        let message = Message::builder()
            .from(from.clone())
            .to(self.to.clone())
            .subject(self.subject.clone())
            .date(now)
            .message_id(Some(format!("<{number}@{host}>")))
            .header(AutoSubmitted)
            .singlepart(
                SinglePart::builder()
                    .header(ContentType::TEXT_PLAIN)
                    .body(self.text.clone()),
            )
            .map_err(unwritable)?;
        let envelope =
            Envelope::new(Some(from.email.clone()), vec![self.to.email.clone()]).map_err(unwritable)?;
        Ok(Letter {
            number,
            text: message.formatted(),
            envelope,
            mail: self,
        })
    }
}

/// Who mails are from.
pub(super) fn sender(text: &str) -> Result<Mailbox, MailSetupError> {
    mailbox(text).map_err(MailSetupError::From)
}

fn mailbox(text: &str) -> Result<Mailbox, String> {
    one_line("From", text).map_err(|error| error.to_string())?;
    text.parse()
        .map_err(|error: lettre::address::AddressError| error.to_string())
}

/// Who is told of the site's faults, and by whom.
#[derive(Debug)]
pub(super) struct Admins {
    from: Mailbox,
    pub(super) to: Vec<Mailbox>,
    pub(super) prefix: String,
}

impl Admins {
    pub(super) fn from_settings(settings: &Settings) -> Result<Self, MailSetupError> {
        let to = settings.admins.iter().map(|admin| {
            let refused = |error: lettre::address::AddressError| {
                MailSetupError::Admin(admin.address().to_owned(), error.to_string())
            };
            let name = Some(admin.name().to_owned()).filter(|name| !name.is_empty());
            Ok(Mailbox::new(name, admin.address().parse().map_err(refused)?))
        });
        Ok(Self {
            from: mailbox(&settings.server_email).map_err(MailSetupError::ServerEmail)?,
            to: to.collect::<Result<_, _>>()?,
            prefix: settings.email_subject_prefix.clone(),
        })
    }
}

/// The host of the site, as a domain that numbers of mails end with.
pub(super) fn host_of(site: &Origin) -> &str {
    let netloc = site.netloc();
    match netloc.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => netloc,
    }
}

fn one_line(header: &'static str, value: &str) -> Result<(), BadMail> {
    if value.chars().any(char::is_control) || value.contains(['\u{2028}', '\u{2029}']) {
        return Err(BadMail::Newline(header));
    }
    Ok(())
}

/// Says that no person wrote this, so that none answers that they are on holiday (RFC 3834).
#[derive(Clone, Debug)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_header_can_be_added_through_an_address_or_a_subject() {
        for broken in [
            "a\nBcc: eve@example.com",
            "a\rb",
            "a\r\n\r\nbody",
            "a\u{2028}b",
            "a\0b",
            "a\u{85}b",
        ] {
            assert_eq!(
                Mail::new("ada@example.com", broken, "").unwrap_err(),
                BadMail::Newline("Subject"),
                "{broken:?}"
            );
            let to = format!("ada@example.com{broken}");
            assert_eq!(
                Mail::new(&to, "s", "").unwrap_err(),
                BadMail::Newline("To"),
                "{to:?}"
            );
            assert!(sender(&to).is_err(), "{to:?}");
        }
        for nobody in [
            "",
            "ada",
            "ada@",
            "@example.com",
            "ada@example.com, eve@example.com",
            "a b@c.de",
        ] {
            assert_eq!(
                Mail::new(nobody, "s", "").unwrap_err(),
                BadMail::Address,
                "{nobody:?}"
            );
        }
    }

    #[test]
    fn letter_is_a_mail_with_a_number_of_the_sites_own() {
        let mail = Mail::new("ada@example.com", "Grüße", "first\n.\nFrom: eve@example.com\n").unwrap();
        let site = "https://vault.example:8443".parse().unwrap();
        let from = sender("Vault <vault@example.com>").unwrap();
        let letter = mail
            .letter("n1".to_owned(), &from, &site, SystemTime::UNIX_EPOCH)
            .unwrap();
        let text = String::from_utf8(letter.text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        for line in [
            "From: Vault <vault@example.com>",
            "To: ada@example.com",
            "Message-ID: <n1@vault.example>",
            "Date: Thu, 01 Jan 1970 00:00:00 +0000",
            "Auto-Submitted: auto-generated",
            "Subject: =?utf-8?b?R3LDvMOfZQ==?=",
        ] {
            assert!(head.lines().any(|found| found == line), "{line}: {head}");
        }
        assert!(body.contains("From: eve@example.com"), "{body}");
    }
}
