//! Error reports: all that a person needs after a fault, and not one secret of the request that met it.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use axum::body::Body;
use axum::routing::{get, post};
use http::Request;
use http::header::{CONTENT_TYPE, ORIGIN};
use palisade::csrf::CsrfToken;
use palisade::form::{Checked, Form};
use palisade::report::{ErrorReport, ReportFolder, ReportSink};
use palisade::session::{MemorySessions, Session, SessionError};
use palisade::{Palisade, Policies as _, Protected, Rejection, Router, Sensitive};

use crate::client::{Answer, Client, KEY, settings};
use crate::log::Log;

/// A secret in every place of a request that may hold one.
const SECRET: &str = "t0psecret";

#[derive(Debug)]
struct Post(Sender<ErrorReport>);

impl ReportSink for Post {
    fn take(&self, report: &ErrorReport) {
        self.0.send(report.clone()).unwrap();
    }
}

#[derive(Form)]
struct Order {
    article: String,
    #[form(optional)]
    number_on_the_back: String,
    /// Nobody would guess from its name what it is.
    answer: Sensitive<String>,
}

async fn fail(form: Checked<Order>) -> Result<String, Rejection> {
    let order = form.validate().map_err(|_| Rejection::bad_request("no order"))?;
    assert_eq!(
        (order.article.as_str(), order.answer.expose().as_str()),
        ("teapot", SECRET)
    );
    assert!(!order.number_on_the_back.is_empty());
    let missing = std::fs::read_to_string("/nowhere/prices").unwrap_err();
    Err(Rejection::internal("the price list cannot be read").caused_by(&missing))
}

