//! Routes and their policies: however routers are put together, no route escapes the stack.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::routing::{any, get, post};
use http::{Method, Request, StatusCode};
use palisade::{Palisade, Policies, Router};

use crate::client::{Client, settings};

fn site(router: impl Into<Router>) -> Client {
    Client::new(&Palisade::new(settings()).protect(router.into().public()).unwrap())
}

async fn unproven(client: &Client, path: &str) -> StatusCode {
    let request = Request::post(path)
        .header("origin", "https://example.com")
        .body(Body::from("x"));
    client.send(request.unwrap()).await.status
}

#[tokio::test]
async fn however_a_route_is_added_it_is_guarded() {
    let plain = axum::Router::new()
        .route("/plain", post(async || "done"))
        .route_service("/service", any(async || "done"))
        .nest(
            "/deep",
            axum::Router::new().route("/plain", post(async || "done")),
        );
    let nested = Router::new()
        .route("/own", post(async || "done"))
        .merge(axum::Router::new().route("/plain", post(async || "done")))
        .nest("/deeper", Router::new().route("/own", post(async || "done")))
        .fallback(async || "lost inside");
    let router = Router::new()
        .route("/own", post(async || "done"))
        .merge(Router::new().route("/merged", post(async || "done")))
        .merge(plain)
        .nest("/nest", nested)
        .fallback(async || "lost");
    let client = site(router);
    for path in [
        "/own",
        "/merged",
        "/plain",
        "/service",
        "/deep/plain",
        "/nest/own",
        "/nest/plain",
        "/nest/deeper/own",
        "/nowhere",
        "/nest/nowhere",
    ] {
        assert_eq!(unproven(&client, path).await, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(client.get("/nowhere").await.text, "lost");
    assert_eq!(client.get("/nest/nowhere").await.text, "lost inside");
}

#[tokio::test]
async fn a_plain_router_with_a_fallback_of_its_own_is_guarded_too() {
    let plain = axum::Router::new()
        .route("/", get(async || "hello"))
        .fallback(async || "lost");
    let client = site(plain);
    assert_eq!(client.get("/nowhere").await.text, "lost");
    assert_eq!(unproven(&client, "/nowhere").await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn an_exemption_holds_for_its_route_and_nowhere_else() {
    let nested = Router::new()
        .route("/hook", post(async || "done").csrf_exempt("signed"))
        .route("/{name}", post(async || "done"));
    let client = site(
        Router::new()
            .nest("/pay", nested)
            .route("/hook", post(async || "done")),
    );
    assert_eq!(unproven(&client, "/pay/hook").await, StatusCode::OK);
    for path in ["/pay/hook/", "/pay/Hook", "/pay/%68ook", "/hook", "/pay/other"] {
        let status = unproven(&client, path).await;
        assert!(
            [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND].contains(&status),
            "{path}: {status}"
        );
    }
}

#[tokio::test]
async fn a_routes_body_limit_is_its_own() {
    let echo = async |body: Bytes| body.len().to_string();
    let router = Router::new()
        .route("/small", post(echo).csrf_exempt("a test").body_limit(10))
        .route("/usual", post(echo).csrf_exempt("a test"))
        .route("/large", post(echo).csrf_exempt("a test").body_limit(4_000_000));
    let client = site(router);
    for (path, size, status) in [
        ("/small", 10, StatusCode::OK),
        ("/small", 11, StatusCode::PAYLOAD_TOO_LARGE),
        ("/usual", 2_621_440, StatusCode::OK),
        ("/usual", 2_621_441, StatusCode::PAYLOAD_TOO_LARGE),
        ("/large", 4_000_000, StatusCode::OK),
        ("/large", 4_000_001, StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let declared = Request::post(path).body(Body::from(vec![b'x'; size])).unwrap();
        assert_eq!(client.send(declared).await.status, status, "{path} {size}");
        let piece = Ok::<_, axum::Error>(Bytes::from(vec![b'x'; size]));
        let found = Request::post(path)
            .body(Body::from_stream(futures_util::stream::iter([piece])))
            .unwrap();
        let answer = client.send(found).await;
        assert_eq!(
            answer.status.is_success(),
            status.is_success(),
            "{path} {size} undeclared: {answer:?}"
        );
    }
}

#[tokio::test]
async fn state_reaches_the_handlers_through_every_room() {
    let whose = async |State(name): State<&'static str>| name;
    let router = Router::new()
        .route("/own", get(whose))
        .nest("/nest", Router::new().route("/own", get(whose)))
        .merge(axum::Router::new().route("/plain", get(whose)))
        .fallback(whose)
        .with_state("ada");
    let client = site(router);
    for path in ["/own", "/nest/own", "/plain", "/nowhere"] {
        assert_eq!(client.get(path).await.text, "ada", "{path}");
    }
}

#[tokio::test]
async fn the_report_names_every_policy_with_its_whole_path() {
    let router: Router = Router::new()
        .route("/", get(async || "hello"))
        .nest(
            "/pay/",
            Router::new().route(
                "/hook",
                post(async || "done").csrf_exempt("signed").body_limit(10),
            ),
        )
        .nest("/sub", Router::new().route("/", get(async || "below")))
        .merge(Router::new().route("/widget", get(async || "framed").frame_exempt("public")));
    let report = router.report();
    let paths: Vec<_> = report.iter().map(|line| line.path.as_str()).collect();
    assert_eq!(paths, ["/", "/pay/hook", "/sub", "/widget"]);
    assert_eq!(report[0].policy, palisade::router::RoutePolicy::default());
    let methods: Vec<_> = report[1].methods.iter().map(Method::as_str).collect();
    assert_eq!(methods, ["POST"]);
    assert_eq!(
        (report[1].policy.csrf_exempt, report[1].policy.body_limit),
        (Some("signed"), Some(10))
    );
}
