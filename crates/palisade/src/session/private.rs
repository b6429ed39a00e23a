//! What is made for somebody who is logged in is kept by nobody: no shared cache, and no browser behind its back button (CWE-524, CWE-525).
//!
//! The session layer knows whether a request has looked at a session that is somebody's: of who is logged in, of whose password was right
//! and whose code is asked for, of who has opened a link to reset a password (Django's `never_cache` on those views). A page that did
//! not is the same for everybody. So it says `Cache-Control: no-store` there, unless the handler has said something itself, or the route has a
//! reason ([`crate::Policies::cacheable`]).

use axum::body::Body;
use http::header::CACHE_CONTROL;
use http::{HeaderValue, Response};
use palisade_core::session::{AUTH_USER_ID, SessionData};

use crate::auth::{HALF_LOGIN, RESET_TOKEN};

/// On the response of a route that says that caches may keep it; its endpoint puts it there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cacheable;

/// Whether the session is somebody's, so that what is made of it names them.
pub(super) fn is_somebodys(session: &SessionData) -> bool {
    [AUTH_USER_ID, HALF_LOGIN, RESET_TOKEN]
        .into_iter()
        .any(|key| session.contains(key))
}

/// Lets nobody keep the response, unless somebody said otherwise.
pub(super) fn keep_out_of_caches(response: &mut Response<Body>) {
    if response.headers().contains_key(CACHE_CONTROL) || response.extensions().get::<Cacheable>().is_some() {
        return;
    }
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
}
