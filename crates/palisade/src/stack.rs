//! The whole stack in its one right order.
//!
//! ```text
//! request  → errors → headers → host → transport → query → panic → context → session → (routing) → endpoint: limit, csrf, access → handler
//! response ← log, page ← headers ← — ← HSTS ← — ← 500 ← — ← saved, cookie ← ———— ← frames, csrf cookie ←
//! ```
//!
//! Each layer stands where it stands for a reason: the headers are outside the host guard so that a refusal carries them
//! too; the host is known before anything redirects to it; plain HTTP ends before anything reads a cookie; a panic ends
//! outside the session so that it saves nothing; the CSRF decision is inside routing because the route decides about
//! exemption, and inside the session because the secret may live there.
//!
//! [`Palisade::protect`] consumes the finished router, so that no route can be added outside; [`crate::serve()`] takes only
//! what it returns, so that an unprotected router does not compile:
//!
//! ```compile_fail
//! # async fn run(tls: palisade::serve::Tls) -> Result<(), palisade::serve::ServeError> {
//! palisade::serve(palisade::Router::new(), tls).await
//! # }
//! ```

mod context;
mod refusal;

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use axum::body::Body;
use http::Request;
use palisade_core::Settings;
use tower_layer::Layer;
use tower_service::Service;

use crate::auth::{Letters, PlainLetters, SecondFactorStore, SecondFactors, UserStore, Users};
use crate::clock::Clock;
use crate::csrf::{AnonymousSecrets, CsrfProtection};
use crate::endpoint::EndpointLayer;
use crate::errors::{
    ErrorFuture, ErrorLayer, ErrorPage, ErrorService, PanicFuture, PanicLayer, PanicService,
};
use crate::guard::{GuardLayer, Guarded, GuardedFuture};
use crate::headers::HeaderGuard;
use crate::host::HostGuard;
use crate::mail::Mailer;
use crate::media::Media;
use crate::password::{Hashers, NoPassword, PasswordPolicy, read_keys};
use crate::redact::{QueryGuard, Redactor, SensitiveNames};
use crate::report::{self, ReportSink, Reporter};
use crate::router::{Router, RoutesReport};
use crate::rows::RowStore;
use crate::seal::SealKeys;
use crate::session::{SessionFuture, SessionKey, SessionLayer, SessionService, SessionStore, Sessions};
use crate::throttle::{MemoryThrottle, ThrottleStore, Throttles};
use crate::transport::TransportGuard;

pub(crate) use context::StackContext;
use refusal::Offered;
pub use refusal::ProtectError;

/// Everything that protects a service: settings, stores, and the one stack they make.
///
/// # Example
///
/// ```
/// use axum::routing::get;
/// use palisade::{Palisade, Policies, Router, SecretKey, Settings, session::SqliteSessions, sqlite::Sqlite};
///
/// let settings = Settings::for_development(SecretKey::new("a key for this example only"));
/// let palisade = Palisade::new(settings).with_sessions(SqliteSessions::new(Sqlite::in_memory()?)?);
/// let app = palisade.protect(Router::new().route("/", get(async || "hello").public()))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "nothing is protected until protect is called"]
pub struct Palisade {
    settings: Arc<Settings>,
    clock: Clock,
    sessions: Option<Sessions>,
    users: Option<Users>,
    throttles: Option<Throttles>,
    second_factors: Option<SecondFactors>,
    mailer: Option<Mailer>,
    letters: Arc<dyn Letters>,
    rows: Option<RowStore>,
    media: Option<Media>,
    page: ErrorPage,
    sensitive: SensitiveNames,
    anonymous: Option<Arc<dyn AnonymousSecrets>>,
    reports: Vec<Arc<dyn ReportSink>>,
    reporter: OnceLock<Option<Reporter>>,
}

impl Palisade {
    /// Protects as the settings say.
    pub fn new(settings: Settings) -> Self {
        let page = ErrorPage::default().dangerous_show_reasons(settings.debug);
        let settings = Arc::new(settings);
        Self {
            settings,
            clock: Clock::system(),
            sessions: None,
            users: None,
            throttles: None,
            second_factors: None,
            mailer: None,
            letters: Arc::new(PlainLetters),
            rows: None,
            media: None,
            page,
            sensitive: SensitiveNames::default(),
            anonymous: None,
            reports: Vec::new(),
            reporter: OnceLock::new(),
        }
    }

