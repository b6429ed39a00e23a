//! The site in process, with everything that protects it, and a visitor with a cookie jar.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use palisade::auth::SqliteUsers;
use palisade::axum::body::{Body, Bytes, to_bytes};
use palisade::axum::http::header::{CONTENT_TYPE, COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE, USER_AGENT};
use palisade::axum::http::{HeaderMap, Method, Request, StatusCode};
use palisade::clock::Clock;
use palisade::core::dated_key::{DatedKey, DatedKeys};
use palisade::core::settings::EmailBackend;
use palisade::mail::Mailer;
use palisade::media::Media;
use palisade::password::{Hashers, PasswordPolicy};
use palisade::seal::SealKeys;
use palisade::serve::Peer;
use palisade::sqlite::{Sqlite, params};
use palisade::{Palisade, Protected, SecretKey, Settings};
use tempfile::TempDir;
use testkit::visitor::{BOUNDARY, Upload, form, multipart};
use tower::ServiceExt as _;
use vault::app;
use vault::reach::Reach;

const KEY: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// A good password.
pub(crate) const PASSWORD: &str = "a boat in a blue bottle";

/// A fresh site with its own database.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) palisade: Arc<Palisade>,
    pub(crate) protected: Protected,
    pub(crate) database: Sqlite,
    pub(crate) mailer: Mailer,
    /// Where documents lie.
    pub(crate) folder: Arc<TempDir>,
}

fn seal_keys() -> SealKeys {
    let key = DatedKey::parse("2020-01-01", "secret = \"thirty-two bytes or more of chance\"").unwrap();
    SealKeys::of(DatedKeys::new([key]), Clock::system())
}

impl Site {
    pub(crate) fn open() -> Self {
        Self::framed_by(&[])
    }

    pub(crate) fn framed_by(origins: &[&str]) -> Self {
        Self::reached(|reach| reach.widget_origins = origins.iter().map(ToString::to_string).collect())
    }

    pub(crate) fn reached(change: impl FnOnce(&mut Reach)) -> Self {
        let mut reach = Reach::default();
        change(&mut reach);
        Self::made(
            Settings::new(SecretKey::new(KEY), ["localhost"]),
            &reach,
            &Clock::system(),
        )
    }

    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::new(SecretKey::new(KEY), ["localhost"]);
        change(&mut settings);
        Self::made(settings, &Reach::default(), &Clock::system())
    }

    /// A site whose time is this clock's.
    pub(crate) fn timed(clock: &Clock) -> Self {
        let settings = Settings::new(SecretKey::new(KEY), ["localhost"]);
        Self::made(settings, &Reach::default(), clock)
    }

    fn made(mut settings: Settings, reach: &Reach, clock: &Clock) -> Self {
        settings.site_url = Some("https://localhost".parse().unwrap());
        settings.email_backend = EmailBackend::Memory;
        let mailer = Mailer::from_settings(&settings).unwrap();
        let policy = PasswordPolicy::with_minimum_length(settings.password_min_length);
        let database = Sqlite::in_memory().unwrap();
        let routes = app::routes(&settings, &database, clock.clone(), reach).unwrap();
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let palisade = app::palisade(settings, &database, clock.clone())
            .unwrap()
            .with_media(Media::on_disk(folder.path().join("media")).unwrap())
            .with_users_and(
                SqliteUsers::new(database.clone()).unwrap(),
                Hashers::dangerous_cheap(),
                policy,
            );
        let palisade = app::with_recovery(palisade, &database, seal_keys(), mailer.clone()).unwrap();
        Self {
            mailer,
            protected: palisade.protect(routes).unwrap(),
            palisade: Arc::new(palisade),
            database,
            folder,
        }
    }

    pub(crate) fn visitor(&self) -> Visitor {
        Visitor {
            site: self.clone(),
            address: [127, 0, 0, 1],
            cookies: BTreeMap::new(),
        }
    }

    /// Somebody with an account, logged in.
    pub(crate) async fn member(&self, username: &str) -> Visitor {
        let mut visitor = self.visitor();
        let fields = [
            ("username", username),
            ("email", ""),
            ("password1", PASSWORD),
            ("password2", PASSWORD),
        ];
        visitor.submit("/signup/", &fields).await.leads_to("/");
        visitor
    }

    /// Somebody who looks after the site, logged in.
    pub(crate) async fn staff(&self, username: &str) -> Visitor {
        let visitor = self.member(username).await;
        let name = username.to_owned();
        let appoint = "UPDATE auth_user SET is_staff = 1 WHERE username = ?1";
        let work = self
            .database
            .write(move |writer| writer.execute(appoint, params![name]));
        assert_eq!(work.await.unwrap(), 1);
        visitor
    }
}

