//! `Referrer-Policy`: how much of this page's address other sites are told.
//!
//! An address can carry a search, a document's name or a reset token. The header is a list: a browser takes the last entry
//! that it knows, so a site can name a newer policy and a fall-back before it. The eight values are those that Django
//! accepts (check E023).

use std::fmt;
use std::str::FromStr;

use super::{InvalidHeader, SecurityHeader};
use crate::{Threat, Weakness};

/// One policy of the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::enum_variant_names, reason = "`no-referrer` is the standard's name")]
pub enum Referrer {
    /// Nothing, to nobody. Django's Referer check then has nothing to check; the `Origin` header takes its place.
    NoReferrer,
    /// The whole address, except from HTTPS to HTTP.
    NoReferrerWhenDowngrade,
    /// The origin, to everybody.
    Origin,
    /// The whole address to the same origin, the origin to others.
    OriginWhenCrossOrigin,
    /// The whole address to the same origin, nothing to others.
    #[default]
    SameOrigin,
    /// The origin, except from HTTPS to HTTP.
    StrictOrigin,
    /// The whole address to the same origin, the origin to others, nothing from HTTPS to HTTP.
    StrictOriginWhenCrossOrigin,
    /// The whole address, to everybody.
    UnsafeUrl,
}

impl Referrer {
    /// Lists the eight policies.
    pub const ALL: [Self; 8] = [
        Self::NoReferrer,
        Self::NoReferrerWhenDowngrade,
        Self::Origin,
        Self::OriginWhenCrossOrigin,
        Self::SameOrigin,
        Self::StrictOrigin,
        Self::StrictOriginWhenCrossOrigin,
        Self::UnsafeUrl,
    ];

    /// Returns the policy as it is sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoReferrer => "no-referrer",
            Self::NoReferrerWhenDowngrade => "no-referrer-when-downgrade",
            Self::Origin => "origin",
            Self::OriginWhenCrossOrigin => "origin-when-cross-origin",
            Self::SameOrigin => "same-origin",
            Self::StrictOrigin => "strict-origin",
            Self::StrictOriginWhenCrossOrigin => "strict-origin-when-cross-origin",
            Self::UnsafeUrl => "unsafe-url",
        }
    }
}

/// A list of policies, of which a browser takes the last that it knows.
///
/// # Example
/// ```
/// use palisade_core::header::{Referrer, ReferrerPolicy};
///
/// let policy: ReferrerPolicy = "no-referrer, strict-origin-when-cross-origin".parse()?;
/// assert_eq!(policy.effective(), Referrer::StrictOriginWhenCrossOrigin);
/// assert_eq!(policy.to_string(), "no-referrer,strict-origin-when-cross-origin");
/// # Ok::<(), palisade_core::header::InvalidHeader>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReferrerPolicy {
    fallbacks: Vec<Referrer>,
    last: Referrer,
}

impl ReferrerPolicy {
    /// Makes a list of one policy.
    pub const fn new(policy: Referrer) -> Self {
        Self {
            fallbacks: Vec::new(),
            last: policy,
        }
    }

    /// Puts a policy in front of the list, for browsers that do not know the others.
    #[must_use]
    pub fn with_fallback(mut self, policy: Referrer) -> Self {
        self.fallbacks.insert(0, policy);
        self
    }

    /// Returns the policy that a browser which knows them all obeys: the last.
    pub const fn effective(&self) -> Referrer {
        self.last
    }

    /// Lists the policies in the order in which they are sent.
    pub fn policies(&self) -> impl Iterator<Item = Referrer> + '_ {
        self.fallbacks.iter().copied().chain([self.last])
    }
}

impl Default for ReferrerPolicy {
    fn default() -> Self {
        Self::new(Referrer::default())
    }
}

impl SecurityHeader for ReferrerPolicy {
    const NAME: &'static str = "referrer-policy";

    fn weaknesses(&self) -> Vec<Weakness> {
        let (threat, what) = match self.effective() {
            Referrer::UnsafeUrl => (
                Threat::SensitiveDataExposure,
                "unsafe-url sends the whole address to every site",
            ),
            Referrer::NoReferrerWhenDowngrade => (
                Threat::SensitiveDataExposure,
                "no-referrer-when-downgrade sends the whole address to every site that speaks HTTPS",
            ),
            Referrer::Origin | Referrer::OriginWhenCrossOrigin => (
                Threat::InsecureTransport,
                "the site's name is told over plain HTTP; the strict- variant of the policy does not",
            ),
            _ => return Vec::new(),
        };
        vec![Weakness::new(threat, what)]
    }
}

impl fmt::Display for ReferrerPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for policy in &self.fallbacks {
            write!(f, "{},", policy.as_str())?;
        }
        f.write_str(self.last.as_str())
    }
}

impl FromStr for ReferrerPolicy {
    type Err = InvalidHeader;

    /// Reads a list; one value outside the eight makes the whole an error, as Django's check E023 does.
    fn from_str(text: &str) -> Result<Self, InvalidHeader> {
        let mut policies = Vec::new();
        for word in text.split(',').map(str::trim) {
            let known = Referrer::ALL
                .into_iter()
                .find(|policy| policy.as_str().eq_ignore_ascii_case(word));
            policies.push(
                known
                    .ok_or_else(|| InvalidHeader::new(Self::NAME, format!("there is no policy {word:?}")))?,
            );
        }
        let last = policies
            .pop()
            .ok_or_else(|| InvalidHeader::new(Self::NAME, "the value is empty"))?;
        Ok(Self {
            fallbacks: policies,
            last,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_eight_values_of_django_parse_and_nothing_else_does() {
        for policy in Referrer::ALL {
            assert_eq!(policy.as_str().parse(), Ok(ReferrerPolicy::new(policy)));
        }
        for text in ["", "never", "same-origin,", "same-origin same-origin"] {
            assert!(text.parse::<ReferrerPolicy>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_list_is_rejoined_without_spaces() {
        let policy: ReferrerPolicy = " same-origin , strict-origin ".parse().unwrap();
        assert_eq!(policy.to_string(), "same-origin,strict-origin");
        assert_eq!(
            policy,
            ReferrerPolicy::new(Referrer::StrictOrigin).with_fallback(Referrer::SameOrigin)
        );
    }

    #[test]
    fn the_last_policy_is_the_one_that_is_judged() {
        let leaky: ReferrerPolicy = "same-origin,unsafe-url".parse().unwrap();
        let tight: ReferrerPolicy = "unsafe-url,same-origin".parse().unwrap();
        assert_eq!(leaky.weaknesses().len(), 1);
        assert!(tight.weaknesses().is_empty());
    }
}
