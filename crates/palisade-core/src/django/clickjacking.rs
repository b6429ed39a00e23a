//! What `XFrameOptionsMiddleware` and its decorators do to a response.

/// The value of `X-Frame-Options` that a response is given: the setting in upper case, unless the response has the header
/// already or is exempt.
///
/// # Example
///
/// ```
/// use palisade_core::django::x_frame_options;
///
/// assert_eq!(x_frame_options("sameorigin", false, false).as_deref(), Some("SAMEORIGIN"));
/// assert_eq!(x_frame_options("sameorigin", true, false), None);
/// ```
pub fn x_frame_options(setting: &str, present: bool, exempt: bool) -> Option<String> {
    (!present && !exempt).then(|| setting.to_uppercase())
}

/// A decorator of a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoration {
    /// `xframe_options_deny`
    Deny,
    /// `xframe_options_sameorigin`
    SameOrigin,
    /// `xframe_options_exempt`
    Exempt,
}

impl Decoration {
    /// The value that the decorator gives a response without the header.
    pub const fn value(self, present: bool) -> Option<&'static str> {
        match self {
            Self::Deny if !present => Some("DENY"),
            Self::SameOrigin if !present => Some("SAMEORIGIN"),
            _ => None,
        }
    }

    /// Says whether the middleware is to leave the response alone.
    pub const fn exempts(self) -> bool {
        matches!(self, Self::Exempt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_is_there_stays_and_an_exempt_response_gets_none() {
        assert_eq!(x_frame_options("deny", false, true), None);
        assert_eq!(
            x_frame_options("straße", false, false).as_deref(),
            Some("STRASSE")
        );
        assert_eq!(Decoration::Deny.value(true), None);
        assert_eq!(Decoration::SameOrigin.value(false), Some("SAMEORIGIN"));
        assert_eq!(
            (Decoration::Exempt.value(false), Decoration::Exempt.exempts()),
            (None, true)
        );
    }
}
