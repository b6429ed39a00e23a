//! The weak twin: a site with the vault's pages and none of its defences.
//!
//! A test that shows an attack failing proves nothing as long as nobody has seen the attack work. Each attack is
//! therefore run against this site first, and must succeed. Its holes, all of them on purpose:
//!
//! | threat | hole |
//! |---|---|
//! | `cross-site-request-forgery` | no token is checked, the session cookie is `SameSite=None`, any origin may read with credentials |
//! | `clickjacking` | no `X-Frame-Options`, no `frame-ancestors`; one page has a script against frames |
//! | `session-hijacking` | ids are counted, a planted id is adopted and kept at login, logout forgets only the cookie, scripts can read it |
//! | `mass-assignment` | every posted field is written to the user, as a form or as JSON |
//! | `sensitive-data-exposure` | a new secret is shown by putting it into the address; private pages may be kept; sessions lie in the table as they are |
//! | `exposed-diagnostics` | a fault shows and logs all that the form held, and the settings |
//! | `cross-site-scripting` | what was written is put into the page as it is |
//! | `cross-site-scripting` | Markdown lets HTML and `javascript:` through; reports of a policy are logged as they come, and all kept |
//! | `sql-injection` | what is searched for and the order are put into the query's text |
//! | `untrusted-host` | links are built from the `Host` header, whatever it says |
//! | `broken-access-control` | whoever is logged in reads, changes, deletes and lists every note by its number; what is shared or taken back is never asked |
//! | `insecure-transport` | every page is also served in clear, and the session cookie is not `Secure` there |
//! | `credential-guessing` | links that reset passwords have the request's host and work for ever, for any account; a second factor follows the login, counts nothing and takes codes again |
//! | `exposed-diagnostics` | its staff area believes headers about the client's address and certificate, and takes any certificate |
//! | `credential-guessing` | as many tries as one likes, all looked at; the answer says whether there is such a user; fifty failures lock the owner out |
//! | `weak-password-storage` | passwords are kept as they are, and as a quick hash with one salt; only their first 64 letters count; old hashes stay |
//! | `insecure-transport` | no HSTS; a cookie that is not `Secure`; any TLS that is asked for; a header says the scheme of links |
//! | `untrusted-host` | a login leads wherever `next` says; the host of the request's target, or the first of two, is believed |
//! | `exposed-diagnostics` | TRACE is answered; files of the repository are served; what is missing is explained |
//! | `inert-defence` | a header overrides the method; a guard goes by how an address is written; a question is asked of GET alone |
//! | `outdated-software` | a server made by hand reads lengths, line ends and chunks in its own way, and everybody is told its version |
//! | `resource-exhaustion` | no time is measured and nothing is counted: connections, fields, bytes, requests taken back, letters of a password |
//! | `exposed-media` | uploads of any kind keep their names, lie where anybody looks, and are shown as what they are called; a link is a number, for ever and for any number beside it, and goes out to wherever its holder goes |

mod access;
mod account;
mod by_hand;
mod front;
mod leaks;
mod media;
mod network;
mod pages;
mod passwords;
mod recovery;
mod script;
mod shelf;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::{any, get, post};
use http::{HeaderValue, Method, header};

use crate::{Authority, Site};
use by_hand::ByHand;
use shelf::Shelf;

/// The weak twin, served over TLS and in clear; gone when it is dropped.
#[derive(Debug)]
pub struct WeakTwin {
    secure: Site,
    plain: Site,
    by_hand: ByHand,
    shelf: Shared,
}

