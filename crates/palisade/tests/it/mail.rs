//! Mail goes to a server that is the right one, over TLS, or not at all.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use palisade::Sensitive;
use palisade::Settings;
use palisade::core::settings::{EmailBackend, Folder};
use palisade::mail::{Mail, MailSetupError, Mailer};
use tempfile::TempDir;
use testkit::mail::Encryption;
use testkit::{Authority, MailServer};

use crate::log::Log;
use crate::recovery_site::mail_settings;

struct Post {
    server: MailServer,
    settings: Settings,
    _folder: TempDir,
}

/// A server with a certificate for `named`, and settings that lead to it.
async fn post(encryption: Encryption, named: &str) -> Post {
    let authority = Authority::new().unwrap();
    let server = MailServer::start(&authority, &[named], encryption).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    fs::write(&file, authority.pem()).unwrap();
    let mut settings = mail_settings();
    settings.email_backend = EmailBackend::Smtp;
    "localhost".clone_into(&mut settings.email_host);
    settings.email_port = server.port();
    settings.email_use_tls = encryption != Encryption::Implicit;
    settings.email_use_ssl = encryption == Encryption::Implicit;
    settings.email_ca_file = Some(file.to_str().unwrap().to_owned());
    "shop".clone_into(&mut settings.email_host_user);
    settings.email_host_password = Sensitive::new("the mail password".to_owned());
    Post {
        server,
        settings,
        _folder: folder,
    }
}

fn letter() -> Mail {
    Mail::new(
        "ada@example.com",
        "Reset",
        "https://example.com/reset/MQ/secret-token/\n",
    )
    .unwrap()
}

async fn send(post: &Post) -> String {
    let (log, _guard) = Log::begin();
    let mailer = Mailer::from_settings(&post.settings).unwrap();
    mailer.post(letter()).unwrap();
    mailer.close().await;
    log.text()
}

#[tokio::test]
async fn mail_arrives_over_starttls_and_over_implicit_tls() {
    for encryption in [Encryption::StartTls, Encryption::Implicit] {
        let post = post(encryption, "localhost").await;
        let log = send(&post).await;
        let received = post.server.received();
        assert_eq!(received.len(), 1, "{encryption:?} {log}");
        let mail = &received[0];
        assert!(
            mail.encrypted
                && mail.from.contains("shop@example.com")
                && mail.to[0].contains("ada@example.com")
        );
        assert!(
            mail.login.is_some() && mail.text.contains("/secret-token/"),
            "{mail:?}"
        );
        let clear = post.server.heard_in_clear();
        assert!(
            !clear.contains("AUTH") && !clear.contains("MAIL") && !clear.contains("ada"),
            "{clear}"
        );
    }
}

#[tokio::test]
async fn server_that_offers_no_tls_gets_neither_the_mail_nor_the_password() {
    let post = post(Encryption::Stripped, "localhost").await;
    let log = send(&post).await;
    assert_eq!(post.server.received().len(), 0);
    let clear = post.server.heard_in_clear();
    assert!(
        clear.contains("EHLO") && !clear.contains("AUTH") && !clear.contains("MAIL"),
        "{clear}"
    );
    assert!(
        log.contains("a mail was not sent") && !log.contains("ada@example.com"),
        "{log}"
    );
}

#[tokio::test]
async fn server_with_a_certificate_for_another_name_or_from_another_authority_gets_nothing() {
    for encryption in [Encryption::StartTls, Encryption::Implicit] {
        let wrong_name = post(encryption, "evil.example").await;
        let log = send(&wrong_name).await;
        assert!(
            wrong_name.server.received().is_empty() && log.contains("a mail was not sent"),
            "{log}"
        );
        let mut stranger = post(encryption, "localhost").await;
        let other = tempfile::tempdir().unwrap();
        let file = other.path().join("ca.pem");
        fs::write(&file, Authority::new().unwrap().pem()).unwrap();
        stranger.settings.email_ca_file = Some(file.to_str().unwrap().to_owned());
        let log = send(&stranger).await;
        assert!(
            stranger.server.received().is_empty() && log.contains("a mail was not sent"),
            "{log}"
        );
        // And without a file of authorities, those of the system, of whom this one is none.
        stranger.settings.email_ca_file = None;
        send(&stranger).await;
        assert!(stranger.server.received().is_empty());
    }
}

