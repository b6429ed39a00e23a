//! Letters to admins: what Django's handler sends, without a secret, without a flood, and never in the way of a request.

use std::fs;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, UNIX_EPOCH};

use axum::body::Body;
use axum::extract::Path;
use axum::routing::get;
use http::Request;
use palisade::check::Report;
use palisade::clock::Clock;
use palisade::core::settings::{Admin, EmailBackend};
use palisade::mail::{Mail, MailSetupError, Mailer};
use palisade::report::{ErrorDigest, ErrorReport, ReportSink};
use palisade::serve::Tls;
use palisade::{Palisade, Protected, Rejection, Router, Settings};
use testkit::mail::Encryption;
use testkit::{Authority, MailServer};

use crate::client::{Client, KEY};
use crate::log::Log;
use crate::recovery_site::mail_settings;

const SECRET: &str = "t0psecret";
const HOUR: Duration = Duration::from_hours(1);

fn admins() -> Settings {
    let mut settings = mail_settings();
    settings.admins = vec![
        Admin::new("Ann", "ann@example.com").unwrap(),
        Admin::new("", "bob@example.com").unwrap(),
    ];
    "shop@example.com".clone_into(&mut settings.server_email);
    settings
}

struct Site {
    palisade: Palisade,
    app: Protected,
    mailer: Mailer,
    clock: Clock,
}

impl Site {
    fn with(settings: Settings) -> Self {
        Self::and(settings, |palisade| palisade)
    }

    fn and(settings: Settings, more: impl FnOnce(Palisade) -> Palisade) -> Self {
        let clock = Clock::fixed(UNIX_EPOCH + HOUR * 500_000);
        let mailer = Mailer::from_settings(&settings).unwrap();
        let palisade = Palisade::new(settings)
            .with_clock(clock.clone())
            .with_mailer(mailer.clone());
        let palisade = more(palisade);
        let router = Router::new()
            .route("/", get(async || "fine"))
            .route(
                "/broken",
                get(async || Rejection::internal("the price list cannot be read")),
            )
            .route(
                "/reset/{uid}/{token}/",
                get(async || Rejection::internal("no such table")),
            )
            .route(
                "/fault/{place}/{what}",
                get(async |Path((_, what)): Path<(String, String)>| Rejection::internal(what)),
            );
        let app = palisade.protect(router.public()).unwrap();
        Self {
            palisade,
            app,
            mailer,
            clock,
        }
    }

    fn client(&self) -> Client {
        Client::new(&self.app)
    }

    /// Everything that has been sent, at the end.
    async fn end(self) -> Vec<Mail> {
        self.palisade.close().await;
        self.mailer.outbox().unwrap().sent()
    }
}

fn to_ann(mails: &[Mail]) -> Vec<&Mail> {
    mails
        .iter()
        .filter(|mail| mail.to() == "ann@example.com")
        .collect()
}

/// Different faults, as many as asked for, each at a place and a minute of its own.
async fn faults(site: &Site, number: u8) {
    for number in 0..number {
        let letter = char::from(b'a' + number);
        site.client().get(&format!("/fault/{letter}/{letter}")).await;
        site.clock.advance(Duration::from_mins(1));
    }
}

#[tokio::test]
async fn each_admin_gets_djangos_letter_and_no_secret_of_the_request() {
    let site = Site::with(admins());
    let client = site.client();
    client.plant("sessionid", SECRET);
    client.plant("__Host-device", SECRET);
    let request = Request::get(format!(
        "/broken?page=2&next=/a%3Fnext%3D%252Fb%253Ftoken%253D{SECRET}"
    ))
    .header("authorization", format!("Bearer {SECRET}"))
    .header("x-csrftoken", SECRET)
    .header(
        "referer",
        format!("https://u:{SECRET}@example.com/?token={SECRET}"),
    );
    let answer = client.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 500);
    let id = answer.header("x-request-id").to_owned();
    let sent = site.end().await;
    let to: Vec<&str> = sent.iter().map(Mail::to).collect();
    assert_eq!(to, ["ann@example.com", "bob@example.com"]);
    for mail in &sent {
        assert_eq!(
            mail.subject(),
            "[Django] ERROR (EXTERNAL IP): Internal Server Error: /broken"
        );
        let text = mail.text();
        for says in [
            &format!("Report {id} of "),
            "Reason: the price list cannot be read\n",
            "GET /broken?page=2&next=********************",
            "authorization: ********************",
            "sessionid=********************",
            "__Host-device=********************",
            "secret_key = \"********************\"",
        ] {
            assert!(text.contains(says), "{says:?} is not in {text}");
        }
        assert!(!text.contains(SECRET) && !text.contains(KEY), "{text}");
    }
}

