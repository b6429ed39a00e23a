//! The one way a `Set-Cookie` header is written: Python's order of attributes, empty ones left out.

use std::fmt::{self, Display, Write};

use super::quoting;

/// A cookie as it goes into the header; what its parts may be is for whoever made it.
pub(crate) struct Written<'c, A> {
    pub(crate) name: &'c str,
    /// Before it is quoted.
    pub(crate) value: &'c str,
    pub(crate) domain: Option<&'c str>,
    pub(crate) expires: Option<&'c str>,
    pub(crate) http_only: bool,
    pub(crate) max_age: Option<A>,
    pub(crate) path: Option<&'c str>,
    pub(crate) same_site: Option<&'c str>,
    pub(crate) secure: bool,
}

impl<A: Display> Written<'_, A> {
    pub(crate) fn write(&self, out: &mut impl Write) -> fmt::Result {
        write!(out, "{}=", self.name)?;
        quoting::write_quoted(out, self.value)?;
        text(out, "Domain", self.domain)?;
        text(out, "expires", self.expires)?;
        if self.http_only {
            out.write_str("; HttpOnly")?;
        }
        if let Some(seconds) = &self.max_age {
            write!(out, "; Max-Age={seconds}")?;
        }
        text(out, "Path", self.path)?;
        text(out, "SameSite", self.same_site)?;
        if self.secure {
            out.write_str("; Secure")?;
        }
        Ok(())
    }
}

fn text(out: &mut impl Write, name: &str, value: Option<&str>) -> fmt::Result {
    match value.filter(|value| !value.is_empty()) {
        Some(value) => write!(out, "; {name}={value}"),
        None => Ok(()),
    }
}

/// Says whether the cookie that takes a cookie away must be `Secure`, lest browsers drop it.
pub(crate) fn deletion_is_secure(name: &str, same_site: Option<&str>) -> bool {
    let is_prefixed = name.starts_with("__Secure-") || name.starts_with("__Host-");
    is_prefixed || same_site.is_some_and(|text| text.eq_ignore_ascii_case("none"))
}
