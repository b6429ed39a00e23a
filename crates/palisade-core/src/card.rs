//! What every guard, probe and rule carries: its id, its threat, its face and its page.
//!
//! The card is how the four faces stay one product: a list of cards can be walked, so that a test finds the threat that a
//! face does not answer, two checks with one id, or a page that does not exist.

use std::fmt;

use crate::Threat;

/// One of the four ways in which palisade answers a threat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Face {
    /// A service is built without the hole.
    Library,
    /// The hole is shut in front of an existing site.
    Gateway,
    /// A running site is shown to have the hole, or not, by doing it.
    Checkup,
    /// The line of source, template or setting that opens the hole is found.
    Audit,
}

impl Face {
    /// Lists the four faces.
    pub const ALL: [Self; 4] = [Self::Library, Self::Gateway, Self::Checkup, Self::Audit];

    /// Names the face in reports and pages.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Library => "library",
            Self::Gateway => "gateway",
            Self::Checkup => "checkup",
            Self::Audit => "audit",
        }
    }
}

impl fmt::Display for Face {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

/// The card of a guard, probe or rule.
///
/// # Example
/// ```
/// use palisade_core::Threat;
/// use palisade_core::card::{Card, Face};
///
/// const FRAMES: Card = Card::new("frame-policy", "Forbids framing", Threat::Clickjacking, Face::Library)
///     .with_page("# Forbids framing\n…")
///     .with_references(&["security.W019"]);
/// assert_eq!(FRAMES.to_string(), "frame-policy (clickjacking, library)");
/// assert!(FRAMES.is_sound());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Card {
    /// The id, in kebab-case; it stays for ever.
    pub id: &'static str,
    /// What it does or finds, in a few words.
    pub title: &'static str,
    /// The threat that it answers.
    pub threat: Threat,
    /// The face that it belongs to.
    pub face: Face,
    /// Its page as Markdown; the threat's page where it has none of its own.
    pub page: &'static str,
    /// Ids of others for the same thing: Django's checks, standards.
    pub references: &'static [&'static str],
}

impl Card {
    /// Fills in a card; the page is that of the threat.
    pub const fn new(id: &'static str, title: &'static str, threat: Threat, face: Face) -> Self {
        Self {
            id,
            title,
            threat,
            face,
            page: threat.page(),
            references: &[],
        }
    }

    /// Gives the card a page of its own.
    #[must_use]
    pub const fn with_page(mut self, page: &'static str) -> Self {
        self.page = page;
        self
    }

    /// Names what others call the same thing.
    #[must_use]
    pub const fn with_references(mut self, references: &'static [&'static str]) -> Self {
        self.references = references;
        self
    }

    /// Tells whether the id is kebab-case and the title and page say something; tests walk their lists with it.
    pub fn is_sound(&self) -> bool {
        let kebab = self.id.split('-').all(|word| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        });
        kebab && !self.title.is_empty() && self.page.starts_with("# ")
    }
}

impl fmt::Display for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, {})", self.id, self.threat, self.face)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_is_not_kebab_case_is_not_sound() {
        for id in ["", "Frames", "frame_policy", "-frames", "frames-", "a--b"] {
            assert!(
                !Card::new(id, "x", Threat::Clickjacking, Face::Audit).is_sound(),
                "{id}"
            );
        }
        assert!(Card::new("frames-2", "x", Threat::Clickjacking, Face::Audit).is_sound());
    }
}
