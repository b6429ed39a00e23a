//! The session layer: puts a [`Session`] into each request, and saves it with the response.
//!
//! A request that never asks for its session costs one small allocation: no look-up, no write, no header.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::SystemTime;

use axum::body::Body;
use axum::response::IntoResponse;
use futures_util::future::BoxFuture;
use http::header::{COOKIE, HeaderName, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use palisade_core::session::{AUTH_USER_ID, SessionData};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::change::Change;
use super::config::{STARTED, Sessions};
use super::key::SessionKey;
use super::private::{is_somebodys, keep_out_of_caches};
use super::store::{Merge, Updated};
use super::{Fate, Session, SessionError, State};

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// Gives every request its session.
///
/// # Example
///
/// ```
/// use palisade::{SecretKey, Settings, clock::Clock, session::{MemorySessions, SessionLayer, Sessions}};
///
/// let settings = Settings::for_development(SecretKey::new("a key for this example only"));
/// let sessions = Sessions::new(MemorySessions::new(), &settings, Clock::system());
/// let app: axum::Router = axum::Router::new().layer(SessionLayer::new(sessions));
/// ```
#[derive(Clone, Debug)]
pub struct SessionLayer(Option<Sessions>);

impl SessionLayer {
    /// Makes the layer.
    pub fn new(sessions: Sessions) -> Self {
        Self(Some(sessions))
    }

    /// A layer that gives no sessions: handlers that ask for one get an error that says so.
    pub(crate) fn none() -> Self {
        Self(None)
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionService {
            sessions: self.0.clone(),
            inner,
        }
    }
}

/// A service whose requests have sessions.
#[derive(Clone, Debug)]
pub struct SessionService<S> {
    sessions: Option<Sessions>,
    inner: S,
}

impl<S, B> Service<Request<B>> for SessionService<S>
where
    S: Service<Request<B>, Response = Response<Body>, Error = Infallible>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = SessionFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let session = self.sessions.clone().map(|sessions| {
            let session = Session::new(sessions, request.headers().get(COOKIE).cloned());
            request.extensions_mut().insert(session.clone());
            session
        });
        SessionFuture::Running {
            inner: self.inner.call(request),
            session,
        }
    }
}

pin_project! {
    /// The answer of a [`SessionService`].
    #[project = Projection]
    #[expect(missing_docs, reason = "the fields are the macro's, not the reader's")]
    pub enum SessionFuture<F> {
        /// The handler runs.
        Running { #[pin] inner: F, session: Option<Session> },
        /// The session is being saved.
        Saving { saved: BoxFuture<'static, Response<Body>> },
    }
}

impl<F: Future<Output = Result<Response<Body>, Infallible>>> Future for SessionFuture<F> {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            match self.as_mut().project() {
                Projection::Running { inner, session } => {
                    let Ok(mut response) = ready!(inner.poll(context));
                    match session.take() {
                        Some(session) if session.close() => {
                            if let Some(somebodys) = session.is_unchanged() {
                                vary_on_cookie(response.headers_mut());
                                if somebodys {
                                    keep_out_of_caches(&mut response);
                                }
                                return Poll::Ready(Ok(response));
                            }
                            let saved = Box::pin(session.finish(response));
                            self.set(SessionFuture::Saving { saved });
                        }
                        _ => return Poll::Ready(Ok(response)),
                    }
                }
                Projection::Saving { saved } => return saved.as_mut().poll(context).map(Ok),
            }
        }
    }
}

/// What the client's cookie becomes.
#[derive(Debug)]
pub(super) enum CookieChange {
    None,
    Set(SessionKey),
    Carry(String),
    Delete,
}

impl Session {
    /// Lets nothing be changed from now on, and says whether anybody asked for the session.
    fn close(&self) -> bool {
        // Closed before looked at: whoever asks later finds it closed, whoever asked earlier is seen.
        self.0.closed.store(true, Ordering::SeqCst);
        self.0.accessed.load(Ordering::SeqCst)
    }

    /// Whether the session was only read, as most are: then there is nothing to save and nothing to wait for, and it is said whether it is
    /// somebody's.
    fn is_unchanged(&self) -> Option<bool> {
        let sessions = &self.0.sessions;
        let state = self.0.state.try_lock().ok()?;
        let stays = |expires| !sessions.wants_touch(&state.view, expires, sessions.now());
        let unchanged = state.loaded
            && state.changes.is_empty()
            && state.fate == Fate::Keep
            && !sessions.save_every_request()
            && state.known.as_ref().is_some_and(|(_, expires)| stays(*expires));
        unchanged.then(|| is_somebodys(&state.view))
    }

