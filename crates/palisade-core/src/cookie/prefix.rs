//! The names that browsers hold to rules: `__Secure-`, `__Host-`, `__Http-` and `__Host-Http-`.
//!
//! RFC 6265bis §4.1.3. The prefix travels with the cookie while its attributes do not: a server that reads `__Host-x` knows
//! that no subdomain and no plain-HTTP response planted it. Browsers drop a cookie that breaks its prefix, so setting one is
//! a login that silently does not happen; it is refused instead.

use super::CookieAttributes;

/// Returns the rule of the name's prefix that the attributes break; prefixes are compared in any case, as browsers do.
pub(super) fn broken_rule(name: &str, attributes: &CookieAttributes) -> Option<&'static str> {
    let starts = |prefix: &str| {
        name.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    let host = starts("__Host-");
    let http = starts("__Http-") || starts("__Host-Http-");
    if !(host || http || starts("__Secure-")) {
        None
    } else if !attributes.secure {
        Some("a cookie with a name prefix must be Secure")
    } else if host && attributes.path.as_deref() != Some("/") {
        Some("a __Host- cookie must have the path /")
    } else if host && attributes.domain.is_some() {
        Some("a __Host- cookie must not name a domain")
    } else if http && !attributes.http_only {
        Some("an __Http- cookie must be HttpOnly")
    } else {
        None
    }
}
