//! Client certificates: what counts, what does not, and what counts no more while a connection is open.

use std::fs;
use std::time::Duration;

use axum::routing::get;
use http::StatusCode;
use palisade::certificate::ClientCertificate;
use palisade::serve::{self, Listen, Reload, ServeError};
use palisade::{Palisade, Policies, Router};
use rcgen::{ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, SanType};
use rustls::version::{TLS12, TLS13};
use rustls::{HandshakeKind, SupportedProtocolVersion};

use crate::client::settings;
use crate::client_pki::{Authority, Held, Paths, Site, Talk, list, now, tls, write};
use crate::serve_site::within;

const BOTH: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];
const OK: StatusCode = StatusCode::OK;

async fn whose(certificate: ClientCertificate) -> String {
    certificate.common_name().unwrap_or("nobody").to_owned()
}

async fn perhaps(certificate: Option<ClientCertificate>) -> String {
    certificate.map_or_else(|| "stranger".to_owned(), |one| one.subject().to_owned())
}

fn router() -> Router {
    Router::new()
        .route("/", get(perhaps).public())
        .route("/staff/", get(whose).public().client_certificate_required())
}

/// A site that goes by these authorities and this list.
async fn site(authorities: &[&Authority], crl: Option<&str>) -> (Site, Paths) {
    let folder = tempfile::tempdir().unwrap();
    let paths = write(&folder, authorities, crl);
    let tls = tls(&folder, paths.open().unwrap());
    (Site::start(folder, tls, router()).await, paths)
}

/// What somebody with this certificate gets to see, and how their handshake went. A refusal is seen at the first answer in TLS 1.3,
/// where the client is done with the handshake before the server has seen its certificate.
async fn visit(
    site: &Site,
    held: Option<&Held>,
    version: &'static SupportedProtocolVersion,
    http2: bool,
    path: &str,
) -> Result<(StatusCode, String), String> {
    let mut config = site.config(held, &[version]);
    if http2 {
        config.alpn_protocols = vec![b"h2".to_vec()];
    }
    let stream = site
        .shake_hands(&config, "localhost")
        .await
        .map_err(|e| e.to_string())?;
    let mut talk = Talk::open(stream).await.map_err(|e| format!("{e:?}"))?;
    talk.ask("localhost", path).await.map_err(|e| format!("{e:?}"))
}

async fn everywhere(
    site: &Site,
    held: Option<&Held>,
    path: &str,
) -> Vec<Result<(StatusCode, String), String>> {
    let mut seen = Vec::new();
    for version in [&TLS12, &TLS13] {
        for http2 in [false, true] {
            seen.push(visit(site, held, version, http2, path).await);
        }
    }
    seen
}

/// The certificate opens the staff area, in every version.
async fn counts(site: &Site, held: &Held, name: &str) {
    for seen in everywhere(site, Some(held), "/staff/").await {
        assert_eq!(seen, Ok((OK, name.to_owned())));
    }
}

/// The certificate opens nothing, in every version: its handshake fails.
async fn does_not_count(site: &Site, held: &Held, why: &str) {
    for seen in everywhere(site, Some(held), "/staff/").await {
        assert!(seen.is_err(), "{why}: {seen:?}");
    }
}

#[tokio::test]
async fn a_certificate_of_the_authority_opens_what_nobody_else_sees() {
    let authority = Authority::new("staff CA");
    let (site, _) = site(&[&authority], None).await;
    counts(&site, &authority.issue("anna", 1), "anna").await;
    for seen in everywhere(&site, None, "/staff/").await {
        assert_eq!(seen.unwrap().0, StatusCode::FORBIDDEN);
    }
    for seen in everywhere(&site, None, "/").await {
        assert_eq!(seen, Ok((OK, "stranger".to_owned())));
    }
    for seen in everywhere(&site, Some(&authority.issue("anna", 1)), "/").await {
        assert_eq!(seen, Ok((OK, "CN=anna".to_owned())));
    }
}

