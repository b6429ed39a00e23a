//! Security headers as typed values: each parses, renders and judges itself.
//!
//! One value serves every side. The library builds it from settings and renders it once at start; a check parses it off
//! the wire and asks for its [`weaknesses`](SecurityHeader::weaknesses). A default has none, and what a value renders it
//! also parses back, so that a policy can be stored, compared and shown as text.

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

use crate::Weakness;

mod cache_control;
mod clear_site_data;
mod content_type_options;
mod csp;
mod disposition;
mod entity_tag;
mod frame_options;
mod grammar;
mod hsts;
mod newline;
mod opener_policy;
mod permissions_policy;
mod range;
mod referrer_policy;
mod reporting_endpoints;
mod resource_policy;
mod vary;
mod xss_protection;

pub use cache_control::CacheControl;
pub use clear_site_data::ClearSiteData;
pub use content_type_options::ContentTypeOptions;
pub use csp::{Csp, CspTemplate};
pub use disposition::content_disposition;
pub use entity_tag::EntityTag;
pub use frame_options::FrameOptions;
pub use hsts::Hsts;
pub use newline::{BadHeader, check_newlines};
pub use opener_policy::CrossOriginOpenerPolicy;
pub use permissions_policy::{AllowList, Allowed, PermissionsPolicy};
pub use range::{RangeAnswer, byte_range};
pub use referrer_policy::{Referrer, ReferrerPolicy};
pub use reporting_endpoints::{ReportUri, ReportingEndpoints};
pub use resource_policy::CrossOriginResourcePolicy;
pub use vary::patch_vary;
pub use xss_protection::XssProtection;

/// A response header that defends the page it travels with.
///
/// Rendering is `Display`, parsing is `FromStr`, and `parse(render(v)) == v` for every value. What is rendered is always
/// a legal header value: visible ASCII and spaces, never a line break.
///
/// # Example
/// ```
/// use palisade_core::header::{Hsts, SecurityHeader};
///
/// let sent: Hsts = "max-age=300".parse()?;
/// assert_eq!(Hsts::NAME, "strict-transport-security");
/// assert!(!sent.weaknesses().is_empty());
/// assert!(Hsts::default().weaknesses().is_empty());
/// # Ok::<(), palisade_core::header::InvalidHeader>(())
/// ```
pub trait SecurityHeader: Display + FromStr<Err = InvalidHeader> {
    /// The header's name in lower case, as HTTP/2 sends it.
    const NAME: &'static str;

    /// Lists the ways in which this value falls short of what the header is for.
    fn weaknesses(&self) -> Vec<Weakness>;
}

/// Says why a text is not a value of a header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{header}: {reason}")]
pub struct InvalidHeader {
    header: &'static str,
    reason: Cow<'static, str>,
}

impl InvalidHeader {
    fn new(header: &'static str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            header,
            reason: reason.into(),
        }
    }

    /// Names the header, in lower case.
    pub fn header(&self) -> &'static str {
        self.header
    }

    /// Says what is wrong with the value.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}
