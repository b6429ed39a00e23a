//! A single request as somebody: a fresh session, a valid proof, and the answer taken apart.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::routing::get;
use http::header::{CONTENT_TYPE, COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use palisade_core::Threat;
use tower::ServiceExt as _;

use super::person::Person;
use super::report::WalkError;
use super::ways::Way;
use crate::auth::{Auth, LoginStep, User, disprove};
use crate::csrf::CsrfToken;
use crate::peer::Peer;
use crate::rejection::{Refusal, Rejection};
use crate::router::{Policies as _, Router};
use crate::session::Session;
use crate::stack::{Palisade, Protected};
use crate::transport::TrustedProxies;

/// The path of the door through which people come in without a login page.
const DOOR: &str = "/";

/// So much of an answer is read: a page for people is smaller.
const LARGEST: usize = 16 << 20;

/// Makes requests.
pub(super) struct Visits<'a> {
    app: &'a Protected,
    door: Protected,
    entering: Arc<Mutex<Entering>>,
    host: String,
    /// Who has to say for whom they speak.
    proxies: TrustedProxies,
    token_header: String,
    /// Of the page that asks who one is, and of the one that asks for the password once more.
    login_paths: [String; 2],
}

/// Who comes in through the door next, and as if when.
type Entering = Option<(User, Login)>;

/// When somebody has logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Login {
    JustNow,
    LongAgo,
}

/// What came back.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) location: Option<String>,
    pub(super) leads_to_login: bool,
    /// The threat that the refusal names, if it is one.
    pub(super) threat: Option<Threat>,
    pub(super) text: String,
}

/// Cookies and the token that goes with them.
struct Entered {
    cookies: BTreeMap<String, String>,
    token: String,
}

impl<'a> Visits<'a> {
    pub(super) fn new(palisade: &Palisade, app: &'a Protected) -> Result<Self, WalkError> {
        let settings = palisade.settings();
        let entering: Arc<Mutex<Entering>> = Arc::default();
        let who = Arc::clone(&entering);
        let enter = async move |auth: Auth, session: Session, csrf: CsrfToken| -> Result<String, Rejection> {
            let entering = who.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some((user, login)) = entering {
                if auth.login(&user).await? == LoginStep::SecondFactor {
                    return Err(Rejection::internal("walk with people who have no second factor"));
                }
                if login == Login::LongAgo {
                    disprove(&session).await?;
                }
            }
            Ok(csrf.masked())
        };
        // The same settings and stores: what is a session there is one at the application.
        let door = palisade
            .protect(Router::new().route(DOOR, get(enter).public()))
            .map_err(|error| WalkError::stopped(format!("nobody can be let in: {error}")))?;
        let patterns = settings.allowed_hosts.patterns();
        let host = patterns.iter().find(|pattern| !pattern.starts_with('*'));
        let host = host.map_or("localhost", |pattern| pattern.trim_start_matches('.'));
        Ok(Self {
            app,
            door,
            entering,
            host: host.to_owned(),
            proxies: TrustedProxies::new(settings.trusted_proxies.clone()),
            token_header: settings.csrf_header_name.as_str().to_owned(),
            login_paths: [&settings.login_url, &settings.reauthenticate_url]
                .map(|url| url.split(['?', '#']).next().unwrap_or_default().to_owned()),
        })
    }

    fn request(&self, method: &Method, path: &str, way: &Way) -> http::request::Builder {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &self.host)
            .header(ORIGIN, format!("https://{}", self.host))
            .header("sec-fetch-site", "same-origin")
            .header("accept", "text/html")
            .extension(Peer {
                addr: SocketAddr::new(way.from, 4711),
                tls: true,
            });
        if self.proxies.contains(way.from) {
            request = request.header("x-forwarded-for", way.from.to_string());
        }
        match &way.certificate {
            Some(certificate) => request.extension(certificate.clone()),
            None => request,
        }
    }

    /// Lets somebody in, by a session of their own.
    async fn enter(&self, person: &Person, login: Login) -> Result<Entered, WalkError> {
        *self.entering.lock().unwrap_or_else(PoisonError::into_inner) =
            person.user.clone().map(|user| (user, login));
        let request = self
            .request(&Method::GET, DOOR, &Way::usual())
            .body(Body::empty());
        let request = request.map_err(|error| WalkError::stopped(error.to_string()))?;
        let Ok(response) = self.door.clone().oneshot(request).await;
        let mut cookies = BTreeMap::new();
        for cookie in response.headers().get_all(SET_COOKIE) {
            let pair = cookie
                .to_str()
                .ok()
                .and_then(|text| text.split(';').next()?.split_once('='));
            if let Some((name, value)) = pair {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let status = response.status();
        if status != StatusCode::OK {
            return Err(WalkError::stopped(format!(
                "{} could not be logged in: {status}",
                person.who
            )));
        }
        let token = text(response).await;
        Ok(Entered { cookies, token })
    }

    /// Asks once.
    pub(super) async fn ask(
        &self,
        (person, login): (&Person, Login),
        method: &Method,
        (path, body): (&str, &str),
        way: &Way,
    ) -> Result<Answer, WalkError> {
        let entered = self.enter(person, login).await?;
        let cookies: Vec<String> = entered
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut request = self
            .request(method, path, way)
            .header(&self.token_header, &entered.token);
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies.join("; "));
        }
        let body = if method.is_safe() {
            Body::empty()
        } else {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            Body::from(body.to_owned())
        };
        let request = request.body(body);
        let request =
            request.map_err(|error| WalkError::stopped(format!("{path} cannot be asked for: {error}")))?;
        let Ok(response) = self.app.clone().oneshot(request).await;
        let location = response
            .headers()
            .get(LOCATION)
            .and_then(|location| location.to_str().ok());
        let location = location.map(str::to_owned);
        Ok(Answer {
            status: response.status(),
            leads_to_login: location
                .as_deref()
                .is_some_and(|location| self.is_login(location)),
            location,
            threat: response.extensions().get::<Refusal>().and_then(Refusal::threat),
            text: text(response).await,
        })
    }

    fn is_login(&self, location: &str) -> bool {
        let own = location
            .strip_prefix(&format!("https://{}", self.host))
            .unwrap_or(location);
        let path = own.split(['?', '#']).next().unwrap_or_default();
        self.login_paths.iter().any(|login| login == path)
    }
}

async fn text(response: Response<Body>) -> String {
    let body = Limited::new(response.into_body(), LARGEST).collect().await;
    let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    String::from_utf8_lossy(&body).into_owned()
}