    /// Takes the time from this clock. Call it before giving stores.
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Keeps sessions in this store.
    pub fn with_sessions(mut self, store: impl SessionStore) -> Self {
        self.sessions = Some(Sessions::new(store, &self.settings, self.clock.clone()));
        self
    }

    /// Knows these users, hashes their passwords as the settings say (`password_hashers`, `password_keys`), and refuses weak ones by
    /// the rules of `auth_password_validators`.
    pub fn with_users(self, store: impl UserStore) -> Self {
        // `load_settings` has tried the files that the settings name. Where they are gone since, no new password is taken.
        let policy = PasswordPolicy::from_settings(&self.settings).unwrap_or_else(|error| {
            tracing::error!(%error, "the rules for new passwords cannot be used; every new password is refused");
            PasswordPolicy::dangerous_without_validators().with_validator(NoPassword)
        });
        // The settings were checked: a list that cannot hash falls back on the strongest.
        let hashers = Hashers::new(self.settings.password_hashers.iter().copied()).unwrap_or_else(|error| {
            tracing::error!(%error, "password_hashers cannot be used; passwords are hashed with Argon2id instead");
            Hashers::default()
        });
        let hashers = match &self.settings.password_keys {
            None => hashers,
            Some(folder) => {
                let keys = read_keys(folder.path(), self.clock.now()).unwrap_or_else(|error| {
                    tracing::error!(%error, "password_keys cannot be used; no password is hashed, and none that needs a key is verified");
                    palisade_core::password::PasswordKeys::new([])
                });
                hashers.with_keys(keys, self.clock.clone())
            }
        };
        self.with_users_and(store, hashers, policy)
    }

    /// Knows these users, with hashers and a policy of one's own.
    pub fn with_users_and(mut self, store: impl UserStore, hashers: Hashers, policy: PasswordPolicy) -> Self {
        self.users = Some(Users::new(store, hashers, policy));
        if self.throttles.is_none() {
            self = self.with_throttle(MemoryThrottle::new());
        }
        self
    }

    /// Counts tries at passwords in this store, which the processes of a site share. Without it they are counted in this process,
    /// as soon as there are users.
    pub fn with_throttle(mut self, store: impl ThrottleStore) -> Self {
        self.throttles = Some(Throttles::new(store, &self.settings, self.clock.clone()));
        self
    }

    /// Asks users for a second factor who have one, and keeps these in this store, sealed under these keys.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use palisade::auth::SqliteSecondFactors;
    /// use palisade::clock::Clock;
    /// use palisade::seal::SealKeys;
    /// use palisade::{Palisade, Settings, sqlite::Sqlite};
    ///
    /// # fn make(settings: Settings, database: Sqlite) -> Result<(), Box<dyn std::error::Error>> {
    /// let keys = SealKeys::read("/etc/vault/seal-keys", Clock::system())?;
    /// let palisade = Palisade::new(settings).with_second_factors(SqliteSecondFactors::new(database)?, keys);
    /// # Ok(()) }
    /// ```
    pub fn with_second_factors(mut self, store: impl SecondFactorStore, keys: SealKeys) -> Self {
        self.second_factors = Some(SecondFactors::new(store, keys));
        self
    }

    /// Sends mail through this: links that reset passwords, and word of what happens to an account.
    pub fn with_mailer(mut self, mailer: Mailer) -> Self {
        self.mailer = Some(mailer.with_clock(self.clock.clone()));
        self.reporter = OnceLock::new();
        self
    }

    /// Writes mails about accounts in these words.
    pub fn with_letters(mut self, letters: impl Letters) -> Self {
        self.letters = Arc::new(letters);
        self
    }

    /// Keeps rows that belong to users in this database, beside the users: what [`rows`](crate::rows) asks for.
    pub fn with_rows(mut self, rows: impl Into<RowStore>) -> Self {
        self.rows = Some(rows.into());
        self
    }

    /// Keeps what people upload here, and sends it from here.
    pub fn with_media(mut self, media: Media) -> Self {
        self.media = Some(media);
        self
    }

    /// Shows this page when something goes wrong.
    pub fn with_error_page(mut self, page: ErrorPage) -> Self {
        self.page = page.dangerous_show_reasons(self.settings.debug);
        self
    }