impl WeakTwin {
    /// Opens the site under `name`.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(authority: &Authority, name: &str) -> Result<WeakTwin> {
        let shelf = Shared::default();
        let secure = Site::tls(router(&shelf, Scheme::Https), authority, &[name]).await?;
        WeakTwin::over(shelf, secure, authority, name).await
    }

    /// Opens the site so that it asks browsers for a certificate, and takes any.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start_with_certificates(authority: &Authority, name: &str) -> Result<WeakTwin> {
        let shelf = Shared::default();
        let site = router(&shelf, Scheme::Https);
        let secure = Site::tls_taking_any_certificate(site, authority, &[name]).await?;
        WeakTwin::over(shelf, secure, authority, name).await
    }

    async fn over(shelf: Shared, secure: Site, authority: &Authority, name: &str) -> Result<WeakTwin> {
        let plain = Site::plain(router(&shelf, Scheme::Http)).await?;
        let by_hand = ByHand::start(router(&shelf, Scheme::Https), authority, name).await?;
        Ok(WeakTwin {
            secure,
            plain,
            by_hand,
            shelf,
        })
    }

    /// Returns the site as it is served over TLS.
    pub fn site(&self) -> &Site {
        &self.secure
    }

    /// Returns the same site as it is served in clear.
    pub fn in_clear(&self) -> &Site {
        &self.plain
    }

    /// Returns where the site listens for TLS.
    pub fn address(&self) -> SocketAddr {
        self.secure.address()
    }

    /// Returns where the same site is served by a server that was written by hand.
    pub fn by_hand(&self) -> SocketAddr {
        self.by_hand.address
    }

    /// Returns the mails that were sent.
    pub fn mails(&self) -> Vec<String> {
        self.shelf.lock().mails.clone()
    }

    /// Returns what the site has logged.
    pub fn log(&self) -> String {
        self.shelf.lock().log.clone()
    }

    /// Counts the reports of violated policies that the site keeps.
    pub fn reports_kept(&self) -> usize {
        self.shelf.lock().reports.len()
    }

    /// Makes a user an administrator.
    pub fn appoint(&self, username: &str) {
        if let Some(user) = self.shelf.lock().users.get_mut(username) {
            user.is_admin = true;
        }
    }

    /// Says whether a user has become an administrator; nobody is one from the beginning.
    pub fn is_admin(&self, username: &str) -> bool {
        self.shelf
            .lock()
            .users
            .get(username)
            .is_some_and(|user| user.is_admin)
    }
}

#[derive(Debug, Clone, Default)]
struct Shared(Arc<Mutex<Shelf>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

fn router(shelf: &Shared, scheme: Scheme) -> Router {
    front::before(routes(shelf, scheme), shelf)
}

fn routes(shelf: &Shared, scheme: Scheme) -> Router {
    Router::new()
        .route("/", get(pages::home))
        .route("/signup/", get(pages::signup).post(account::sign_up))
        .route("/login/", get(pages::login).post(account::log_in))
        .route("/logout/", post(account::log_out))
        .route("/secret/", get(pages::secret).post(leaks::keep_secret))
        .route("/secret/shown/", get(pages::shown))
        .route("/secret/{id}/", get(access::read))
        .route("/secret/{id}/edit/", get(access::read).post(access::edit))
        .route("/secret/{id}/delete/", any(access::delete_unless_asked))
        .route("/secret/{id}/share/", get(access::ask).post(access::share))
        .route("/secret/{id}/revoke/", get(access::ask).post(access::share))
        .route("/documents/", get(media::list))
        .route("/documents/new/", get(media::ask).post(media::keep))
        .route("/documents/{id}/", get(media::read))
        .route("/documents/{id}/file/", get(media::file))
        .route("/documents/{id}/picture/", get(media::file))
        .route("/documents/{id}/share/", get(media::read).post(media::say_so))
        .route("/documents/{id}/revoke/", get(media::read).post(media::say_so))
        .route("/documents/{id}/links/", get(media::link).post(media::link))
        .route("/documents/{id}/links/end/", get(media::link).post(media::say_so))
        .route("/documents/{id}/delete/", get(media::read).post(media::say_so))
        .route("/media/{name}", get(media::public))
        .route("/link/{token}/", get(media::linked))
        .route("/link/{token}/file/", get(media::linked))
        .route("/shared/", get(access::shared))
        .route("/profile/", get(pages::profile).post(account::change_profile))
        .route("/password/", get(pages::password).post(account::change_password))
        .route("/sessions/", get(pages::sessions))
        .route("/widget/", get(pages::widget))
        .route("/forgot/", get(recovery::forgot).post(recovery::send_link))
        .route("/forgot/sent/", get(recovery::sent))
        .route(
            "/reset/{uid}/{token}/",
            get(recovery::reset).post(recovery::set_password),
        )
        .route(
            "/second-factor/",
            get(recovery::second_factor).post(recovery::begin),
        )
        .route("/second-factor/confirm/", post(recovery::confirm))
        .route(
            "/login/second/",
            get(recovery::second_step).post(recovery::take_code),
        )
        .route("/csp-report", post(script::report))
        .route("/.env", get(front::environment))
        .route("/.git/config", get(front::repository))
        .route("/staff/", get(network::staff))
        .route("/staff/csp/", get(network::room))
        .route("/staff/throttle/", get(network::kept))
        .fallback(front::nothing)
        .layer(DefaultBodyLimit::disable())
        .layer(axum::Extension(scheme))
        .layer(axum::middleware::from_fn(share_with_anybody))
        .with_state(shelf.clone())
}

/// Lets every origin read every answer with the visitor's own cookies.
async fn share_with_anybody(request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let mut response = match *request.method() {
        Method::OPTIONS => Response::default(),
        _ => next.run(request).await,
    };
    if let Some(origin) = origin {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
            HeaderValue::from_static("true"),
        );
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static("x-csrftoken"),
        );
    }
    response
}
