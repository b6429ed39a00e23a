//! A small site whose throttles are tried, by people from several addresses.

use std::net::SocketAddr;
use std::time::{Duration, UNIX_EPOCH};

use axum::body::Body;
use axum::routing::{get, post};
use http::Request;
use http::header::{CONTENT_TYPE, ORIGIN};
use palisade::auth::{LoggedIn, NewUser, SqliteUsers, UserStore};
use palisade::clock::Clock;
use palisade::csrf::CsrfToken;
use palisade::password::{Hashers, PasswordPolicy};
use palisade::serve::Peer;
use palisade::session::MemorySessions;
use palisade::sqlite::Sqlite;
use palisade::throttle::{MemoryThrottle, ThrottleStore};
use palisade::{Palisade, Protected, Router, Sensitive, Settings};

use crate::client::{Answer, Client, settings};
use crate::login_site::{PASSWORD, change, form, log_in, log_out, sign_up, who};

/// A site whose time stands still.
pub(crate) struct Site {
    pub(crate) app: Protected,
    pub(crate) palisade: Palisade,
    pub(crate) hashers: Hashers,
    pub(crate) users: SqliteUsers,
    pub(crate) clock: Clock,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::with(settings(), MemoryThrottle::new())
    }

    pub(crate) fn with(settings: Settings, store: impl ThrottleStore) -> Self {
        Self::over(settings, store, Sqlite::in_memory().unwrap())
    }

    pub(crate) fn over(settings: Settings, store: impl ThrottleStore, users: Sqlite) -> Self {
        let hashers = Hashers::dangerous_cheap().with_limits(4, 20_000);
        let users = SqliteUsers::new(users).unwrap();
        let clock = Clock::fixed(UNIX_EPOCH + Duration::from_secs(1_700_000_000));
        let palisade = Palisade::new(settings)
            .with_clock(clock.clone())
            .with_sessions(MemorySessions::new())
            .with_users_and(users.clone(), hashers.clone(), PasswordPolicy::default())
            .with_throttle(store);
        let router = Router::new()
            .route("/login/", get(async |csrf: CsrfToken| csrf.masked()).post(log_in))
            .route("/logout/", post(log_out))
            .route("/sign-up/", post(sign_up))
            .route("/change/", post(change))
            .route("/who", get(who))
            .route("/private", get(async |user: LoggedIn| user.username.clone()));
        let app = palisade.protect(router.public()).unwrap();
        Self {
            app,
            palisade,
            hashers,
            users,
            clock,
        }
    }

    pub(crate) async fn visitor(&self) -> Client {
        let client = Client::new(&self.app);
        client.get("/login/").await;
        client
    }

    /// An account with a hash that was made elsewhere.
    pub(crate) async fn add(&self, name: &str, password: String) {
        let new = NewUser {
            username: name.to_owned(),
            ..NewUser::default()
        };
        let made = self.users.create(new, Sensitive::new(password), self.clock.now());
        made.await.unwrap();
    }

    pub(crate) async fn member(&self, name: &str) -> Client {
        let client = self.visitor().await;
        assert_eq!(client.post("/sign-up/", &form(name, PASSWORD)).await.text, "made");
        assert_eq!(client.post("/login/", &form(name, PASSWORD)).await.text, "in");
        client
    }

    /// Fails on purpose, from many addresses, until the account is closed to strangers.
    pub(crate) async fn hammer(&self, name: &str) {
        let stranger = self.visitor().await;
        for nth in 0..20 {
            from(&stranger, [203, 0, 113, nth].into(), &form(name, "wrong")).await;
        }
        let refused = from(&stranger, [203, 0, 113, 99].into(), &form(name, PASSWORD)).await;
        assert_eq!(
            refused.status, 429,
            "even the right password does not help a stranger"
        );
    }
}

/// A login from another address.
pub(crate) async fn from(client: &Client, address: std::net::IpAddr, body: &str) -> Answer {
    send(client, address, body, &[]).await
}

pub(crate) async fn send(
    client: &Client,
    address: std::net::IpAddr,
    body: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let token = client.cookie("csrftoken").unwrap_or_default();
    let mut request = Request::post("/login/")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(ORIGIN, "https://example.com")
        .extension(Peer {
            addr: SocketAddr::new(address, 4711),
            tls: true,
        });
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = Body::from(format!("csrfmiddlewaretoken={token}&{body}"));
    client.send(request.body(body).unwrap()).await
}