    /// Refuses these names, and allows these, in query strings.
    pub fn with_sensitive_names(mut self, names: SensitiveNames) -> Self {
        self.sensitive = names;
        self
    }

    /// Keeps the CSRF secrets of visitors who are not logged in here for two hours, so that a form shown to everybody begins no
    /// session. It matters with `csrf_use_sessions` only.
    pub fn with_anonymous_csrf(mut self, secrets: impl AnonymousSecrets) -> Self {
        self.anonymous = Some(Arc::new(secrets));
        self
    }

    /// Reports faults here, too: every 5xx and panic, cleansed ([`crate::report`]). Where the settings name `admins` and there is a
    /// mailer, they are told without it.
    pub fn with_reports(mut self, sink: impl ReportSink) -> Self {
        self.reports.push(Arc::new(sink));
        self.reporter = OnceLock::new();
        self
    }

    /// Writes the reports and sends the mails that wait, and takes no more of either: for the end of a program, after the server's.
    pub async fn close(&self) {
        // Reports may become mails.
        if let Some(Some(reporter)) = self.reporter.get() {
            reporter.close().await;
        }
        if let Some(mailer) = &self.mailer {
            mailer.close().await;
        }
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What counts tries at passwords, if there are users.
    pub fn throttles(&self) -> Option<&Throttles> {
        self.throttles.as_ref()
    }

    /// The mailer, if there is one. [`close`](Self::close) sends what waits.
    pub fn mailer(&self) -> Option<&Mailer> {
        self.mailer.as_ref()
    }

    /// The sessions, if there is a store.
    pub fn sessions(&self) -> Option<&Sessions> {
        self.sessions.as_ref()
    }

    /// The users, if there are any.
    pub fn users(&self) -> Option<&Users> {
        self.users.as_ref()
    }

    /// Builds the stack around a finished router.
    ///
    /// # Errors
    ///
    /// [`ProtectError`] names every route that does not say who may reach it, and every rule that cannot be asked because there are
    /// no users, no sessions, no rows or no parameter in the path: deny by default (CWE-862).
    pub fn protect(&self, router: impl Into<Router>) -> Result<Protected, ProtectError> {
        let (settings, router) = (&*self.settings, router.into());
        let lines = router.report();
        ProtectError::judge(&lines, self.offer())?;
        let report = RoutesReport::new(
            lines,
            settings.x_frame_options,
            settings.data_upload_max_memory_size,
        );
        let csrf = CsrfProtection::from_settings(settings, self.clock.clone())
            .with_anonymous(self.anonymous.clone());
        let body_limit = settings.data_upload_max_memory_size;
        let routes = router
            .build(&|policy, elsewhere| EndpointLayer::new(csrf.clone(), policy, elsewhere, body_limit));
        let session = self
            .sessions
            .clone()
            .map_or_else(SessionLayer::none, SessionLayer::new);

        let query = QueryGuard::new(self.sensitive.clone());
        let inner = GuardLayer::new(StackContext::new(self)).layer(session.layer(routes));
        let guarded = GuardLayer::new(HeaderGuard::from_settings(settings)).layer(
            GuardLayer::new(HostGuard::from_settings(settings)).layer(
                GuardLayer::new(self.transport())
                    .layer(GuardLayer::new(query).layer(PanicLayer.layer(inner))),
            ),
        );
        let reporter = self.reporter();
        Ok(Protected {
            stack: ErrorLayer::new(self.page.clone(), self.redactor())
                .with_reports(reporter.cloned())
                .layer(guarded),
            reports: reporter.is_some(),
            knows_its_proxy: settings.secure_proxy_ssl_header.is_some() || !settings.secure_ssl_redirect,
            exposes_debug: settings.debug && !settings.dangerous_expose_debug,
            refuses_readable_secrets: !settings.debug && !settings.dangerous_readable_secrets,
            routes: Arc::new(report),
        })
    }

    /// What masks secrets in the log and in reports.
    fn redactor(&self) -> Arc<Redactor> {
        let settings = &self.settings;
        let redactor = Redactor::new(settings.session_cookie_name.clone())
            .with_names([
                settings.csrf_cookie_name.as_str(),
                settings.csrf_header_name.as_str(),
            ])
            .with_refused(self.sensitive.clone());
        Arc::new(redactor)
    }

    /// What reports faults, if anybody is to hear of them: the sinks, and the admins where mail reaches them.
    fn reporter(&self) -> Option<&Reporter> {
        let make = || {
            let mut sinks = self.reports.clone();
            let mailer = self.mailer.as_ref().filter(|mailer| mailer.has_admins());
            if !self.settings.debug
                && let Some(mailer) = mailer
            {
                sinks.push(Arc::new(report::AdminEmails::new(mailer.clone())));
            }
            let some = !sinks.is_empty();
            some.then(|| Reporter::new(sinks, &self.settings, self.redactor(), self.clock.clone()))
        };
        self.reporter.get_or_init(make).as_ref()
    }

    /// What a route's rule can ask.
    fn offer(&self) -> Offered {
        Offered {
            users: self.sessions.is_some() && self.users.is_some(),
            rows: self.rows.is_some(),
        }
    }

    fn transport(&self) -> TransportGuard {
        let guard = TransportGuard::from_settings(&self.settings);
        let Some(sessions) = self.sessions.clone() else {
            return guard;
        };
        guard.with_revocation(move |key| {
            let (sessions, key) = (sessions.clone(), SessionKey::parse(key));
            tokio::spawn(async move {
                let Some(key) = key else { return };
                let store = sessions.store();
                // Anybody may send keys in clear; only one that opens a session is worth a write.
                if let Ok(None) = store.load(&key, sessions.now()).await {
                    return;
                }
                if let Err(error) = store.delete(&key).await {
                    tracing::error!(target: "palisade::session", %error, "could not revoke a session that crossed the network in clear");
                }
            });
        })
    }
}

/// The layers, outermost first, as one type: no box, no dynamic call, until axum's routing.
type Stack = ErrorService<
    Guarded<
        HeaderGuard,
        Guarded<HostGuard, Guarded<TransportGuard, Guarded<QueryGuard, PanicService<Inside>>>>,
    >,
>;
type Inside = Guarded<StackContext, SessionService<axum::Router>>;

type InsideFuture =
    GuardedFuture<StackContext, SessionFuture<axum::routing::future::RouteFuture<Infallible>>>;
type StackFuture = ErrorFuture<
    GuardedFuture<
        HeaderGuard,
        GuardedFuture<
            HostGuard,
            GuardedFuture<TransportGuard, GuardedFuture<QueryGuard, PanicFuture<InsideFuture>>>,
        >,
    >,
>;

/// A router with the whole stack around it: the only thing that [`crate::serve()`] takes.
///
/// It is a tower service, for tests and for servers of one's own; only [`Palisade::protect`] makes one.
#[derive(Clone, Debug)]
pub struct Protected {
    stack: Stack,
    knows_its_proxy: bool,
    exposes_debug: bool,
    refuses_readable_secrets: bool,
    reports: bool,
    routes: Arc<RoutesReport>,
}

impl Protected {
    /// Reports every route: its methods, who may reach it, and each exception that it makes.
    pub fn routes_report(&self) -> &RoutesReport {
        &self.routes
    }

    /// Whether anybody is told of faults, beside the log: a sink, or `admins` by mail.
    pub fn reports_faults(&self) -> bool {
        self.reports
    }

    /// Whether other machines must not reach it, because it shows its inside.
    pub(crate) fn exposes_debug(&self) -> bool {
        self.exposes_debug
    }

    /// Whether it is not served with a private key that others may read.
    pub(crate) fn refuses_readable_secrets(&self) -> bool {
        self.refuses_readable_secrets
    }

    /// Whether a proxy's word about the scheme counts, or the scheme does not matter.
    pub(crate) fn knows_its_proxy(&self) -> bool {
        self.knows_its_proxy
    }
}

impl Service<Request<Body>> for Protected {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = ProtectedFuture;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        <Stack as Service<Request<Body>>>::poll_ready(&mut self.stack, context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        ProtectedFuture {
            inner: self.stack.call(request),
        }
    }
}

pin_project_lite::pin_project! {
    /// The answer of a [`Protected`] router.
    pub struct ProtectedFuture {
        #[pin]
        inner: StackFuture,
    }
}

impl Future for ProtectedFuture {
    type Output = Result<http::Response<Body>, Infallible>;

    fn poll(self: std::pin::Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().inner.poll(context)
    }
}