/// Somebody with a browser, over TLS.
#[derive(Clone)]
pub(crate) struct Visitor {
    site: Site,
    address: [u8; 4],
    cookies: BTreeMap<String, String>,
}

impl Visitor {
    /// The same person on another machine.
    pub(crate) fn at_address(mut self, address: [u8; 4]) -> Self {
        self.address = address;
        self
    }

    pub(crate) async fn open(&mut self, path: &str) -> Shown {
        self.send(Method::GET, path, String::new()).await
    }

    /// The session's key, which nobody may see.
    pub(crate) fn session(&self) -> String {
        self.cookies["sessionid"].clone()
    }

    /// Opens the page and sends its form.
    pub(crate) async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Shown {
        let token = self.open(path).await.token();
        self.post(path, fields, &token).await
    }

    /// Sends a form with this token, to a path that need not have a page.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)], token: &str) -> Shown {
        let fields = [fields, &[("csrfmiddlewaretoken", token)]].concat();
        self.send(Method::POST, path, form(&fields)).await
    }

    /// Opens the page for documents and sends a file with its form.
    pub(crate) async fn keep(&mut self, title: &str, name: &str, content: &[u8]) -> Shown {
        let token = self.open("/documents/new/").await.token();
        let file = Upload {
            field: "document",
            name,
            content_type: "application/octet-stream",
            content,
        };
        let body = multipart(
            &[("csrfmiddlewaretoken", token.as_str()), ("title", title)],
            &file,
        );
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        self.ask(Method::POST, "/documents/new/", &kind, body).await
    }

    /// Sends a body that is no form.
    pub(crate) async fn send_as(&mut self, path: &str, kind: &str, body: &str) -> Shown {
        self.ask(Method::POST, path, kind, body.into()).await
    }

    async fn send(&mut self, method: Method, path: &str, body: String) -> Shown {
        self.ask(method, path, "application/x-www-form-urlencoded", body.into())
            .await
    }

    async fn ask(&mut self, method: Method, path: &str, kind: &str, body: Vec<u8>) -> Shown {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let peer = Peer {
            addr: SocketAddr::from((self.address, 4711)),
            tls: true,
        };
        let mut request = Request::builder()
            .method(&method)
            .uri(path)
            .header(HOST, "localhost")
            .header("accept", "text/html")
            .header(
                USER_AGENT,
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            )
            .header(COOKIE, cookies.join("; "))
            .extension(peer);
        if method == Method::POST {
            request = request
                .header(ORIGIN, "https://localhost")
                .header(CONTENT_TYPE, kind);
        }
        let request = request.body(Body::from(body)).unwrap();
        let response = self.site.protected.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        for cookie in head.headers.get_all(SET_COOKIE) {
            let (pair, attributes) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Shown {
            status: head.status,
            headers: head.headers,
            text: String::from_utf8_lossy(&body).into_owned(),
            body,
        }
    }
}

/// What the visitor gets to see.
pub(crate) struct Shown {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) body: Bytes,
}

impl Shown {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn leads_to(&self, path: &str) {
        assert_eq!(
            (self.status.as_u16(), self.header(LOCATION.as_str())),
            (303, path),
            "{}",
            self.text
        );
    }

    #[track_caller]
    pub(crate) fn says(&self, words: &str) -> &Self {
        assert!(
            self.text.contains(words),
            "not {words:?} but {} {}",
            self.status,
            self.text
        );
        self
    }

    #[track_caller]
    pub(crate) fn hides(&self, words: &str) -> &Self {
        assert!(!self.text.contains(words), "{words:?} stands in {}", self.text);
        self
    }

    /// The form was refused, with this sentence, which stands at the field and in the summary.
    #[track_caller]
    pub(crate) fn refuses(&self, field: &str, sentence: &str) -> &Self {
        assert_eq!(self.status, 422);
        self.says("role=\"alert\"").says(&format!("href=\"#id_{field}\""));
        let (_, errors) = self
            .text
            .split_once(&format!("id=\"id_{field}_error\""))
            .expect("no error at the field");
        let (errors, _) = errors.split_once("</ul>").unwrap();
        assert!(errors.contains(sentence), "{field} says {errors}");
        self.says(&format!("id_{field}_error\" id=\"id_{field}\""))
    }

    pub(crate) fn token(&self) -> String {
        let (_, rest) = self
            .text
            .split_once("name=\"csrfmiddlewaretoken\" value=\"")
            .unwrap_or_else(|| unreachable!("no form on this page: {} {}", self.status, self.text));
        rest.split_once('"').unwrap().0.to_owned()
    }
}
