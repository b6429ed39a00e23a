//! The gates of routes: networks as they are reached, and as somebody pretends to be in them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use axum::routing::{get, post};
use http::{Method, Request, StatusCode};
use palisade::certificate::ClientCertificate;
use palisade::core::network::NetworkList;
use palisade::serve::Peer;
use palisade::{Palisade, Policies, Rejection, Router, Settings};
use rcgen::{CertificateParams, KeyPair};

use crate::client::{Answer, Client, settings};

/// Comes from this address, which is the other end of the connection.
fn from(address: &str) -> Peer {
    let addr: SocketAddr = SocketAddr::new(address.parse().unwrap(), 4711);
    // As the server does it.
    let addr = SocketAddr::new(addr.ip().to_canonical(), addr.port());
    Peer { addr, tls: true }
}

async fn ask(client: &Client, method: Method, path: &str, peer: Peer, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path).extension(peer);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    client.send(request.body(Body::empty()).unwrap()).await
}

async fn status(client: &Client, path: &str, address: &str, headers: &[(&str, &str)]) -> u16 {
    let answer = ask(client, Method::GET, path, from(address), headers).await;
    answer.status.as_u16()
}

async fn lost() -> Rejection {
    Rejection::not_found("nothing").with_hint("This is the site's own word for nothing.")
}

/// A site whose `/staff/` is for 10.0.0.0/8 and `fd00::/8`, and how often its handler ran.
fn site(settings: Settings) -> (Client, Arc<AtomicUsize>) {
    let ran = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&ran);
    let staff = get(async move || {
        counted.fetch_add(1, Ordering::Relaxed);
        "the staff area"
    });
    let router = Router::new()
        .route("/", get(async || "hello").public())
        .route(
            "/staff/",
            staff
                .public()
                .frame_same_origin()
                .only_from(["10.0.0.0/8", "fd00::/8"])
                .unwrap(),
        )
        .fallback(lost);
    (
        Client::new(&Palisade::new(settings).protect(router).unwrap()),
        ran,
    )
}

fn behind_proxies() -> Settings {
    let mut settings = settings();
    settings.trusted_proxies = vec!["192.0.2.1/32".parse().unwrap(), "192.0.2.2/32".parse().unwrap()];
    settings
}

#[tokio::test]
async fn a_route_is_reached_from_its_networks_and_from_nowhere_else() {
    let (client, ran) = site(settings());
    for address in ["10.0.0.1", "10.255.255.255", "::ffff:10.1.2.3", "fd12::7"] {
        assert_eq!(status(&client, "/staff/", address, &[]).await, 200, "{address}");
    }
    let outside = [
        "11.0.0.1",
        "9.255.255.255",
        "127.0.0.1",
        "::1",
        "::10.0.0.1",
        "2001:db8::10.0.0.1",
    ];
    for address in outside {
        assert_eq!(status(&client, "/staff/", address, &[]).await, 404, "{address}");
        assert_eq!(status(&client, "/", address, &[]).await, 200, "{address}");
    }
    assert_eq!(
        ran.load(Ordering::Relaxed),
        4,
        "the handler ran for somebody else"
    );
}

#[tokio::test]
async fn from_elsewhere_there_is_nothing_at_its_address() {
    let (client, _) = site(settings());
    for method in [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::DELETE,
        Method::OPTIONS,
    ] {
        let hidden = ask(&client, method.clone(), "/staff/", from("203.0.113.9"), &[]).await;
        let nothing = ask(&client, method.clone(), "/nothing/", from("203.0.113.9"), &[]).await;
        let told = |answer: &Answer| {
            let mut headers: Vec<String> = answer
                .headers
                .iter()
                .filter(|(name, _)| *name != "x-request-id")
                .map(|(name, value)| format!("{name}: {value:?}"))
                .collect();
            headers.sort();
            let text = answer.text.replace(answer.header("x-request-id"), "");
            (answer.status, headers, text)
        };
        assert_eq!(told(&hidden), told(&nothing), "{method}");
    }
    let bare = Router::new().route(
        "/staff/",
        get(async || "hi").public().only_from(["10.0.0.1"]).unwrap(),
    );
    let bare = Client::new(&Palisade::new(settings()).protect(bare).unwrap());
    for path in ["/staff/", "/nothing/"] {
        assert_eq!(status(&bare, path, "203.0.113.9", &[]).await, 404);
    }
}