#[tokio::test]
async fn refusal_is_logged_without_the_address_that_the_server_repeats() {
    let post = post(Encryption::StartTls, "localhost").await;
    let (log, _guard) = Log::begin();
    let mailer = Mailer::from_settings(&post.settings).unwrap();
    mailer
        .post(Mail::new("nobody@example.com", "Reset", "").unwrap())
        .unwrap();
    mailer.close().await;
    let text = log.text();
    assert!(
        text.contains("the mail server refused with 550") && !text.contains("nobody@"),
        "{text}"
    );
}

#[tokio::test]
async fn server_that_is_busy_for_a_moment_gets_the_mail_then() {
    let post = post(Encryption::StartTls, "localhost").await;
    post.server.be_busy(1);
    let mailer = Mailer::from_settings(&post.settings).unwrap();
    mailer.post(letter()).unwrap();
    mailer.sent().await;
    assert_eq!(post.server.received().len(), 1);
}

#[tokio::test]
async fn end_of_the_program_sends_what_waits_and_takes_nothing_more() {
    let post = post(Encryption::StartTls, "localhost").await;
    let mailer = Mailer::from_settings(&post.settings).unwrap();
    for _ in 0..20 {
        mailer.post(letter()).unwrap();
    }
    mailer.close().await;
    assert_eq!(post.server.received().len(), 20);
    assert!(mailer.post(letter()).is_err());
}

#[tokio::test]
async fn mails_become_files_that_nobody_else_may_read() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("mail");
    let mut settings = mail_settings();
    settings.email_backend = EmailBackend::File;
    assert!(matches!(
        Mailer::from_settings(&settings),
        Err(MailSetupError::NoFolder)
    ));
    settings.email_file_path = Some(Folder::new(place.to_str().unwrap()));
    let mailer = Mailer::from_settings(&settings).unwrap();
    for _ in 0..3 {
        mailer.post(letter()).unwrap();
    }
    mailer.close().await;
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&place), 0o700);
    let files: Vec<_> = fs::read_dir(&place)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(files.len(), 3);
    for file in files {
        assert_eq!(
            (mode(&file), file.extension().unwrap().to_str()),
            (0o600, Some("eml"))
        );
        assert!(fs::read_to_string(&file).unwrap().contains("/secret-token/"));
    }
    fs::set_permissions(&place, fs::Permissions::from_mode(0o750)).unwrap();
    assert!(matches!(
        Mailer::from_settings(&settings),
        Err(MailSetupError::FolderOpen(_))
    ));
}

#[test]
fn settings_that_do_not_say_enough_stop_the_start_and_say_what_to_do() {
    let refused = |change: fn(&mut Settings)| {
        let mut settings = mail_settings();
        settings.email_backend = EmailBackend::Smtp;
        settings.email_host = "mail.example".to_owned();
        change(&mut settings);
        Mailer::from_settings(&settings).unwrap_err().to_string()
    };
    assert!(refused(|s| s.site_url = None).contains("site_url is not set"));
    assert!(refused(|s| s.email_host = String::new()).contains("email_host is not set"));
    assert!(refused(|s| s.email_use_tls = false).contains("in clear"));
    assert!(refused(|s| s.default_from_email = "nobody".to_owned()).contains("default_from_email"));
    assert!(
        refused(|s| s.default_from_email = "a@b.example\nBcc: c@d.example".to_owned()).contains("newlines")
    );
    assert!(refused(|s| s.email_ca_file = Some("/nowhere".to_owned())).contains("/nowhere"));
    assert!(refused(|s| s.email_ca_file = Some("/dev/null".to_owned())).contains("no certificate"));
}
