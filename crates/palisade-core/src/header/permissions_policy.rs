//! `Permissions-Policy`: which powers of the browser the page, and whoever it frames, may ask for.
//!
//! A script that was smuggled into the page asks in the site's name, and the user has learned to trust that name. What the
//! site never needs is therefore given up at the start. The value is a structured-field dictionary (RFC 9651 §3.2).

use std::fmt;
use std::str::FromStr;

use super::{InvalidHeader, SecurityHeader, grammar};
use crate::{Threat, Weakness};

/// The powers that the default gives up: sensors, devices, capture, location and payment.
const POWERFUL: [&str; 16] = [
    "accelerometer",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "hid",
    "idle-detection",
    "local-fonts",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "serial",
    "usb",
    "window-management",
    "xr-spatial-tracking",
];

/// What the page may ask the browser for.
///
/// # Example
/// ```
/// use palisade_core::header::{Allowed, PermissionsPolicy};
///
/// let policy = PermissionsPolicy::new().deny("camera")?.allow("fullscreen", [Allowed::SameOrigin])?;
/// assert_eq!(policy.to_string(), "camera=(), fullscreen=(self)");
/// # Ok::<(), palisade_core::header::InvalidHeader>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PermissionsPolicy {
    features: Vec<(String, AllowList)>,
}

/// Who may use a feature.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AllowList {
    /// Everybody, `*`.
    Everybody,
    /// Those listed; nobody when the list is empty.
    Only(Vec<Allowed>),
}

/// One entry of an allow-list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Allowed {
    /// The page's own origin, `self`.
    SameOrigin,
    /// The origin in a frame's `src` attribute, `src`.
    FrameSource,
    /// An origin, written as a string.
    Origin(String),
}

impl PermissionsPolicy {
    /// Starts a policy that says nothing.
    pub const fn new() -> Self {
        Self { features: Vec::new() }
    }

    /// Gives a feature up, for the page and for every frame in it.
    ///
    /// # Errors
    /// When the feature's name is not a key of a structured field.
    pub fn deny(self, feature: &str) -> Result<Self, InvalidHeader> {
        self.allow(feature, [])
    }

    /// Keeps a feature for those listed.
    ///
    /// # Errors
    /// When the feature's name is not a key, or an origin holds anything but visible ASCII.
    pub fn allow(
        mut self,
        feature: &str,
        who: impl IntoIterator<Item = Allowed>,
    ) -> Result<Self, InvalidHeader> {
        self.set(feature, AllowList::Only(who.into_iter().collect()))?;
        Ok(self)
    }

    /// Returns who may use a feature, if the policy says.
    pub fn feature(&self, name: &str) -> Option<&AllowList> {
        self.features
            .iter()
            .find_map(|(feature, list)| (feature == name).then_some(list))
    }

    /// Lists the features in the order in which they are sent.
    pub fn features(&self) -> impl Iterator<Item = (&str, &AllowList)> {
        self.features
            .iter()
            .map(|(feature, list)| (feature.as_str(), list))
    }

    /// Sets a feature; as in every structured dictionary, the last value given for a key counts.
    fn set(&mut self, feature: &str, list: AllowList) -> Result<(), InvalidHeader> {
        if !is_key(feature) {
            return Err(InvalidHeader::new(
                Self::NAME,
                format!("{feature:?} is not a feature's name"),
            ));
        }
        if let AllowList::Only(entries) = &list {
            for entry in entries {
                if let Allowed::Origin(origin) = entry
                    && !origin.bytes().all(|b| matches!(b, b' '..=b'~'))
                {
                    return Err(InvalidHeader::new(
                        Self::NAME,
                        format!("{origin:?} is not an origin"),
                    ));
                }
            }
        }
        match self.features.iter_mut().find(|(name, _)| name == feature) {
            Some((_, old)) => *old = list,
            None => self.features.push((feature.to_owned(), list)),
        }
        Ok(())
    }
}

impl Default for PermissionsPolicy {
    /// Gives up what a site that shows forms and pages never needs: sensors, devices, capture, location and payment.
    fn default() -> Self {
        Self {
            features: POWERFUL
                .iter()
                .map(|name| ((*name).to_owned(), AllowList::Only(Vec::new())))
                .collect(),
        }
    }
}

impl SecurityHeader for PermissionsPolicy {
    const NAME: &'static str = "permissions-policy";

    fn weaknesses(&self) -> Vec<Weakness> {
        let mut found = Vec::new();
        for (feature, list) in self.features() {
            if POWERFUL.contains(&feature) && *list == AllowList::Everybody {
                let what = format!("{feature}=* lends {feature} to every frame of the page");
                found.push(Weakness::new(Threat::SensitiveDataExposure, what));
            }
        }
        if !self.features().any(|(feature, _)| POWERFUL.contains(&feature)) {
            let what = "no powerful feature is given up: smuggled script may ask for camera, microphone and location";
            found.push(Weakness::new(Threat::CrossSiteScripting, what));
        }
        found
    }
}

