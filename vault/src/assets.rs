//! The two files that pages load: a style sheet and an icon.
//!
//! Their names hold a fingerprint of their content, so that a browser may keep them for ever and still gets the new one. They are
//! on this site, as the content security policy asks, and no page loads anything from elsewhere.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use palisade::Router;

use crate::app::App;

/// How pages look.
pub(crate) const STYLE: Asset = Asset {
    name: "vault",
    ending: "css",
    kind: "text/css; charset=utf-8",
    text: include_str!("../assets/vault.css"),
};

/// The picture on the browser's tab.
pub(crate) const ICON: Asset = Asset {
    name: "vault",
    ending: "svg",
    kind: "image/svg+xml",
    text: include_str!("../assets/vault.svg"),
};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route(&STYLE.path(), get(async || STYLE.serve()))
        .route(&ICON.path(), get(async || ICON.serve()))
        .public()
}

/// A file that is part of the program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asset {
    name: &'static str,
    ending: &'static str,
    kind: &'static str,
    text: &'static str,
}

impl Asset {
    /// Where it is served.
    pub(crate) fn path(self) -> String {
        format!(
            "/static/{}.{:016x}.{}",
            self.name,
            fingerprint(self.text.as_bytes()),
            self.ending
        )
    }

    fn serve(self) -> Response {
        let headers = [
            (CONTENT_TYPE, self.kind),
            (CACHE_CONTROL, "public, max-age=31536000, immutable"),
        ];
        (headers, self.text).into_response()
    }
}

/// Tells contents apart (FNV-1a). It keeps caches honest and nobody out.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_changes_with_the_content() {
        assert_ne!(fingerprint(b"a{}"), fingerprint(b"b{}"));
        assert_ne!(STYLE.path(), Asset { text: "", ..STYLE }.path());
        assert!(STYLE.path().starts_with("/static/vault."));
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        assert!(!STYLE.text.contains("@import") && !STYLE.text.contains("url("));
        assert!(!ICON.text.contains("href"));
    }
}
