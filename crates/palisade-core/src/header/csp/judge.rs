//! What a content security policy lets through.
//!
//! Four questions, in the order of their weight: whose scripts run, who frames the page, where its data and forms go, and
//! whether each word means what its author thought. The last belongs to `inert-defence`: a policy with `self` for `'self'`
//! looks like a defence and names a host that does not exist.

use super::{Csp, PLACEHOLDER};
use crate::{Threat, Weakness};

/// The directives that browsers obey today.
pub(super) const KNOWN: &[&str] = &[
    "base-uri",
    "child-src",
    "connect-src",
    "default-src",
    "font-src",
    "form-action",
    "frame-ancestors",
    "frame-src",
    "img-src",
    "manifest-src",
    "media-src",
    "object-src",
    "report-to",
    "report-uri",
    "require-trusted-types-for",
    "sandbox",
    "script-src",
    "script-src-attr",
    "script-src-elem",
    "style-src",
    "style-src-attr",
    "style-src-elem",
    "trusted-types",
    "upgrade-insecure-requests",
    "webrtc",
    "worker-src",
    "fenced-frame-src",
];

/// The directives that browsers once obeyed.
const OBSOLETE: &[&str] = &[
    "block-all-mixed-content",
    "navigate-to",
    "plugin-types",
    "prefetch-src",
    "referrer",
    "reflected-xss",
    "require-sri-for",
];

/// The words that mean something in quotes only.
const KEYWORDS: &[&str] = &[
    "inline-speculation-rules",
    "none",
    "report-sample",
    "self",
    "strict-dynamic",
    "trusted-types-eval",
    "unsafe-eval",
    "unsafe-hashes",
    "unsafe-inline",
    "wasm-unsafe-eval",
];

/// The least length of a nonce of 128 bits in base64.
const NONCE_LENGTH: usize = 22;

pub(super) fn weaknesses(policy: &Csp) -> Vec<Weakness> {
    let mut found = Vec::new();
    scripts(policy, &mut found);
    styles(policy, &mut found);
    frames(policy, &mut found);
    destinations(policy, &mut found);
    words(policy, &mut found);
    found
}

fn scripts(policy: &Csp, found: &mut Vec<Weakness>) {
    let mut weak = |what: String| found.push(Weakness::new(Threat::CrossSiteScripting, what));
    let mut judged = Vec::new();
    for name in ["script-src", "script-src-elem", "script-src-attr"] {
        let own = policy.sources(name);
        let sources = if name == "script-src" {
            own.or_else(|| policy.sources("default-src"))
        } else {
            own
        };
        if let Some(sources) = sources {
            judged.push((name, sources));
        } else if name == "script-src" {
            weak("neither script-src nor default-src is set: any script runs".to_owned());
        }
    }
    for (name, sources) in judged {
        let by_nonce = sources.iter().any(|source| is_nonce(source) || is_hash(source));
        let dynamic = has(sources, "'strict-dynamic'");
        if has(sources, "'unsafe-inline'") && !by_nonce && !dynamic {
            weak(format!(
                "{name} allows 'unsafe-inline': a script smuggled into the page runs"
            ));
        }
        if has(sources, "'unsafe-eval'") {
            weak(format!("{name} allows 'unsafe-eval': text can become script"));
        }
        if has(sources, "'unsafe-hashes'") {
            weak(format!(
                "{name} allows 'unsafe-hashes': a hashed event handler can be put on another element"
            ));
        }
        if !dynamic && let Some(source) = sources.iter().find(|source| is_anywhere(source)) {
            weak(format!(
                "{name} allows {source}: an attacker's script can come from there"
            ));
        }
        if let Some(nonce) = sources.iter().find_map(|source| nonce_of(source))
            && nonce != PLACEHOLDER
            && nonce.len() < NONCE_LENGTH
        {
            weak(format!(
                "the nonce of {name} is shorter than 128 bits: it can be guessed"
            ));
        }
    }
    if !policy
        .sources("object-src")
        .or_else(|| policy.sources("default-src"))
        .is_some_and(is_none)
    {
        weak("object-src is not 'none': a plug-in runs what script-src forbids".to_owned());
    }
    if policy
        .sources("base-uri")
        .is_none_or(|sources| sources.iter().any(|source| is_anywhere(source)))
    {
        weak("base-uri is not limited: a smuggled <base> redirects the page's own scripts".to_owned());
    }
}

fn styles(policy: &Csp, found: &mut Vec<Weakness>) {
    for name in ["style-src", "style-src-elem"] {
        let Some(sources) = policy.sources(name) else {
            continue;
        };
        let by_nonce = sources.iter().any(|source| is_nonce(source) || is_hash(source));
        if has(sources, "'unsafe-inline'") && !by_nonce {
            let what = format!(
                "{name} allows 'unsafe-inline': smuggled style can read the page's fields by their values"
            );
            found.push(Weakness::new(Threat::SensitiveDataExposure, what));
        }
    }
}