impl fmt::Display for PermissionsPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (feature, list)) in self.features.iter().enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{feature}={list}")?;
        }
        Ok(())
    }
}

impl fmt::Display for AllowList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Only(entries) = self else {
            return f.write_str("*");
        };
        f.write_str("(")?;
        for (at, entry) in entries.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            match entry {
                Allowed::SameOrigin => f.write_str("self")?,
                Allowed::FrameSource => f.write_str("src")?,
                Allowed::Origin(origin) => grammar::write_quoted(f, origin)?,
            }
        }
        f.write_str(")")
    }
}

impl FromStr for PermissionsPolicy {
    type Err = InvalidHeader;

    /// Reads a dictionary; parameters such as `report-to` are skipped, a list with `*` in it allows everybody.
    fn from_str(text: &str) -> Result<Self, InvalidHeader> {
        let mut policy = Self::new();
        if text.trim().is_empty() {
            return Ok(policy);
        }
        for member in grammar::split_list(text, b',') {
            let value = grammar::split_list(member, b';').next().unwrap_or_default();
            let (feature, Some(value)) = grammar::split_pair(value) else {
                return Err(InvalidHeader::new(
                    Self::NAME,
                    format!("{member:?} gives a feature no allow-list"),
                ));
            };
            let list = allow_list(value)
                .ok_or_else(|| InvalidHeader::new(Self::NAME, format!("{value:?} is not an allow-list")))?;
            policy.set(feature, list)?;
        }
        Ok(policy)
    }
}

fn allow_list(value: &str) -> Option<AllowList> {
    let inside = match value.strip_prefix('(') {
        Some(rest) => rest.strip_suffix(')')?,
        None => value,
    };
    let mut entries = Vec::new();
    for word in grammar::split_list(inside, b' ').filter(|word| !word.is_empty()) {
        match word {
            "*" => return Some(AllowList::Everybody),
            "self" => entries.push(Allowed::SameOrigin),
            "src" => entries.push(Allowed::FrameSource),
            word if word.starts_with('"') => {
                entries.push(Allowed::Origin(grammar::token_or_quoted(word)?.into_owned()));
            }
            _ => return None,
        }
    }
    let listed = value.starts_with('(') || entries.len() == 1;
    listed.then_some(AllowList::Only(entries))
}

/// Tells whether a text is a key of a structured field (RFC 9651 §3.1.2).
fn is_key(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase() || c == '*')
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-.*".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_an_allow_list_is_read() {
        let policy: PermissionsPolicy =
            r#"camera=(), usb=*, fullscreen=self, midi=(self "https://a.example/,;" src);report-to=x, hid=( * )"#.parse().unwrap();
        assert_eq!(
            policy.to_string(),
            r#"camera=(), usb=*, fullscreen=(self), midi=(self "https://a.example/,;" src), hid=*"#
        );
    }

    #[test]
    fn the_last_value_of_a_feature_counts() {
        let policy: PermissionsPolicy = "camera=*, camera=()".parse().unwrap();
        assert_eq!(policy.feature("camera"), Some(&AllowList::Only(Vec::new())));
    }

    #[test]
    fn what_browsers_drop_does_not_parse() {
        for text in [
            "camera",
            "camera=none",
            "camera 'none'",
            "Camera=()",
            "camera=(self",
            "camera=self src",
            "camera=\"a\" self",
            "camera=",
            "camera=(),",
            "a=(\"\u{e9}\")",
        ] {
            assert!(text.parse::<PermissionsPolicy>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_feature_or_origin_cannot_smuggle_another() {
        assert!(PermissionsPolicy::new().deny("camera=*, usb").is_err());
        assert!(
            PermissionsPolicy::new()
                .allow("camera", [Allowed::Origin("a\r\nb".into())])
                .is_err()
        );
        let quoted = PermissionsPolicy::new()
            .allow("camera", [Allowed::Origin("a\"), usb=(*".into())])
            .unwrap();
        assert_eq!(quoted.to_string().parse(), Ok(quoted));
    }

    #[test]
    fn lending_a_power_and_saying_nothing_are_weaknesses() {
        assert_eq!(
            "camera=*"
                .parse::<PermissionsPolicy>()
                .unwrap()
                .weaknesses()
                .len(),
            1
        );
        assert_eq!(PermissionsPolicy::new().weaknesses().len(), 1);
        assert!(PermissionsPolicy::default().weaknesses().is_empty());
    }
}
