//! What a report says, cut down to what helps and cannot hurt.

use std::fmt;

use palisade_core::header::Csp;
use palisade_core::url::urlsplit;
use serde::Deserialize;
use serde_json::Value;

use super::{MOST_BYTES, MOST_IN_ONE};

/// The longest of each text that is kept.
const LONGEST: usize = 160;

/// What begins addresses of extensions of browsers.
const EXTENSIONS: [&str; 6] = [
    "chrome-extension",
    "moz-extension",
    "ms-browser-extension",
    "safari-extension",
    "safari-web-extension",
    "webkit-masked-url",
];

/// Whether the browser stopped it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Disposition {
    /// It did.
    Enforced,
    /// It would have: the policy is on trial.
    Reported,
}

impl Disposition {
    /// The word of reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enforced => "enforce",
            Self::Reported => "report",
        }
    }
}

impl fmt::Display for Disposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What was against a policy: printable ASCII of bounded length, without queries and fragments.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    pub(super) directive: String,
    pub(super) blocked: String,
    pub(super) document: String,
    pub(super) source: String,
    pub(super) disposition: Disposition,
}

impl Violation {
    /// The directive that was violated: one that exists.
    pub fn directive(&self) -> &str {
        &self.directive
    }

    /// What was to be loaded: an origin, or a word such as `inline`, `eval` or `data`.
    pub fn blocked(&self) -> &str {
        &self.blocked
    }

    /// The path of the page.
    pub fn document(&self) -> &str {
        &self.document
    }

    /// The file that did it, where the browser says so: a path of this site, or another's origin.
    pub fn source(&self) -> Option<&str> {
        (!self.source.is_empty()).then_some(self.source.as_str())
    }

    /// Whether the browser stopped it.
    pub fn disposition(&self) -> Disposition {
        self.disposition
    }
}

/// The body of a report in both formats, each under its own names.
#[derive(Deserialize)]
struct Report {
    #[serde(alias = "effectiveDirective", alias = "effective-directive")]
    effective: Option<String>,
    #[serde(alias = "violatedDirective", alias = "violated-directive")]
    violated: Option<String>,
    #[serde(alias = "blockedURL", alias = "blocked-uri")]
    blocked: Option<String>,
    #[serde(alias = "documentURL", alias = "document-uri")]
    document: Option<String>,
    #[serde(alias = "sourceFile", alias = "source-file")]
    source: Option<String>,
    disposition: Option<String>,
}

/// Reads the body of a request to the endpoint; `host` is the site's own.
///
/// # Example
///
/// ```
/// use palisade::headers::csp_report::read_reports;
///
/// let body = br#"{"csp-report": {"document-uri": "https://example.com/note/?q=secret", "blocked-uri": "https://evil.example/x.js",
///     "effective-directive": "script-src-elem"}}"#;
/// let read = read_reports("application/csp-report", body, "example.com");
/// assert_eq!(read[0].document(), "/note/");
/// assert_eq!(read[0].blocked(), "https://evil.example");
/// assert!(read_reports("application/csp-report", body, "other.example").is_empty());
/// ```
pub fn read_reports(content_type: &str, body: &[u8], host: &str) -> Vec<Violation> {
    if body.len() > MOST_BYTES {
        return Vec::new();
    }
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    let bodies: Vec<Value> = match kind.to_ascii_lowercase().as_str() {
        "application/csp-report" => serde_json::from_slice::<Value>(body)
            .ok()
            .and_then(|mut report| report.get_mut("csp-report").map(Value::take))
            .into_iter()
            .collect(),
        "application/reports+json" => match serde_json::from_slice::<Value>(body) {
            Ok(Value::Array(reports)) => reports
                .into_iter()
                .filter(|report| report.get("type").and_then(Value::as_str) == Some("csp-violation"))
                .filter_map(|mut report| report.get_mut("body").map(Value::take))
                .collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    let reports = bodies.into_iter().take(MOST_IN_ONE);
    reports
        .filter_map(|report| serde_json::from_value(report).ok())
        .filter_map(|report| judge(&report, host))
        .collect()
}

fn judge(report: &Report, host: &str) -> Option<Violation> {
    let directive = report.effective.as_deref().or(report.violated.as_deref())?;
    let directive = directive.split_ascii_whitespace().next()?.to_ascii_lowercase();
    if !Csp::is_directive(&directive) {
        return None;
    }
    let document = Address::of(report.document.as_deref()?)?;
    if !document.is_on(host) {
        return None;
    }
    let blocked = report.blocked.as_deref().unwrap_or_default();
    let source = report.source.as_deref().unwrap_or_default();
    if [blocked, source]
        .iter()
        .any(|address| is_of_an_extension(address))
    {
        return None;
    }
    Some(Violation {
        directive,
        blocked: match Address::of(blocked) {
            Some(address) if address.is_on(host) => printable(&address.path),
            Some(address) => printable(&address.origin),
            // `inline`, `eval`, `data`, `blob`; or an address without a host, of which the scheme says enough.
            None => printable(blocked.split([':', '?', '#', '/']).next().unwrap_or_default()),
        },
        document: printable(&document.path),
        source: match Address::of(source) {
            Some(address) if address.is_on(host) => printable(&address.path),
            Some(address) => printable(&address.origin),
            None => String::new(),
        },
        disposition: match report.disposition.as_deref() {
            Some("report") => Disposition::Reported,
            _ => Disposition::Enforced,
        },
    })
}

/// An address of the web, without what may be secret in it.
struct Address {
    origin: String,
    host: String,
    path: String,
}

impl Address {
    fn of(text: &str) -> Option<Self> {
        let url = urlsplit(text).ok()?;
        if !matches!(url.scheme.as_str(), "http" | "https" | "ws" | "wss") || url.netloc.is_empty() {
            return None;
        }
        // A name and a password may stand before the host.
        let host = url
            .netloc
            .rsplit('@')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let segments: Vec<&str> = url
            .path
            .split('/')
            .map(|part| if is_like_a_token(part) { "*" } else { part })
            .collect();
        Some(Self {
            origin: format!("{}://{host}", url.scheme),
            host,
            path: if url.path.is_empty() {
                "/".to_owned()
            } else {
                segments.join("/")
            },
        })
    }

    fn is_on(&self, host: &str) -> bool {
        self.host.eq_ignore_ascii_case(host)
    }
}

fn is_of_an_extension(address: &str) -> bool {
    let scheme = address.split(':').next().unwrap_or_default();
    EXTENSIONS.iter().any(|known| scheme.eq_ignore_ascii_case(known))
}

/// Whether a part of a path is one of the long random ones, as in the link that resets a password.
fn is_like_a_token(part: &str) -> bool {
    part.len() >= 20 && part.bytes().any(|byte| byte.is_ascii_digit()) && !part.contains('.')
}

/// Cuts a text to printable ASCII of bounded length. Browsers write addresses in ASCII; whatever else is there has been put there.
fn printable(text: &str) -> String {
    let cut = text.chars().take(LONGEST);
    cut.map(|character| {
        if matches!(character, '!'..='~') {
            character
        } else {
            '?'
        }
    })
    .collect()
}
