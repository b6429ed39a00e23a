//! What is made for somebody who is logged in is kept by nobody: no shared cache, and no browser behind its back button (CWE-524, CWE-525).
//!
//! The session layer knows whether a request has looked at a session of somebody who is logged in; a page that did not is the same for
//! everybody. So it says `Cache-Control: no-store` there, unless the handler has said something itself, or the route has a
//! reason ([`crate::Policies::cacheable`]).

use axum::body::Body;
use http::header::CACHE_CONTROL;
use http::{HeaderValue, Response};

/// On the response of a route that says that caches may keep it; its endpoint puts it there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cacheable;

/// Lets nobody keep the response, unless somebody said otherwise.
pub(super) fn keep_out_of_caches(response: &mut Response<Body>) {
    if response.headers().contains_key(CACHE_CONTROL) || response.extensions().get::<Cacheable>().is_some() {
        return;
    }
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
}
