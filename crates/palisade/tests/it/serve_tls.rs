//! Certificates: read, replaced, made and kept; and what the client is offered.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use palisade::serve::{self, Limits, Listen, Reload, ServeError, Tls};
use palisade::{Palisade, Settings};
use rcgen::{CertificateParams, KeyPair};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::version::{TLS12, TLS13};
use tokio::signal::unix::{SignalKind, signal};

use crate::serve_site::{Running, connect, site, within};

fn router() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

/// Writes a new certificate and key; answers what a client must trust.
fn issue(folder: &Path) -> CertificateDer<'static> {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".into()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    fs::write(folder.join("cert.pem"), certificate.pem()).unwrap();
    fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
    close(folder, 0o600);
    certificate.der().clone()
}

fn close(folder: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(folder.join("key.pem"), fs::Permissions::from_mode(mode)).unwrap();
}

fn tls(folder: &Path) -> Result<Tls, ServeError> {
    Tls::from_files(folder.join("cert.pem"), folder.join("key.pem"))
}

fn trusting(certificate: &CertificateDer<'static>) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    roots
}

#[tokio::test]
async fn private_key_that_others_may_read_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    issue(folder.path());
    let settings = || {
        let mut settings = crate::client::settings();
        settings.debug = false;
        settings
    };
    let mut allowed = settings();
    allowed.dangerous_readable_secrets = true;
    let start = async |settings: Settings| {
        let app = Palisade::new(settings).protect(palisade::Router::new()).unwrap();
        palisade::serve(app, tls(folder.path()).unwrap())
            .listen("127.0.0.1:0")
            .bind()
            .await
            .map(|_| ())
    };
    for (mode, stops) in [(0o600, false), (0o644, true), (0o660, true), (0o604, true)] {
        close(folder.path(), mode);
        let started = start(settings()).await;
        assert_eq!(started.is_err(), stops, "{mode:o}: {started:?}");
        if let Err(told) = started {
            let told = told.to_string();
            assert!(told.contains("key.pem") && told.contains("chmod 600"), "{told}");
            assert!(start(allowed.clone()).await.is_ok());
        }
    }
}

#[tokio::test]
async fn tls_1_2_and_1_3_are_spoken_with_forward_secrecy() {
    let site = Running::tls(router(), Limits::default()).await;
    for version in [&TLS12, &TLS13] {
        let stream = connect(site.address, site.roots(), &[b"h2"], &[version])
            .await
            .unwrap();
        let connection = stream.get_ref().1;
        assert_eq!(connection.protocol_version(), Some(version.version));
        let suite = format!("{:?}", connection.negotiated_cipher_suite().unwrap().suite());
        assert!(
            suite.starts_with("TLS13_") || suite.starts_with("TLS_ECDHE_"),
            "{suite}"
        );
        assert!(connection.negotiated_key_exchange_group().is_some());
    }
}

#[tokio::test]
async fn post_quantum_key_exchange_is_preferred() {
    let site = Running::tls(router(), Limits::default()).await;
    let stream = connect(site.address, site.roots(), &[], &[&TLS13]).await.unwrap();
    let group = stream.get_ref().1.negotiated_key_exchange_group().unwrap();
    assert_eq!(group.name(), rustls::NamedGroup::X25519MLKEM768);
}

