//! Cookies: parsed as Django parses them, built with every attribute and prefix, judged.
//!
//! A cookie that Django set must read the same here, and one that is set here must reach Django unchanged: the parser
//! splits and unquotes, and [`SetCookie`] quotes and orders, exactly as Python does. What Django leaves open is closed: an
//! attribute cannot carry another attribute or a line break, and a `__Host-` name cannot be set against its own rules.

mod attributes;
mod expires;
mod pairs;
mod prefix;
pub(crate) mod quoting;
mod same_site;
mod set_cookie;
pub(crate) mod written;

pub use attributes::CookieAttributes;
pub use expires::Expires;
pub use pairs::{parse, value};
pub use same_site::SameSite;
pub use set_cookie::SetCookie;

/// Says why a cookie cannot be set, or a `Set-Cookie` header not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCookie {
    /// The name holds a character that Python refuses in a cookie's name.
    #[error("Illegal key '{}'", .0.escape_debug())]
    IllegalName(String),
    /// The name is that of an attribute.
    #[error("Attempt to set a reserved key '{}'", .0.escape_debug())]
    ReservedName(String),
    /// A text that goes into the header holds a line break.
    #[error("Header values can't contain newlines (got '{}')", .0.escape_debug())]
    Newline(String),
    /// An attribute's text holds a semicolon or a control character.
    #[error("a cookie's attribute cannot hold '{}'", .0.escape_debug())]
    IllegalAttribute(String),
    /// The text is none of the three values.
    #[error("samesite must be \"lax\", \"none\", or \"strict\".")]
    SameSite,
    /// A point in time and an age were both given.
    #[error("'expires' and 'max_age' can't be used together.")]
    ExpiresAndMaxAge,
    /// The name has a prefix whose rules the attributes break, so that browsers would drop the cookie.
    #[error("{0}")]
    Prefix(&'static str),
    /// The text of a `Set-Cookie` header has no name.
    #[error("the Set-Cookie header names no cookie")]
    Nameless,
}
