//! Reports of violated policies: an endpoint that everybody may write to, and that nobody can make write much.
//!
//! A browser reports what a policy has stopped; so a site learns of script that somebody smuggled in, and of its own pages that a
//! stricter policy would break. But whoever finds the address can post to it whatever they like, as often as they like, without a
//! login and without a CSRF token. So each report passes these, in this order:
//!
//! 1. The body is at most [`MOST_BYTES`], and what is not JSON of one of the two formats is gone (`application/csp-report`, and
//!    `application/reports+json` of the Reporting API).
//! 2. Each network of clients has a bucket of tokens, and there is one for all; what is over is counted and dropped. Behind a listed proxy
//!    the client is whom the proxy names; where it names nobody there is the one for all.
//! 3. Only directives that exist are believed, and only documents of this site; what extensions of browsers cause is left out.
//! 4. What is kept is cut down: of other sites the origin, of documents and scripts the path, without query and fragment, where tokens and
//!    searches stand; parts of a path that look like a token are left out, too. All of it is printable ASCII of bounded length: no line
//!    break ends a line of the log, no mark turns its letters around.
//! 5. Reports that are alike are one with a count. There are at most [`MOST_KINDS`]; beyond them the rarest makes room.
//!
//! The answer is always 204: a browser does nothing with another, and whoever probes learns nothing. Only a body that is
//! too large gets 413, before any of it is read.
//!
//! # Example
//!
//! ```
//! use palisade::headers::csp_report::{self, CspReports};
//! use palisade::{Palisade, Router, SecretKey, Settings};
//!
//! let mut settings = Settings::for_development(SecretKey::new("a key for this example only"));
//! settings.secure_csp_report_uri = Some("/csp-report".parse()?);
//! let reports = CspReports::new();
//! let routes = Router::new().merge(csp_report::routes("/csp-report", &reports));
//! let app = Palisade::new(settings).protect(routes)?;
//! // And on a page for staff:
//! for seen in reports.list() {
//!     println!("{} times: {} kept {} from loading", seen.count, seen.violation.directive(), seen.violation.blocked());
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Security
//!
//! Reports can be forged: they tell where to look, and prove nothing.

mod budget;
mod keep;
mod read;
mod table;
#[cfg(test)]
mod tests;

use std::time::SystemTime;

use axum::body::Bytes;
use axum::extract::Extension;
use axum::routing::post;
use http::{HeaderMap, StatusCode, header};

pub use keep::CspReports;
pub use read::{Disposition, Violation, read_reports};

use crate::router::{Policies, Router};
use crate::stack::StackContext;
use crate::transport::{ClientUnknown, Connection};

/// The largest body that is read.
pub const MOST_BYTES: usize = 16 * 1024;

/// How many kinds of reports are kept at most.
pub const MOST_KINDS: usize = 256;

/// How many reports are read of one body at most.
const MOST_IN_ONE: usize = 16;

/// Reports that are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Seen {
    /// What they say.
    pub violation: Violation,
    /// How many there were.
    pub count: u64,
    /// When the first came.
    pub first: SystemTime,
    /// When the last came.
    pub last: SystemTime,
}

/// Makes the route that browsers report to. It is public, and needs no CSRF token: a browser sends reports by itself, and all a forged one
/// does is to be counted.
pub fn routes<S: Clone + Send + Sync + 'static>(path: &str, reports: &CspReports) -> Router<S> {
    let reports = reports.clone();
    let take = async move |context: Option<Extension<StackContext>>,
                           connection: Option<Extension<Connection>>,
                           unknown: Option<Extension<ClientUnknown>>,
                           headers: HeaderMap,
                           body: Bytes| {
        let now = context.map_or_else(SystemTime::now, |Extension(context)| context.clock().now());
        // A proxy that names nobody stands for everybody: its reports are counted together alone. One that is not listed may be anybody.
        let is_somebody = !matches!(unknown, Some(Extension(ClientUnknown::Unnamed(_))));
        let client = connection
            .filter(|_| is_somebody)
            .map(|Extension(connection)| connection.client);
        let text = |name| {
            headers
                .get(name)
                .and_then(|value: &http::HeaderValue| value.to_str().ok())
        };
        if let (Some(kind), Some(host)) = (text(header::CONTENT_TYPE), text(header::HOST))
            && reports.has_room_for(client, now)
        {
            for violation in read_reports(kind, &body, host) {
                reports.add(violation, now).await;
            }
        }
        StatusCode::NO_CONTENT
    };
    let route = post(take)
        .public()
        .csrf_exempt("browsers send reports without a token; a forged one is counted and no more")
        .body_limit(MOST_BYTES);
    Router::new().route(path, route)
}