#[tokio::test]
async fn a_client_that_offers_another_protocol_is_refused() {
    let site = Running::tls(router(), Limits::default()).await;
    assert!(
        connect(site.address, site.roots(), &[b"smtp"], &[&TLS13])
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_without_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_path_buf();
    let old = issue(&folder);
    let tls = tls(&folder)
        .unwrap()
        .with_reload_interval(Duration::from_millis(10));
    let site = Running::start(router(), Limits::default(), tls, data).await;
    connect(site.address, trusting(&old), &[], &[&TLS13])
        .await
        .unwrap();

    let new = issue(&folder);
    within(async {
        while connect(site.address, trusting(&new), &[], &[&TLS13])
            .await
            .is_err()
        {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn sighup_shows_a_renewed_certificate_at_once() {
    // While somebody listens for it, the signal does not end the process of the test.
    let _hangups = signal(SignalKind::hangup()).unwrap();
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_path_buf();
    issue(&folder);
    let tls = tls(&folder)
        .unwrap()
        .with_reload_interval(Duration::from_hours(1));
    let site = Running::start(router(), Limits::default(), tls, data).await;

    let new = issue(&folder);
    within(async {
        while connect(site.address, trusting(&new), &[], &[&TLS13])
            .await
            .is_err()
        {
            let process = std::process::id().to_string();
            let sent = Command::new("kill").args(["-HUP", &process]).status().unwrap();
            assert!(sent.success());
        }
    })
    .await;
}

#[tokio::test]
async fn plain_http_behind_an_unknown_proxy_is_refused_at_the_start() {
    let settings = crate::client::settings();
    let serve = |settings| {
        let app = palisade::Palisade::new(settings)
            .protect(palisade::Router::from(router()).public())
            .unwrap();
        serve::serve(app, Listen::plain_behind_proxy("127.0.0.1:0")).bind()
    };
    let refused = serve(settings).await.unwrap_err();
    assert!(matches!(refused, ServeError::ProxyUnknown));
    // What `main` returns is shown by its `Debug`.
    assert!(format!("{refused:?}").starts_with("plain HTTP behind a proxy needs"));
}

#[tokio::test]
async fn sighup_does_not_end_a_server_without_certificate_files() {
    let inside = "serve_tls::sighup_does_not_end_a_server_without_certificate_files";
    if std::env::var_os("SERVE_AND_HANG_UP").is_none() {
        // In a process of its own: elsewhere another test may be listening for the signal.
        let output = Command::new(std::env::current_exe().unwrap())
            .args([inside, "--exact", "--nocapture"])
            .env("SERVE_AND_HANG_UP", "1")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let tls = Tls::development(data.path(), [""; 0]).unwrap();
    let app = palisade::Palisade::new(crate::client::settings())
        .protect(palisade::Router::from(router()).public())
        .unwrap();
    let bound = serve::serve(app, tls).listen("127.0.0.1:0").bind().await.unwrap();
    let address = bound.addresses()[0];
    let running = tokio::spawn(bound.into_future());
    let process = std::process::id().to_string();
    assert!(
        Command::new("kill")
            .args(["-HUP", &process])
            .status()
            .unwrap()
            .success()
    );
    within(async { while tokio::net::TcpStream::connect(address).await.is_err() {} }).await;
    assert!(!running.is_finished());
}

#[tokio::test]
async fn a_renewal_that_cannot_be_used_leaves_the_old_certificate() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_path_buf();
    let old = issue(&folder);
    let tls = tls(&folder).unwrap();
    let site = Running::start(router(), Limits::default(), tls.clone(), data).await;

    fs::write(
        folder.join("key.pem"),
        KeyPair::generate().unwrap().serialize_pem(),
    )
    .unwrap();
    assert!(
        tls.reload()
            .unwrap_err()
            .to_string()
            .contains("is not the key of")
    );
    assert_eq!(tls.reload().unwrap(), Reload::Unchanged, "said once");
    fs::write(folder.join("cert.pem"), "half a certif").unwrap();
    assert!(tls.reload().is_err());
    connect(site.address, trusting(&old), &[], &[&TLS13])
        .await
        .unwrap();

    let new = issue(&folder);
    assert_eq!(tls.reload().unwrap(), Reload::Replaced);
    connect(site.address, trusting(&new), &[], &[&TLS13])
        .await
        .unwrap();
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let text = tls(folder.path()).unwrap_err().to_string();
    assert!(
        text.starts_with("cannot read ") && text.contains("cert.pem"),
        "{text}"
    );
    issue(folder.path());
    fs::write(folder.path().join("cert.pem"), "").unwrap();
    let text = tls(folder.path()).unwrap_err().to_string();
    assert!(text.contains("cert.pem cannot be used"), "{text}");
}

#[tokio::test]
async fn the_development_certificate_outlives_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().to_path_buf();
    let listen = Listen::from(Tls::development(&path, ["vault.test"]).unwrap());
    let site = Running::start(router(), Limits::default(), listen, data).await;
    let first = site
        .https()
        .await
        .get_ref()
        .1
        .peer_certificates()
        .unwrap()
        .to_vec();

    let again = Tls::development(&path, ["vault.test"]).unwrap();
    let second = Running::start(router(), Limits::default(), again, tempfile::tempdir().unwrap()).await;
    let stream = connect(second.address, site.roots(), &[], &[&TLS13])
        .await
        .unwrap();
    assert_eq!(first, stream.get_ref().1.peer_certificates().unwrap());
}

#[tokio::test]
async fn a_development_certificate_is_not_shown_to_other_machines() {
    let data = tempfile::tempdir().unwrap();
    let tls = Tls::development(data.path(), [] as [&str; 0]).unwrap();
    let bind = |tls: Tls| serve::serve(site(router()), tls).listen("0.0.0.0:0").bind();
    let error = bind(tls.clone()).await.unwrap_err();
    assert!(matches!(error, ServeError::DevelopmentExposed { .. }));
    assert!(bind(tls.dangerous_allow_development_certificate()).await.is_ok());
}

#[tokio::test]
async fn a_port_in_use_is_one_sentence() {
    let running = Running::plain(router(), Limits::default()).await;
    let listen = Listen::plain_behind_proxy(running.address);
    let error = serve::serve(site(router()), listen).bind().await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with(&format!("{} is already in use", running.address)),
        "{text}"
    );
    let error = serve::serve(site(router()), Listen::plain_behind_proxy("nowhere"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("not an address"), "{error}");
}