#[tokio::test]
async fn headers_of_somebody_outside_bring_nobody_in() {
    let (client, ran) = site(settings());
    for header in [
        ("x-forwarded-for", "10.0.0.1"),
        ("x-forwarded-for", "10.0.0.1, 10.0.0.2"),
        ("x-real-ip", "10.0.0.1"),
        ("forwarded", "for=10.0.0.1"),
        ("x-client-ip", "10.0.0.1"),
        ("true-client-ip", "10.0.0.1"),
        ("cf-connecting-ip", "10.0.0.1"),
        ("client-ip", "10.0.0.1"),
        ("x-original-url", "/staff/"),
    ] {
        assert_eq!(
            status(&client, "/staff/", "203.0.113.9", &[header]).await,
            404,
            "{header:?}"
        );
        assert_ne!(status(&client, "/", "203.0.113.9", &[header]).await, 500);
    }
    assert_eq!(ran.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn what_a_client_writes_before_the_proxy_is_not_believed() {
    let (client, _) = site(behind_proxies());
    let said = async |peer: &str, forwarded: &str| {
        status(&client, "/staff/", peer, &[("x-forwarded-for", forwarded)]).await
    };
    assert_eq!(said("192.0.2.1", "10.0.0.5").await, 200);
    assert_eq!(said("192.0.2.1", "10.0.0.5, 192.0.2.2").await, 200, "two proxies");
    assert_eq!(said("192.0.2.1", "::ffff:10.0.0.5").await, 200);
    for forged in [
        "10.0.0.5, 203.0.113.9",
        "10.0.0.5, 203.0.113.9, 192.0.2.2",
        "10.0.0.5, ::ffff:203.0.113.9",
        "10.0.0.5,203.0.113.9:1234",
        "192.0.2.2, 203.0.113.9",
    ] {
        assert_eq!(said("192.0.2.1", forged).await, 404, "{forged}");
    }
    // Not a proxy of ours, whoever it says it speaks for.
    assert_eq!(said("192.0.2.3", "10.0.0.5").await, 404);
    let lines = [
        ("x-forwarded-for", "10.0.0.5"),
        ("x-forwarded-for", "203.0.113.9"),
    ];
    assert_eq!(status(&client, "/staff/", "192.0.2.1", &lines).await, 404);
}

#[tokio::test]
async fn a_client_that_the_proxy_does_not_name_is_not_the_proxy() {
    let mut inside = settings();
    inside.trusted_proxies = vec!["10.0.0.2/32".parse().unwrap()];
    let (client, _) = site(inside);
    assert_eq!(
        status(&client, "/staff/", "10.0.0.3", &[]).await,
        200,
        "no proxy at all"
    );
    // The proxy itself is in the network, and its clients are not.
    for headers in [
        &[][..],
        &[("x-forwarded-for", "")],
        &[("x-forwarded-for", "unknown")],
        &[("x-forwarded-for", "203.0.113.9, _hidden")],
        &[("forwarded", "for=203.0.113.9")],
        &[("x-real-ip", "10.0.0.3")],
    ] {
        assert_eq!(
            status(&client, "/staff/", "10.0.0.2", headers).await,
            404,
            "{headers:?}"
        );
    }
    let named = [("x-forwarded-for", "10.0.0.3")];
    assert_eq!(status(&client, "/staff/", "10.0.0.2", &named).await, 200);
}

/// Everybody who comes through it has its address, which is often this machine's.
#[tokio::test]
async fn a_proxy_that_is_not_listed_brings_nobody_in() {
    let router = get(async || "staff").public().networks(&NetworkList::loopback());
    let router = Router::new().route("/staff/", router);
    let client = Client::new(&Palisade::new(settings()).protect(router).unwrap());
    assert_eq!(status(&client, "/staff/", "127.0.0.1", &[]).await, 200);
    for name in ["x-forwarded-for", "x-real-ip", "forwarded", "x-forwarded-proto"] {
        let headers = [(name, "203.0.113.9")];
        assert_eq!(
            status(&client, "/staff/", "127.0.0.1", &headers).await,
            404,
            "{name}"
        );
    }
}

#[tokio::test]
async fn the_gate_is_asked_before_the_body_and_the_token() {
    let router = Router::new()
        .route("/in", post(async |body: String| body).public().body_limit(8))
        .only_from(["10.0.0.0/8"])
        .unwrap()
        .fallback(lost);
    let client = Client::new(&Palisade::new(settings()).protect(router).unwrap());
    let long = async |address: &str| {
        let request = Request::post("/in")
            .header("origin", "https://example.com")
            .extension(from(address))
            .body(Body::from("x".repeat(100)));
        client.send(request.unwrap()).await.status
    };
    assert_eq!(long("10.0.0.1").await, StatusCode::PAYLOAD_TOO_LARGE);
    // Somewhere else the fallback decides, which is as strict with a form that proves nothing.
    assert_eq!(long("203.0.113.9").await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn lists_of_a_router_and_of_its_routes_must_all_have_the_client() {
    let inner = Router::new()
        .route("/", get(async || "all"))
        .route("/one", get(async || "one").only_from(["10.1.0.0/16"]).unwrap());
    let router = Router::new()
        .nest("/staff", inner.public().only_from(["10.0.0.0/8"]).unwrap())
        .merge(
            palisade::Router::from(axum::Router::new().route("/plain", get(async || "plain")))
                .public()
                .only_from(["10.0.0.0/8"])
                .unwrap(),
        )
        .fallback(async |uri: http::Uri| format!("nothing at {uri}"));
    let app = Palisade::new(settings()).protect(router).unwrap();
    let client = Client::new(&app);
    let text =
        async |path: &str, address: &str| ask(&client, Method::GET, path, from(address), &[]).await.text;
    assert_eq!(text("/staff", "10.9.9.9").await, "all");
    assert_eq!(text("/staff/one", "10.1.9.9").await, "one");
    assert_eq!(text("/plain", "10.1.9.9").await, "plain");
    for (path, address) in [
        ("/staff", "11.0.0.1"),
        ("/staff/one", "10.9.9.9"),
        ("/staff/one", "11.0.0.1"),
        ("/plain", "11.0.0.1"),
    ] {
        assert_eq!(text(path, address).await, format!("nothing at {path}"));
    }
    let report = app.routes_report().to_string();
    assert!(report.contains("10.1.0.0/16 and 10.0.0.0/8"), "{report}");
    let json = app.routes_report().to_json();
    assert_eq!(
        json[1]["networks"],
        serde_json::json!(["10.1.0.0/16", "10.0.0.0/8"])
    );
    assert_eq!(json[0]["client_certificate"], false);
}

#[tokio::test]
async fn a_list_with_mistakes_names_them_all() {
    let route: palisade::router::Route = get(async || "").public();
    let wrong = route.only_from(["10.0.0.0/8", "office", "10.0.0.1/8", "::/0"]);
    let said = wrong.unwrap_err().to_string();
    for name in ["\"office\"", "\"10.0.0.1/8\"", "\"::/0\""] {
        assert!(said.contains(name), "{said}");
    }
    assert!(Router::<()>::new().only_from([""; 0]).is_err());
}

async fn whose(certificate: ClientCertificate) -> String {
    certificate.common_name().unwrap_or("nobody").to_owned()
}

#[tokio::test]
async fn a_certificate_is_never_taken_from_a_header() {
    let router = Router::new()
        .route("/vault", get(whose).public().client_certificate_required())
        .route("/by-hand", get(whose).public())
        .fallback(lost);
    let client = Client::new(&Palisade::new(settings()).protect(router).unwrap());
    let pem = CertificateParams::new(Vec::new())
        .unwrap()
        .self_signed(&KeyPair::generate().unwrap())
        .unwrap()
        .pem()
        .replace('\n', "\t");
    for path in ["/vault", "/by-hand"] {
        for header in [
            ("x-ssl-client-verify", "SUCCESS"),
            ("ssl-client-verify", "SUCCESS"),
            ("x-ssl-client-s-dn", "CN=admin"),
            ("x-client-cert", &pem),
            ("x-forwarded-client-cert", "By=x;Subject=\"CN=admin\""),
            ("x-forwarded-tls-client-cert", &pem),
        ] {
            let refused = ask(&client, Method::GET, path, from("10.0.0.1"), &[header]).await;
            assert_eq!(refused.status, 403, "{header:?}");
            assert!(
                refused.text.contains("administrator has given you"),
                "{}",
                refused.text
            );
        }
    }
}

#[tokio::test]
async fn network_certificate_and_rule_must_all_be_satisfied() {
    let router = Router::new().route(
        "/vault",
        get(whose)
            .public()
            .client_certificate_required()
            .only_from(["10.0.0.0/8"])
            .unwrap(),
    );
    let app = Palisade::new(settings()).protect(router).unwrap();
    assert!(
        app.routes_report()
            .to_string()
            .contains("10.0.0.0/8 + client certificate")
    );
    let client = Client::new(&app);
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, "anna");
    let der = params
        .self_signed(&KeyPair::generate().unwrap())
        .unwrap()
        .der()
        .clone();
    let certificate = ClientCertificate::dangerous_unverified(&der).unwrap();
    let ask = async |address: &str, certificate: Option<&ClientCertificate>| {
        let mut request = Request::get("/vault").extension(from(address));
        if let Some(certificate) = certificate {
            request = request.extension(certificate.clone());
        }
        client.send(request.body(Body::empty()).unwrap()).await
    };
    let inside = ask("10.0.0.1", Some(&certificate)).await;
    assert_eq!((inside.status.as_u16(), inside.text.as_str()), (200, "anna"));
    assert_eq!(ask("10.0.0.1", None).await.status, 403);
    assert_eq!(ask("203.0.113.9", Some(&certificate)).await.status, 404);
    assert_eq!(ask("203.0.113.9", None).await.status, 404);
}
