//! The route report: each route with who may reach it and what it is excepted from, as text for people and as JSON for programs.

use std::fmt;

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::MethodRouter;
use futures_util::FutureExt as _;
use http::Method;
use http::header::ALLOW;
use palisade_core::header::FrameOptions;
use serde_json::json;
use tower_service::Service as _;

use super::RoutePolicy;
use crate::headers::FramePolicy;
use crate::redact::SensitiveParameters;
use crate::text_table;

/// What stands in the place of a path where there is none.
pub(super) const ANYTHING_ELSE: &str = "(anything else)";
pub(super) const PLAIN_ROUTER: &str = "(routes of an axum::Router)";

/// A line of the route report.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RouteLine {
    /// The route's path with its parameters, as axum writes it. A fallback and the routes of a plain [`axum::Router`], which does not
    /// tell its paths, have a text in brackets in its place.
    pub path: String,
    /// The methods that have a handler; none stands for all.
    pub methods: Vec<Method>,
    /// What the route says of itself.
    pub policy: RoutePolicy,
}

impl RouteLine {
    fn methods(&self) -> String {
        if self.methods.is_empty() {
            return "any".to_owned();
        }
        let names: Vec<&str> = self.methods.iter().map(Method::as_str).collect();
        names.join(",")
    }

    /// Who may reach it, in words.
    pub(crate) fn who(&self) -> String {
        let access = self.policy.access.as_ref();
        let who = access.map_or_else(|| "nobody said".to_owned(), ToString::to_string);
        if self.policy.recent {
            return format!("{who}, recent login");
        }
        who
    }
}

/// Every route of a protected router, with who may reach it and each exception that it makes.
///
/// It prints as a table, and as JSON with [`RoutesReport::to_json`].
///
/// # Example
///
/// ```
/// use axum::routing::{get, post};
/// use palisade::{Palisade, Policies, Router, SecretKey, Settings};
///
/// let settings = Settings::for_development(SecretKey::new("a key for this example only"));
/// let app = Palisade::new(settings).protect(
///     Router::new()
///         .route("/", get(async || "hello").public())
///         .route("/hook", post(async || "thanks").public().csrf_exempt("signed by the payment provider")),
/// )?;
/// let report = app.routes_report().to_string();
/// assert!(report.contains("exempt: signed by the payment provider"), "{report}");
/// # Ok::<(), palisade::stack::ProtectError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutesReport {
    lines: Vec<RouteLine>,
    frames: FrameOptions,
    body_limit: usize,
}

impl RoutesReport {
    /// Reports these lines, with what holds where a route says nothing.
    pub(crate) fn new(lines: Vec<RouteLine>, frames: FrameOptions, body_limit: usize) -> Self {
        Self {
            lines,
            frames,
            body_limit,
        }
    }

    /// The routes, in the order in which they were added.
    pub fn lines(&self) -> &[RouteLine] {
        &self.lines
    }

    /// The report for programs: an array with an object for each route.
    pub fn to_json(&self) -> serde_json::Value {
        let route = |line: &RouteLine| {
            json!({
                "path": line.path,
                "methods": line.methods.iter().map(Method::as_str).collect::<Vec<_>>(),
                "access": line.policy.access.as_ref().map(ToString::to_string),
                "recent_login": line.policy.recent,
                "networks": line.policy.gate.networks.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "client_certificate": line.policy.gate.client_certificate,
                "csrf": line.policy.csrf_exempt.map_or("checked", |_| "exempt"),
                "csrf_exempt_reason": line.policy.csrf_exempt,
                "frames": self.frames(line),
                "cacheable": line.policy.cacheable,
                "sensitive_post_parameters": match &line.policy.sensitive_post_parameters {
                    SensitiveParameters::None => json!([]),
                    SensitiveParameters::Listed(names) => json!(names),
                    SensitiveParameters::All => json!("all"),
                },
                "body_limit": self.body_limit(line),
            })
        };
        self.lines.iter().map(route).collect()
    }