fn frames(policy: &Csp, found: &mut Vec<Weakness>) {
    match policy.frame_ancestors() {
        None => found.push(Weakness::new(
            Threat::Clickjacking,
            "frame-ancestors is not set: any site may frame the page",
        )),
        Some(sources) => {
            if let Some(source) = sources.iter().find(|source| is_anywhere(source)) {
                let what = format!("frame-ancestors allows {source}: any site may frame the page");
                found.push(Weakness::new(Threat::Clickjacking, what));
            }
        }
    }
}

fn destinations(policy: &Csp, found: &mut Vec<Weakness>) {
    match policy.sources("form-action") {
        None => found.push(Weakness::new(
            Threat::SensitiveDataExposure,
            "form-action is not set: a smuggled form sends what the user types to another site",
        )),
        Some(sources) => {
            if let Some(source) = sources.iter().find(|source| is_anywhere(source)) {
                let what = format!(
                    "form-action allows {source}: a smuggled form sends what the user types to another site"
                );
                found.push(Weakness::new(Threat::SensitiveDataExposure, what));
            }
        }
    }
    for (name, sources) in policy.directives() {
        if let Some(source) = sources.iter().find(|source| is_plain_http(source)) {
            let what = format!("{name} allows {source}, which can be replaced on its way");
            found.push(Weakness::new(Threat::InsecureTransport, what));
        }
    }
}

fn words(policy: &Csp, found: &mut Vec<Weakness>) {
    let mut inert = |what: String| found.push(Weakness::new(Threat::InertDefence, what));
    let mut seen = Vec::new();
    for (name, sources) in policy.directives() {
        if seen.contains(&name) {
            inert(format!("{name} stands twice: browsers obey the first only"));
        }
        seen.push(name);
        if OBSOLETE.contains(&name) {
            inert(format!("{name} is obsolete: browsers ignore it"));
        } else if !KNOWN.contains(&name) {
            inert(format!("{name} is not a directive: browsers ignore it"));
        }
        if !takes_sources(name) {
            continue;
        }
        if sources.len() > 1 && has(sources, "'none'") {
            inert(format!(
                "{name} names 'none' beside other sources: browsers ignore the 'none'"
            ));
        }
        for source in sources {
            if let Some(meant) = without_quotes(source) {
                inert(format!(
                    "{name} names {source} without quotes, which is a host of that name; write '{meant}'"
                ));
            } else if is_unknown_quoted(source) {
                inert(format!("{name} names {source}, which browsers do not know"));
            }
        }
    }
}

fn takes_sources(name: &str) -> bool {
    name.ends_with("-src")
        || name.contains("-src-")
        || matches!(name, "base-uri" | "form-action" | "frame-ancestors")
}

fn has(sources: &[String], keyword: &str) -> bool {
    sources.iter().any(|source| source.eq_ignore_ascii_case(keyword))
}

fn is_none(sources: &[String]) -> bool {
    match sources {
        [] => true,
        [only] => only.eq_ignore_ascii_case("'none'"),
        _ => false,
    }
}

/// Tells whether a source lets anybody in: every host, or a scheme with no host.
fn is_anywhere(source: &str) -> bool {
    let source = source.to_ascii_lowercase();
    matches!(
        source.as_str(),
        "*" | "http:" | "https:" | "http://*" | "https://*" | "*:*" | "data:" | "blob:" | "filesystem:"
    )
}

fn is_plain_http(source: &str) -> bool {
    let starts = |scheme: &str| {
        source
            .get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    starts("http:") || starts("ws:")
}

/// Returns the nonce of a `'nonce-…'` source.
fn nonce_of(source: &str) -> Option<&str> {
    let inside = source.strip_prefix('\'')?.strip_suffix('\'')?;
    let (start, nonce) = inside.split_at_checked("nonce-".len())?;
    (start.eq_ignore_ascii_case("nonce-") && !nonce.is_empty()).then_some(nonce)
}

fn is_nonce(source: &str) -> bool {
    nonce_of(source).is_some()
}

fn is_hash(source: &str) -> bool {
    let lower = source.to_ascii_lowercase();
    lower.ends_with('\'')
        && ["'sha256-", "'sha384-", "'sha512-"]
            .iter()
            .any(|start| lower.starts_with(start))
}

/// Returns the keyword that a source without quotes was meant to be.
fn without_quotes(source: &str) -> Option<String> {
    let lower = source.to_ascii_lowercase();
    let prefixed = ["nonce-", "sha256-", "sha384-", "sha512-"]
        .iter()
        .any(|start| lower.starts_with(start));
    (prefixed || KEYWORDS.contains(&lower.as_str())).then_some(lower)
}

fn is_unknown_quoted(source: &str) -> bool {
    if !source.starts_with('\'') || is_nonce(source) || is_hash(source) {
        return false;
    }
    let lower = source.to_ascii_lowercase();
    let inside = lower.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    !inside.is_some_and(|word| KEYWORDS.contains(&word))
}