#[tokio::test]
async fn token_in_the_path_is_in_no_letter_no_subject_and_no_log() {
    let site = Site::with(admins());
    let (log, _guard) = Log::begin();
    site.client().get(&format!("/reset/Nw/{SECRET}/")).await;
    let sent = site.end().await;
    let letter = to_ann(&sent)[0];
    assert!(
        letter
            .subject()
            .ends_with("Internal Server Error: /reset/{uid}/{token}/"),
        "{letter:?}"
    );
    assert!(
        letter.text().contains("GET /reset/Nw/********************/ HTTP"),
        "{letter:?}"
    );
    assert!(!letter.text().contains(SECRET), "{letter:?}");
    let log = log.text();
    assert!(
        log.contains("path=/reset/Nw/********************/") && !log.contains(SECRET),
        "{log}"
    );
}

#[tokio::test]
async fn subject_is_one_line_that_a_mail_has_room_for() {
    let site = Site::with(admins());
    site.mailer.mail_admins("a\r\nBcc: eve@example.com", "").unwrap();
    site.mailer.mail_admins(&"é".repeat(5000), "").unwrap();
    let sent = site.end().await;
    assert_eq!(sent.len(), 4);
    assert_eq!(sent[0].subject(), "[Django] a\\r\\nBcc: eve@example.com");
    for mail in &sent {
        assert!(mail.subject().len() <= 998, "{mail:?}");
    }
}

#[tokio::test]
async fn thousand_errors_are_two_letters_the_first_at_once() {
    let site = Site::with(admins());
    let client = site.client();
    for _ in 0..1000 {
        assert_eq!(client.get("/broken").await.status, 500);
    }
    let id = client.get("/broken").await.header("x-request-id").to_owned();
    let sent = site.end().await;
    let letters = to_ann(&sent);
    assert_eq!(letters.len(), 2, "{letters:?}");
    assert!(
        letters[1].subject().contains("1000 more faults"),
        "{:?}",
        letters[1]
    );
    let text = letters[1].text();
    assert!(
        text.contains("1000 times  Internal Server Error: /broken") && text.contains(&id),
        "{text}"
    );
}

#[tokio::test]
async fn more_than_ten_faults_an_hour_share_one_letter() {
    let site = Site::with(admins());
    faults(&site, 26).await;
    let sent = site.end().await;
    let letters = to_ann(&sent);
    assert_eq!(letters.len(), 11, "{letters:?}");
    let digest = letters[10].text();
    assert_eq!(
        digest
            .matches("Internal Server Error: /fault/{place}/{what}")
            .count(),
        16,
        "{digest}"
    );
}

#[tokio::test]
async fn digest_comes_after_an_hour_and_the_next_hour_has_letters_again() {
    let (told, digests) = channel();
    let site = Site::and(admins(), |palisade| palisade.with_reports(Desk(told, None)));
    let client = site.client();
    for _ in 0..3 {
        client.get("/broken").await;
    }
    assert_eq!(next(&digests), "report of /broken");
    site.clock.advance(HOUR);
    client.get("/fault/a/a").await;
    // The desk may see that the hour is over before it hears of the fault.
    let mut heard = [next(&digests), next(&digests)];
    heard.sort();
    assert_eq!(heard, ["digest of 2", "report of /fault/{place}/{what}"]);
    client.get("/broken").await;
    assert_eq!(next(&digests), "report of /broken");
    let sent = site.end().await;
    assert_eq!(to_ann(&sent).len(), 4, "{sent:?}");
}

/// Tells a test what it hears, and may be held up in it until the other end is gone.
#[derive(Debug)]
struct Desk(Sender<String>, Option<Mutex<Receiver<()>>>);

impl ReportSink for Desk {
    fn take(&self, report: &ErrorReport) {
        let (_, place) = report.subject.split_once(": ").unwrap();
        self.0.send(format!("report of {place}")).unwrap();
        if let Some(held) = &self.1 {
            // Nobody sends; it ends when there is nobody who could.
            let _gone = held.lock().unwrap().recv();
        }
    }

    fn sum_up(&self, digest: &ErrorDigest) {
        let times: u64 = digest.faults.iter().map(|fault| fault.times).sum();
        self.0
            .send(format!("digest of {}", times + digest.untold))
            .unwrap();
    }
}

#[derive(Debug)]
struct Clumsy;

impl ReportSink for Clumsy {
    fn take(&self, _: &ErrorReport) {
        panic!("out of paper");
    }
}

fn next(told: &Receiver<String>) -> String {
    told.recv_timeout(Duration::from_mins(1)).unwrap()
}