#[tokio::test]
async fn what_another_has_signed_opens_nothing() {
    let authority = Authority::new("staff CA");
    let (site, _) = site(&[&authority], None).await;
    let namesake = Authority::new("staff CA");
    does_not_count(&site, &namesake.issue("anna", 1), "an authority of the same name").await;
    does_not_count(
        &site,
        &Authority::new("other").issue("anna", 1),
        "another authority",
    )
    .await;
    does_not_count(&site, &Held::self_signed("anna"), "self-signed").await;
    does_not_count(
        &site,
        &Held::self_signed("staff CA"),
        "self-signed, called as the authority",
    )
    .await;
    // The authority's own certificate, shown with another key.
    let mut borrowed = Held::self_signed("anna");
    borrowed.chain.push(authority.0.der().clone());
    does_not_count(&site, &borrowed, "with the authority's certificate beside").await;
    // A leaf of the authority signs nobody.
    let (below, middle) = authority.below("middle");
    let mut through = below.issue("anna", 1);
    does_not_count(&site, &through, "the link to the authority is missing").await;
    through.chain.push(middle);
    counts(&site, &through, "anna").await;
}

#[tokio::test]
async fn what_is_for_something_else_opens_nothing() {
    let authority = Authority::new("staff CA");
    let (site, _) = site(&[&authority], None).await;
    let of_a_server = authority.issue_with("anna", 1, |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.subject_alt_names = vec![SanType::DnsName("localhost".try_into().unwrap())];
    });
    does_not_count(&site, &of_a_server, "a server's certificate").await;
    let for_nothing = authority.issue_with("anna", 1, |params| params.extended_key_usages.clear());
    does_not_count(
        &site,
        &for_nothing,
        "a certificate that does not say what it is for",
    )
    .await;
    let for_encryption = authority.issue_with("anna", 1, |params| {
        params.key_usages = vec![KeyUsagePurpose::KeyEncipherment];
    });
    does_not_count(&site, &for_encryption, "a key that may not sign").await;
    let an_authority = authority.issue_with("anna", 1, |params| {
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    });
    does_not_count(&site, &an_authority, "an authority's own certificate").await;
}

#[tokio::test]
async fn what_has_expired_or_does_not_count_yet_opens_nothing() {
    let authority = Authority::new("staff CA");
    let (site, _) = site(&[&authority], None).await;
    let expired = authority.issue_with("anna", 1, |params| {
        params.not_after = now() - time::Duration::HOUR;
    });
    does_not_count(&site, &expired, "expired").await;
    let early = authority.issue_with("anna", 1, |params| {
        params.not_before = now() + time::Duration::HOUR;
    });
    does_not_count(&site, &early, "not yet").await;
}

#[tokio::test]
async fn what_is_revoked_opens_nothing() {
    let authority = Authority::new("staff CA");
    let (site, _) = site(&[&authority], Some(&authority.revoke(&[7], 1))).await;
    counts(&site, &authority.issue("anna", 6), "anna").await;
    does_not_count(&site, &authority.issue("mallory", 7), "revoked").await;
}

#[tokio::test]
async fn without_a_list_that_counts_nothing_is_let_in_and_the_site_is_served() {
    let (authority, other) = (Authority::new("staff CA"), Authority::new("other CA"));
    let anna = authority.issue("anna", 1);
    let (old, _) = site(&[&authority], Some(&authority.revoke(&[], -1))).await;
    does_not_count(&old, &anna, "the list has expired").await;
    let (missing, _) = site(&[&authority, &other], Some(&other.revoke(&[], 1))).await;
    does_not_count(&missing, &anna, "there is no list of the issuer").await;
    counts(&missing, &other.issue("bob", 1), "bob").await;
    for site in [old, missing] {
        for seen in everywhere(&site, None, "/").await {
            assert_eq!(seen, Ok((OK, "stranger".to_owned())));
        }
    }
    // An authority in between needs a list of its own.
    let (below, middle) = authority.below("middle");
    let mut through = below.issue("anna", 1);
    through.chain.push(middle);
    let (site, paths) = site_with(&authority).await;
    does_not_count(&site, &through, "there is no list of the authority in between").await;
    fs::write(&paths.crl, authority.revoke(&[], 1) + &below.revoke(&[], 1)).unwrap();
    assert_eq!(site.tls.reload().unwrap(), Reload::Replaced);
    counts(&site, &through, "anna").await;
}

