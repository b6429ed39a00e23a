//! Mails handed to a mail server: TLS first, and its certificate checked, before a word is said about anybody.

use std::error::Error as _;
use std::fs;
use std::net::IpAddr;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use palisade_core::Settings;
use palisade_core::origin::Origin;

use super::message::host_of;
use super::{Carrier, Letter, MailSetupError, Undelivered};

/// How long a server may keep silent where the settings name no time.
const SILENCE: Duration = Duration::from_mins(1);

/// A mail server.
#[derive(Debug)]
pub(super) struct Smtp(AsyncSmtpTransport<Tokio1Executor>);

impl Smtp {
    pub(super) fn from_settings(settings: &Settings, site: &Origin) -> Result<Self, MailSetupError> {
        let host = settings.email_host.as_str();
        if host.is_empty() {
            return Err(MailSetupError::NoHost);
        }
        let name = match host_of(site).parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) => ClientId::Ipv4(address),
            Ok(IpAddr::V6(address)) => ClientId::Ipv6(address),
            Err(_) => ClientId::Domain(host_of(site).to_owned()),
        };
        let mut smtp = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(settings.email_port)
            .timeout(Some(settings.email_timeout.unwrap_or(SILENCE)))
            .hello_name(name)
            .tls(tls(settings)?);
        if !settings.email_host_user.is_empty() {
            smtp = smtp.credentials(Credentials::new(
                settings.email_host_user.clone(),
                settings.email_host_password.expose().clone(),
            ));
        }
        Ok(Self(smtp.build()))
    }
}

fn tls(settings: &Settings) -> Result<Tls, MailSetupError> {
    let host = &settings.email_host;
    match (settings.email_use_tls, settings.email_use_ssl) {
        (true, true) => Err(MailSetupError::BothKindsOfTls),
        (true, false) => Ok(Tls::Required(parameters(settings)?)),
        (false, true) => Ok(Tls::Wrapper(parameters(settings)?)),
        (false, false) if !settings.dangerous_email_in_clear => Err(MailSetupError::InClear),
        (false, false) if is_here(host) => Ok(Tls::None),
        (false, false) => Err(MailSetupError::InClearElsewhere(host.clone())),
    }
}

fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

fn parameters(settings: &Settings) -> Result<TlsParameters, MailSetupError> {
    let host = &settings.email_host;
    let mut parameters = TlsParameters::builder(host.clone());
    if let Some(path) = &settings.email_ca_file {
        let unusable = |reason: String| MailSetupError::Authorities {
            path: path.clone(),
            reason,
        };
        let pem = fs::read(path).map_err(|error| unusable(error.to_string()))?;
        if !pem.windows(5).any(|start| start == b"-----") {
            return Err(unusable("there is no certificate in it (PEM)".to_owned()));
        }
        let authorities = Certificate::from_pem(&pem).map_err(|error| unusable(error.to_string()))?;
        parameters = parameters
            .certificate_store(CertificateStore::None)
            .add_root_certificate(authorities);
    }
    parameters.build_rustls().map_err(|error| MailSetupError::Tls {
        host: host.clone(),
        reason: error.to_string(),
    })
}

/// What went wrong, in words that tell nothing of the mail. What a server says often repeats the address.
fn undelivered(error: &Error) -> Undelivered {
    let what = if let Some(code) = error.status() {
        format!("the mail server refused with {code}")
    } else {
        // Before a server has answered there is nothing of the mail in an error, and its causes say what is wrong.
        let mut what = "the mail server cannot be used".to_owned();
        let mut cause = error.source();
        while let Some(error) = cause {
            what = format!("{what}: {error}");
            cause = error.source();
        }
        what
    };
    Undelivered {
        what,
        for_now: !error.is_permanent() && !error.is_tls() && !error.is_client(),
    }
}

impl Carrier for Smtp {
    fn deliver<'a>(&'a self, letter: &'a Letter) -> BoxFuture<'a, Result<(), Undelivered>> {
        async {
            let sent = self.0.send_raw(&letter.envelope, &letter.text).await;
            sent.map(drop).map_err(|error| undelivered(&error))
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use palisade_core::SecretKey;

    use super::*;

    fn settings(change: impl FnOnce(&mut Settings)) -> Settings {
        let mut settings = Settings::for_tests(SecretKey::new("a key of tests"));
        settings.email_host = "mail.example".to_owned();
        change(&mut settings);
        settings
    }

    #[test]
    fn mail_in_clear_is_refused_unless_it_stays_on_this_machine() {
        let refused = |change: fn(&mut Settings)| tls(&settings(change)).unwrap_err().to_string();
        assert!(refused(|s| s.email_use_tls = false).contains("in clear"));
        assert!(refused(|s| s.email_use_ssl = true).contains("exclude each other"));
        let elsewhere = refused(|s| {
            s.email_use_tls = false;
            s.dangerous_email_in_clear = true;
        });
        assert!(elsewhere.contains("mail.example"), "{elsewhere}");
        for here in ["localhost", "127.0.0.1", "::1"] {
            let in_clear = settings(|s| {
                s.email_use_tls = false;
                s.dangerous_email_in_clear = true;
                s.email_host = here.to_owned();
            });
            assert!(matches!(tls(&in_clear), Ok(Tls::None)), "{here}");
        }
    }

    #[test]
    fn tls_is_required_and_never_tried_only() {
        assert!(matches!(tls(&settings(|_| {})), Ok(Tls::Required(_))));
        let implicit = settings(|s| {
            s.email_use_tls = false;
            s.email_use_ssl = true;
        });
        assert!(matches!(tls(&implicit), Ok(Tls::Wrapper(_))));
    }
}