#[tokio::test]
async fn sink_that_hangs_holds_no_request_up_and_what_is_dropped_is_counted_in_the_log() {
    let (told, heard) = channel();
    let (key, held) = channel();
    let sink = Desk(told, Some(Mutex::new(held)));
    let site = Site::and(admins(), |palisade| palisade.with_reports(sink));
    let (log, _guard) = Log::begin();
    let client = site.client();
    client.get("/broken").await;
    assert_eq!(next(&heard), "report of /broken");
    for minute in 0..40 {
        for place in ["a", "b", "c"] {
            let what: String = (0..=minute).map(|_| 'x').collect();
            assert_eq!(
                client.get(&format!("/fault/{place}/{what}-{place}")).await.status,
                500
            );
        }
        site.clock.advance(Duration::from_mins(1));
    }
    let lines = log.lines("palisade::report");
    assert!(lines.iter().any(|line| line.contains("dropped=16")), "{lines:?}");
    drop(key);
    let sent = site.end().await;
    assert!(!sent.is_empty());
    let last = heard.try_iter().last().unwrap();
    assert_eq!(last, "digest of 20", "what was dropped is told at the end");
}

#[tokio::test]
async fn sink_that_panics_keeps_nobody_else_from_being_told() {
    let site = Site::and(admins(), |palisade| palisade.with_reports(Clumsy));
    faults(&site, 3).await;
    assert_eq!(to_ann(&site.end().await).len(), 3);
}

#[tokio::test]
async fn nobody_gets_a_letter_while_debug_is_on() {
    let mut settings = admins();
    settings.debug = true;
    let site = Site::with(settings);
    assert!(!site.app.reports_faults());
    site.client().get("/broken").await;
    assert_eq!(site.end().await.len(), 0);
}

#[tokio::test]
async fn site_whose_faults_reach_nobody_says_so_at_its_start() {
    let mut nobody = admins();
    nobody.admins.clear();
    for (settings, warned) in [(nobody, true), (admins(), false)] {
        let site = Site::with(settings);
        let mut report = Report::default();
        report.add_site(&site.app);
        assert_eq!(
            report
                .findings()
                .iter()
                .any(|found| found.id == "palisade.admins"),
            warned
        );
        let (log, _guard) = Log::begin();
        let folder = tempfile::tempdir().unwrap();
        let tls = Tls::development(folder.path(), [""; 0]).unwrap();
        let server = palisade::serve(site.app.clone(), tls)
            .listen("127.0.0.1:0")
            .graceful(async {});
        server.bind().await.unwrap().await;
        assert_eq!(
            log.text().contains("faults are told to nobody"),
            warned,
            "{}",
            log.text()
        );
    }
}

#[tokio::test]
async fn real_mail_server_gets_the_letters_and_none_is_lost_at_the_end() {
    let (server, settings, _folder) = with_server().await;
    let site = Site::with(settings);
    faults(&site, 4).await;
    site.palisade.close().await;
    let received = server.received();
    assert_eq!(received.len(), 8, "{received:#?}");
    let first = &received[0];
    assert!(
        first.encrypted && first.from.contains("shop@example.com"),
        "{first:?}"
    );
    assert!(first.text.contains("From: shop@example.com"), "{first:?}");
    let lines = received.iter().flat_map(|mail| mail.text.lines());
    assert!(lines.clone().all(|line| line.len() <= 998));
    assert_eq!(
        received
            .iter()
            .filter(|mail| mail.text.contains("Reason: a\n"))
            .count(),
        2
    );
}

#[tokio::test]
async fn mail_server_that_is_gone_loses_no_request_and_is_logged() {
    let (server, settings, _folder) = with_server().await;
    drop(server);
    let site = Site::with(settings);
    let (log, _guard) = Log::begin();
    let client = site.client();
    assert_eq!(client.get("/broken").await.status, 500);
    assert_eq!(client.get("/").await.status, 200);
    site.palisade.close().await;
    let log = log.text();
    assert!(
        log.contains("a mail was not sent") && !log.contains("ann@example.com"),
        "{log}"
    );
}

async fn with_server() -> (MailServer, Settings, tempfile::TempDir) {
    let authority = Authority::new().unwrap();
    let server = MailServer::start(&authority, &["localhost"], Encryption::StartTls)
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    fs::write(&file, authority.pem()).unwrap();
    let mut settings = admins();
    settings.email_backend = EmailBackend::Smtp;
    "localhost".clone_into(&mut settings.email_host);
    settings.email_port = server.port();
    settings.email_ca_file = Some(file.to_str().unwrap().to_owned());
    (server, settings, folder)
}

#[test]
fn addresses_that_no_mail_reaches_stop_the_start() {
    let refused = |change: fn(&mut Settings)| {
        let mut settings = admins();
        change(&mut settings);
        Mailer::from_settings(&settings).unwrap_err()
    };
    let sender = refused(|settings| "shop".clone_into(&mut settings.server_email));
    assert!(matches!(sender, MailSetupError::ServerEmail(_)), "{sender}");
    let admin = refused(|settings| settings.admins.push(Admin::new("Eve", "eve@-").unwrap()));
    assert!(matches!(admin, MailSetupError::Admin(..)), "{admin}");
}