    /// Saves what the request did, and writes cookie and `Vary` on the response; or answers why it could not.
    async fn finish(self, mut response: Response<Body>) -> Response<Body> {
        let mut state = self.0.state.lock().await;
        if !state.loaded {
            // The store could not answer, and the handler has said so.
            vary_on_cookie(response.headers_mut());
            return response;
        }
        let now = self.0.sessions.now();
        let failed = response.status().is_server_error();
        let outcome = match self.0.sessions.carried() {
            Some(codec) => self.carry(codec, &mut state, response.status(), now),
            None => self.save(&mut state, response.status(), now).await,
        };
        let cookie = match outcome {
            Ok(CookieChange::None) => None,
            Ok(CookieChange::Set(key)) => self.0.sessions.cookie(key.expose(), &state.view, now),
            Ok(CookieChange::Carry(text)) => self.0.sessions.cookie(&text, &state.view, now),
            Ok(CookieChange::Delete) => self.0.sessions.deletion(),
            Err(error) => {
                state.beside = None;
                // The cookie stays: after a login in another tab the client may hold a newer one by now.
                response = error.into_response();
                state.farewell = None;
                None
            }
        };
        if is_somebodys(&state.view) || state.fate == Fate::Flush {
            keep_out_of_caches(&mut response);
        }
        let headers = response.headers_mut();
        vary_on_cookie(headers);
        if let Some(cookie) = cookie {
            headers.append(SET_COOKIE, cookie);
        }
        if let Some(beside) = state.beside.take().filter(|_| !failed) {
            headers.append(SET_COOKIE, beside);
        }
        if let Some(farewell) = state.farewell.take() {
            headers.insert(CLEAR_SITE_DATA, farewell);
        }
        response
    }

    async fn save(
        &self,
        state: &mut State,
        status: StatusCode,
        now: SystemTime,
    ) -> Result<CookieChange, SessionError> {
        let sessions = &self.0.sessions;
        let store = sessions.store();
        let known = state.known.clone();
        if status.is_server_error() {
            // The handler failed: the session stays as it was, except that who logged out is out.
            return match known {
                Some((key, _)) if state.fate == Fate::Flush && !state.view.contains(AUTH_USER_ID) => {
                    store.delete(&key).await?;
                    Ok(CookieChange::Delete)
                }
                _ => Ok(CookieChange::None),
            };
        }
        match (known, state.fate, state.changes.is_empty()) {
            (Some((key, _)), Fate::Flush, true) => {
                store.delete(&key).await?;
                Ok(CookieChange::Delete)
            }
            (None, _, true) => Ok(if state.sent {
                CookieChange::Delete
            } else {
                CookieChange::None
            }),
            (known, Fate::Flush, false) | (known @ None, _, false) => {
                if state.view.get::<u64>(STARTED).is_none() {
                    super::config::start(&mut state.view, now);
                }
                let key = SessionKey::generate();
                let stored = sessions.encode(&state.view, now);
                let replaced = known.as_ref().map(|(key, _)| key);
                store
                    .create(&key, stored, state.device.take(), replaced, now)
                    .await?;
                Ok(CookieChange::Set(key))
            }
            (Some((key, _)), Fate::Cycle, _) => {
                let new = SessionKey::generate();
                let merge = self.merge(&state.changes, now);
                let cycled = store.cycle(&key, &new, merge, state.device.take(), now).await?;
                if cycled == Updated::Gone
                    && state.housekeeping > 0
                    && state.changes.len() == state.housekeeping
                {
                    return Ok(CookieChange::None);
                }
                saved(cycled)?;
                Ok(CookieChange::Set(new))
            }
            (Some((key, expires)), Fate::Keep, unchanged) => {
                if unchanged
                    && !sessions.save_every_request()
                    && !sessions.wants_touch(&state.view, expires, now)
                {
                    return Ok(CookieChange::None);
                }
                let updated = store.update(&key, self.merge(&state.changes, now), now).await?;
                if unchanged && updated == Updated::Gone {
                    return Ok(CookieChange::None);
                }
                saved(updated)?;
                Ok(CookieChange::Set(key))
            }
        }
    }

    fn merge(&self, changes: &[Change], now: SystemTime) -> Merge {
        let (sessions, changes) = (self.0.sessions.clone(), changes.to_vec());
        Merge::new(move |current| {
            let mut data = sessions.decode(current).unwrap_or_else(SessionData::new);
            for change in &changes {
                change.apply(&mut data);
            }
            if !data.contains(STARTED) {
                // Begun by a Django beside us, which sets no absolute limit: it counts from here.
                super::config::start(&mut data, now);
            }
            sessions.encode(&data, now)
        })
    }
}

fn saved(updated: Updated) -> Result<(), SessionError> {
    match updated {
        Updated::Saved => Ok(()),
        Updated::Gone => Err(SessionError::Interrupted),
    }
}

/// Adds `Cookie` to `Vary`, once, unless everything varies already.
pub(crate) fn vary_on_cookie(headers: &mut HeaderMap) {
    let present = headers.get_all(VARY).iter().any(|line| {
        line.to_str().is_ok_and(|line| {
            line.split(',')
                .any(|name| name.trim() == "*" || name.trim().eq_ignore_ascii_case("cookie"))
        })
    });
    if !present {
        headers.append(VARY, HeaderValue::from_static("Cookie"));
    }
}