    fn frames(&self, line: &RouteLine) -> String {
        match &line.policy.frames {
            None => self.frames.to_string(),
            Some(FramePolicy::Deny) => FrameOptions::Deny.to_string(),
            Some(FramePolicy::SameOrigin) => FrameOptions::SameOrigin.to_string(),
            Some(FramePolicy::Ancestors(origins)) => origins.join(" "),
            Some(FramePolicy::Exempt(reason)) => format!("everybody: {reason}"),
        }
    }

    fn body_limit(&self, line: &RouteLine) -> usize {
        line.policy.body_limit.unwrap_or(self.body_limit)
    }

    fn cells(&self, line: &RouteLine) -> [String; 8] {
        let csrf = match line.policy.csrf_exempt {
            Some(reason) => format!("exempt: {reason}"),
            None => "checked".to_owned(),
        };
        [
            line.path.clone(),
            line.methods(),
            line.who(),
            line.policy.gate.to_string(),
            csrf,
            self.frames(line),
            line.policy
                .cacheable
                .map_or_else(|| "private".to_owned(), |reason| format!("kept: {reason}")),
            bytes(self.body_limit(line)),
        ]
    }
}

const HEADINGS: [&str; 8] = [
    "PATH", "METHODS", "WHO", "FROM", "CSRF", "FRAMES", "CACHES", "BODY",
];

impl fmt::Display for RoutesReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text_table::write(f, HEADINGS, self.lines.iter().map(|line| self.cells(line)))
    }
}

/// A number of bytes as people write limits.
fn bytes(number: usize) -> String {
    const UNITS: [(usize, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    for (size, unit) in UNITS {
        // Exact to a tenth, or in a smaller unit: a limit is not to be rounded.
        if number >= size && (number * 10).is_multiple_of(size) {
            let tenths = number * 10 / size;
            return match tenths % 10 {
                0 => format!("{} {unit}", tenths / 10),
                tenth => format!("{}.{tenth} {unit}", tenths / 10),
            };
        }
    }
    format!("{number} B")
}

/// The methods that have a handler.
///
/// A [`MethodRouter`] tells them in one place only: in the header `Allow` of the answer to a method that it has not. So each of
/// its handlers is covered by one that answers nothing, and it is asked for such a method; no handler runs.
pub(super) fn methods(router: &MethodRouter) -> Vec<Method> {
    let silent = from_fn(async |_: Request, _: Next| Response::<Body>::default());
    let mut covered: MethodRouter = router.clone().layer(silent);
    let Ok(method) = Method::from_bytes(b"REPORT-METHODS") else {
        return Vec::new();
    };
    let mut request = Request::new(Body::empty());
    *request.method_mut() = method;
    let answer = covered.call(request).now_or_never();
    let allow = answer.and_then(|Ok(response)| response.headers().get(ALLOW).cloned());
    let allow = allow
        .as_ref()
        .and_then(|allow| allow.to_str().ok())
        .unwrap_or_default();
    allow
        .split(',')
        .filter_map(|name| name.trim().parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::{any, delete, get, post};

    #[test]
    fn methods_are_those_with_a_handler_and_no_handler_runs() {
        let told = |router: MethodRouter| {
            let names = methods(&router);
            names.iter().map(Method::as_str).collect::<Vec<_>>().join(" ")
        };
        let never = async || -> &'static str { panic!("a handler has run") };
        assert_eq!(told(get(never)), "GET HEAD");
        assert_eq!(told(post(never).delete(never)), "POST DELETE");
        assert_eq!(told(delete(never).fallback(never)), "DELETE");
        assert_eq!(told(any(never)), "");
    }

    #[test]
    fn limits_are_written_exactly() {
        for (number, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (1536, "1.5 KiB"),
            (1537, "1537 B"),
            (2_621_440, "2.5 MiB"),
            (4_000_000, "4000000 B"),
            (1 << 30, "1 GiB"),
        ] {
            assert_eq!(bytes(number), text);
        }
    }
}