async fn site_with(authority: &Authority) -> (Site, Paths) {
    site(&[authority], Some(&authority.revoke(&[], 1))).await
}

#[tokio::test]
async fn of_two_lists_of_one_authority_the_newer_counts() {
    let authority = Authority::new("staff CA");
    let day = time::Duration::DAY;
    let old = list(&[], now() - day * 9, now() + day);
    let new = list(&[7], now() - day, now() + day);
    let pem =
        |list: rcgen::CertificateRevocationListParams| list.signed_by(&authority.0).unwrap().pem().unwrap();
    let (site, _) = site(&[&authority], Some(&(pem(old) + &pem(new)))).await;
    does_not_count(&site, &authority.issue("mallory", 7), "revoked by the newer list").await;
}

#[tokio::test]
async fn a_revoked_certificate_loses_the_connection_that_it_has() {
    let authority = Authority::new("staff CA");
    let (site, paths) = site_with(&authority).await;
    let mallory = authority.issue("mallory", 7);
    for http2 in [false, true] {
        fs::write(&paths.crl, authority.revoke(&[], 1)).unwrap();
        site.tls.reload().unwrap();
        let mut config = site.config(Some(&mallory), &[&TLS13]);
        if http2 {
            config.alpn_protocols = vec![b"h2".to_vec()];
        }
        let stream = site.shake_hands(&config, "localhost").await.unwrap();
        let mut talk = Talk::open(stream).await.unwrap();
        assert_eq!(
            talk.ask("localhost", "/staff/").await.unwrap(),
            (OK, "mallory".into())
        );

        fs::write(&paths.crl, authority.revoke(&[7], 1)).unwrap();
        assert_eq!(site.tls.reload().unwrap(), Reload::Replaced);
        let (status, text) = talk.ask("localhost", "/staff/").await.unwrap();
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert!(text.contains("no longer accepted"), "{text}");
        // Nor is it taken for nobody's where a certificate is a choice.
        assert_eq!(talk.ask("localhost", "/").await.unwrap().0, StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn a_resumed_session_does_not_outlive_a_revocation() {
    let authority = Authority::new("staff CA");
    for version in [&TLS12, &TLS13] {
        let (site, paths) = site_with(&authority).await;
        let config = site.config(Some(&authority.issue("mallory", 7)), &[version]);
        let mut kinds = Vec::new();
        for _ in 0..2 {
            let stream = site.shake_hands(&config, "localhost").await.unwrap();
            kinds.push(stream.get_ref().1.handshake_kind());
            let mut talk = Talk::open(stream).await.unwrap();
            assert_eq!(
                talk.ask("localhost", "/staff/").await.unwrap(),
                (OK, "mallory".into())
            );
        }
        // Without this the test would show nothing: sessions are resumed, and with them the certificate.
        assert_eq!(kinds.last(), Some(&Some(HandshakeKind::Resumed)), "{version:?}");

        fs::write(&paths.crl, authority.revoke(&[7], 1)).unwrap();
        site.tls.reload().unwrap();
        let stream = site.shake_hands(&config, "localhost").await;
        let answer = match stream {
            Err(_) => continue,
            Ok(stream) => {
                Talk::open(stream)
                    .await
                    .unwrap()
                    .ask("localhost", "/staff/")
                    .await
            }
        };
        assert!(answer.is_err(), "{answer:?}");
    }
}

#[tokio::test]
async fn a_certificate_that_expires_loses_its_connection() {
    let authority = Authority::new("staff CA");
    let (site, _) = site(&[&authority], None).await;
    let held = authority.issue_with("anna", 1, |params| {
        // Whole seconds: it counts for at least one more.
        params.not_after = now() + time::Duration::seconds(2);
    });
    let config = site.config(Some(&held), BOTH);
    let stream = site.shake_hands(&config, "localhost").await.unwrap();
    let mut talk = Talk::open(stream).await.unwrap();
    assert_eq!(talk.ask("localhost", "/staff/").await.unwrap().0, OK);
    within(async { while talk.ask("localhost", "/staff/").await.unwrap().0 == OK {} }).await;
}

#[tokio::test]
async fn a_changed_authority_counts_without_a_restart() {
    let (old, new) = (Authority::new("old CA"), Authority::new("new CA"));
    let folder = tempfile::tempdir().unwrap();
    let paths = write(&folder, &[&old], None);
    let tls = tls(&folder, paths.open().unwrap()).with_reload_interval(Duration::from_millis(10));
    let site = Site::start(folder, tls, router()).await;
    let (anna, bob) = (old.issue("anna", 1), new.issue("bob", 1));
    counts(&site, &anna, "anna").await;
    does_not_count(&site, &bob, "of the new authority, too early").await;
    fs::write(&paths.ca, new.0.pem()).unwrap();
    let seen = Box::pin(async { while visit(&site, Some(&bob), &TLS13, false, "/staff/").await.is_err() {} });
    within(seen).await;
    does_not_count(&site, &anna, "of the old authority").await;
}

#[tokio::test]
async fn a_change_that_cannot_be_used_is_said_once_and_changes_nothing() {
    let (authority, forger) = (Authority::new("staff CA"), Authority::new("staff CA"));
    let (site, paths) = site(&[&authority], Some(&authority.revoke(&[7], 1))).await;
    for (bad, why) in [
        ("half a li".to_owned(), "it holds no revocation list"),
        (forger.revoke(&[], 1), "has not signed it"),
        (
            authority.revoke(&[], 1).replace("CRL-----\nMI", "CRL-----\nAI"),
            "it is no revocation list",
        ),
    ] {
        fs::write(&paths.crl, bad).unwrap();
        let said = site.tls.reload().unwrap_err().to_string();
        assert!(
            said.contains("clients.crl cannot be used") && said.contains(why),
            "{said}"
        );
        assert_eq!(site.tls.reload().unwrap(), Reload::Unchanged);
    }
    does_not_count(&site, &authority.issue("mallory", 7), "still revoked").await;
    counts(&site, &authority.issue("anna", 6), "anna").await;
}

#[tokio::test]
async fn files_that_hold_no_authority_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("staff CA");
    let path = folder.path().join("clients.pem");
    let refused = |content: &str| {
        fs::write(&path, content).unwrap();
        match palisade::serve::ClientCa::from_file(&path) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("taken: {content}"),
        }
    };
    assert!(refused("").contains("clients.pem cannot be used: it holds no PEM certificate"));
    // A leaf in the place of an authority could sign for everybody.
    let leaf = authority.issue("anna", 1).chain.remove(0);
    let leaf = pem(&leaf);
    assert!(refused(&(authority.0.pem() + &leaf)).contains("CN=anna in it is no authority's"));
    let expired = Authority::with("old CA", |params| params.not_after = now() - time::Duration::DAY);
    assert!(refused(&expired.0.pem()).contains("every authority in it has expired"));
    fs::remove_file(&path).unwrap();
    let missing = palisade::serve::ClientCa::from_file(&path).unwrap_err();
    assert!(matches!(missing, ServeError::Unreadable { .. }), "{missing}");
}

fn pem(der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

#[tokio::test]
async fn an_authority_that_has_expired_is_left_out_and_the_others_count() {
    let good = Authority::new("staff CA");
    let expired = Authority::with("old CA", |params| params.not_after = now() - time::Duration::DAY);
    let (site, _) = site(&[&expired, &good], None).await;
    counts(&site, &good.issue("anna", 1), "anna").await;
    does_not_count(
        &site,
        &expired.issue("mallory", 1),
        "of an authority that has expired",
    )
    .await;
}

#[tokio::test]
async fn a_route_that_needs_a_certificate_stops_a_server_that_asks_for_none() {
    let app = || Palisade::new(settings()).protect(router()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let tls = palisade::serve::Tls::development(folder.path(), [""; 0]).unwrap();
    for listen in [Listen::from(tls), Listen::plain_behind_proxy("127.0.0.1:0")] {
        let mut settings = settings();
        settings.secure_ssl_redirect = false;
        let error = serve::serve(app(), listen).bind().await.unwrap_err();
        let said = error.to_string();
        assert!(
            said.contains("/staff/") && said.contains("with_client_ca")
                || matches!(error, ServeError::ProxyUnknown),
            "{said}"
        );
    }
}

#[tokio::test]
async fn a_host_of_its_own_is_the_only_one_at_which_a_certificate_is_asked_for() {
    let authority = Authority::new("staff CA");
    let folder = tempfile::tempdir().unwrap();
    let ca = write(&folder, &[&authority], None).open().unwrap();
    let tls = tls(&folder, ca.asked_at(["Staff.Localhost"]));
    let site = Site::start(folder, tls, router()).await;
    let mut config = site.config(Some(&authority.issue("anna", 1)), BOTH);
    config.alpn_protocols = vec![b"h2".to_vec()];
    let staff = site.shake_hands(&config, "staff.localhost").await.unwrap();
    let mut staff = Talk::open(staff).await.unwrap();
    assert_eq!(
        staff.ask("staff.localhost", "/staff/").await.unwrap(),
        (OK, "anna".into())
    );

    let other = site.shake_hands(&config, "localhost").await.unwrap();
    let mut other = Talk::open(other).await.unwrap();
    assert_eq!(
        other.ask("localhost", "/").await.unwrap(),
        (OK, "stranger".into())
    );
    // A browser that shares the connection is sent to open another.
    for host in ["staff.localhost", "localhost"] {
        let (status, _) = other.ask(host, "/staff/").await.unwrap();
        assert_eq!(status, StatusCode::MISDIRECTED_REQUEST);
    }
}

#[tokio::test]
async fn a_certificate_tells_its_names_and_what_makes_it_one_of_a_kind() {
    let authority = Authority::new("staff CA");
    let held = authority.issue_with("anna", 0x0a_bc, |params| {
        params.subject_alt_names = vec![
            SanType::Rfc822Name("anna@example.com".try_into().unwrap()),
            SanType::DnsName("laptop.example.com".try_into().unwrap()),
            SanType::URI("spiffe://example.com/anna".try_into().unwrap()),
        ];
    });
    let one = ClientCertificate::dangerous_unverified(&held.chain[0]).unwrap();
    assert_eq!(
        (one.subject(), one.issuer(), one.serial()),
        ("CN=anna", "CN=staff CA", "0abc")
    );
    assert_eq!(one.emails(), ["anna@example.com"]);
    assert_eq!(one.dns_names(), ["laptop.example.com"]);
    assert_eq!(one.uris(), ["spiffe://example.com/anna"]);
    assert_eq!(one.fingerprint().len(), 64);
    let again = ClientCertificate::dangerous_unverified(&authority.issue("anna", 0x0a_bc).chain[0]).unwrap();
    assert_ne!(one.fingerprint(), again.fingerprint());
    let two_names = authority.issue_with("anna", 1, |params| {
        let name = rcgen::DnType::CustomDnType(vec![2, 5, 4, 3]);
        params.distinguished_name.push(name, "admin");
    });
    let two_names = ClientCertificate::dangerous_unverified(&two_names.chain[0]).unwrap();
    assert_eq!(two_names.common_name(), None, "{}", two_names.subject());
    let odd = ClientCertificate::dangerous_unverified(&authority.issue("anna\nadmin", 1).chain[0]).unwrap();
    assert_eq!(odd.common_name(), None);
    assert!(ClientCertificate::dangerous_unverified(b"no certificate").is_err());
}