fn app() -> (Protected, Receiver<ErrorReport>) {
    let (sender, receiver) = channel();
    let router = Router::new()
        .route("/token", get(async |csrf: CsrfToken| csrf.masked()))
        .route("/order", post(fail))
        .route(
            "/marked",
            post(fail).sensitive_post_parameters(["number_on_the_back"]),
        )
        .route("/all", post(fail).sensitive_post_parameters([""; 0]))
        .route(
            "/log-in",
            get(async |session: Session| -> Result<&str, SessionError> {
                session.insert("cart", SECRET).await?;
                Ok("in")
            }),
        )
        .route(
            "/panic/{what}",
            get(async || -> &'static str { panic!("no more paper") }),
        )
        .route("/fine", get(async || "fine"))
        .route(
            "/fail/{number}",
            get(async |number: axum::extract::Path<String>| {
                Rejection::internal(format!("fault {}", number.0))
            }),
        );
    let palisade = Palisade::new(settings())
        .with_sessions(MemorySessions::new())
        .with_reports(Post(sender));
    (palisade.protect(router.public()).unwrap(), receiver)
}

fn next(reports: &Receiver<ErrorReport>) -> ErrorReport {
    reports.recv_timeout(Duration::from_mins(1)).unwrap()
}

async fn order(client: &Client, path: &str) -> Answer {
    let token = client.get("/token").await.text;
    let body = format!(
        "csrfmiddlewaretoken={token}&article=teapot&number_on_the_back=4711-{SECRET}&answer={SECRET}&api_key={SECRET}"
    );
    let request = Request::post(format!("{path}?page=2"))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(ORIGIN, "https://example.com")
        .header("authorization", format!("Bearer {SECRET}"))
        .header("x-api-key", SECRET)
        .header("referer", format!("https://example.com/a?token={SECRET}"))
        .body(Body::from(body));
    client.send(request.unwrap()).await
}

#[tokio::test]
async fn report_of_a_failed_form_has_what_is_needed_and_no_secret() {
    let (app, reports) = app();
    let (log, _guard) = Log::begin();
    let client = Client::new(&app);
    client.get("/log-in").await;
    client.plant("theme", "dark");
    let session = client.cookie("sessionid").unwrap();
    let answer = order(&client, "/marked").await;
    assert_eq!(answer.status, 500);
    let report = next(&reports);
    let text = &report.text;
    for says in [
        "Internal Server Error: /marked\n",
        &format!("Report {} of 20", answer.header("x-request-id")),
        "Status: 500 Internal Server Error\n",
        "Reason: the price list cannot be read\n",
        "caused by: No such file or directory",
        "Client: 192.0.2.7\n",
        "  POST /marked?page=2 HTTP/1.1\n",
        "  host: example.com\n",
        "  authorization: ********************\n",
        "  referer: https://example.com/a?token=********************\n",
        "  sessionid=********************\n",
        "  theme=dark\n",
        "  article = teapot\n",
        "  number_on_the_back = ********************\n",
        "  answer = ********************\n",
        "  api_key = ********************\n",
        "  csrfmiddlewaretoken = ********************\n",
        "  secret_key = \"********************\"\n",
        "  session_cookie_age = 1_209_600\n",
    ] {
        assert!(text.contains(says), "{says:?} is not in {text}");
    }
    for secret in [SECRET, KEY, &session] {
        assert!(!text.contains(secret), "{secret} is in {text}");
        assert!(!log.text().contains(secret), "{secret} is in {}", log.text());
        assert!(!answer.text.contains(secret) && !answer.text.contains("price list"));
    }
    assert!(
        !answer.text.contains("session_cookie_age"),
        "no setting stands on the page"
    );
}

#[tokio::test]
async fn field_that_nobody_marks_is_shown_and_a_route_may_hide_all() {
    let (app, reports) = app();
    let client = Client::new(&app);
    order(&client, "/order").await;
    let text = next(&reports).text;
    assert!(
        text.contains(&format!("number_on_the_back = 4711-{SECRET}")),
        "the attack works on a name that tells nothing: {text}"
    );
    assert!(text.contains("answer = ********************"), "by its type");
    order(&client, "/all").await;
    let text = next(&reports).text;
    assert!(
        !text.contains(SECRET) && text.contains("  article = ********************\n"),
        "{text}"
    );
}

#[tokio::test]
async fn panic_is_reported_with_its_place_and_the_calls_that_led_there() {
    let (app, reports) = app();
    let client = Client::new(&app);
    assert_eq!(client.get("/panic/1").await.status, 500);
    let text = next(&reports).text;
    assert!(
        text.contains("Reason: a handler panicked: no more paper"),
        "{text}"
    );
    assert!(
        text.contains("Panic at crates/palisade/tests/it/error_reports.rs:"),
        "{text}"
    );
    assert!(text.contains("error_reports::app::"), "the calls: {text}");
    // The next one of this thread is not mistaken for it.
    client.get("/fail/2").await;
    assert!(!next(&reports).text.contains("Panic at"));
}

#[tokio::test]
async fn reports_are_no_flood() {
    let (app, reports) = app();
    let client = Client::new(&app);
    for number in 0..100 {
        assert_eq!(client.get(&format!("/fail/{number}")).await.status, 500);
    }
    next(&reports);
    for path in ["/fine", "/nowhere", "/token?token=x"] {
        client.get(path).await;
    }
    drop((client, app));
    let more: Vec<String> = reports.iter().map(|report| report.text).collect();
    assert!(
        more.is_empty(),
        "the same fault, a 404 and a 400 are not reported: {more:#?}"
    );
}

#[tokio::test]
async fn folder_gets_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reports");
    let (sender, done) = channel();
    let palisade = Palisade::new(settings())
        .with_reports(ReportFolder::open(&path).unwrap())
        .with_reports(Post(sender));
    let router = Router::new().route("/", get(async || Rejection::internal("broken")).public());
    let client = Client::new(&palisade.protect(router).unwrap());
    let id = client.get("/").await.header("x-request-id").to_owned();
    next(&done);
    let files: Vec<_> = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(files.len(), 1);
    assert!(files[0].to_string_lossy().contains(&id));
    assert!(
        std::fs::read_to_string(&files[0])
            .unwrap()
            .contains("Reason: broken")
    );
}

#[tokio::test]
async fn page_before_is_named_in_a_refusal_without_what_its_address_holds() {
    let (app, _reports) = app();
    let (log, _guard) = Log::begin();
    let request = Request::post("/order")
        .header(
            "referer",
            format!("https://u:{SECRET}@evil.example/a?token={SECRET}&page=2"),
        )
        .body(Body::empty());
    assert_eq!(Client::new(&app).send(request.unwrap()).await.status, 403);
    let log = log.text();
    assert!(
        log.contains("Referer checking failed - https://") && !log.contains(SECRET),
        "{log}"
    );
}

#[tokio::test]
async fn reason_and_referer_are_cut_in_the_log_and_leave_no_half_of_a_secret() {
    let (app, reports) = app();
    let (log, _guard) = Log::begin();
    let long = "x".repeat(400);
    let request = Request::get(format!("/fail/{}", "%C3%A9".repeat(900)))
        .header("referer", format!("https://u:{SECRET}{long}@example.com/"))
        .body(Body::empty());
    assert_eq!(Client::new(&app).send(request.unwrap()).await.status, 500);
    next(&reports);
    assert!(!log.text().contains(SECRET), "{}", log.text());
}
