//! Recovery codes: what opens an account whose authenticator is lost, once each.
//!
//! A code has 75 random bits, more than anybody can try; so it lies as a plain digest, bound to its user, and needs no slow hash.

use palisade_core::signing::base64url;
use palisade_core::token::random_string_from;
use palisade_core::{Sensitive, secret::constant_time_eq};
use sha2::{Digest as _, Sha256};

/// How many a user has.
const COUNT: usize = 10;

/// Five bits a character, and none that is taken for another: no i, l, o, u.
const CHARACTERS: &str = "0123456789abcdefghjkmnpqrstvwxyz";

/// Three groups of five.
const LENGTH: usize = 15;

/// How much of a digest is kept: 160 bits, so that all ten fit into a short column.
const DIGEST_BYTES: usize = 20;

/// New recovery codes, shown once: only their digests are kept.
#[derive(Clone, Debug)]
#[must_use = "the codes are shown now or never"]
pub struct RecoveryCodes(Vec<Sensitive<String>>);

impl RecoveryCodes {
    pub(super) fn new() -> Self {
        let draw = |_| random_string_from(LENGTH, CHARACTERS).unwrap_or_default();
        Self(
            (0..COUNT)
                .map(draw)
                .map(|code| Sensitive::new(in_groups(&code)))
                .collect(),
        )
    }

    /// The codes, to be shown to their owner.
    pub fn iter(&self) -> impl Iterator<Item = &Sensitive<String>> {
        self.0.iter()
    }

    /// What is kept of them.
    pub(super) fn digests(&self, user: i64) -> String {
        let digests: Vec<_> = self
            .iter()
            .filter_map(|code| Some(digest(user, &normal(code.expose())?)))
            .collect();
        digests.join(" ")
    }
}

/// A code as it was drawn, from what a person typed; none if it cannot be one.
pub(super) fn normal(typed: &str) -> Option<Sensitive<String>> {
    let mut code = String::with_capacity(LENGTH);
    for letter in typed
        .chars()
        .filter(|letter| !letter.is_whitespace() && *letter != '-')
        .take(LENGTH + 1)
    {
        code.push(match letter.to_ascii_lowercase() {
            'o' => '0',
            'i' | 'l' => '1',
            letter if CHARACTERS.contains(letter) => letter,
            _ => return None,
        });
    }
    (code.len() == LENGTH).then(|| Sensitive::new(code))
}

/// What is left when a code is used; none if it is not there.
pub(super) fn without(kept: &str, user: i64, code: &Sensitive<String>) -> Option<String> {
    let own = digest(user, code);
    let (used, left): (Vec<&str>, Vec<&str>) = kept
        .split_whitespace()
        .partition(|kept| constant_time_eq(kept, &own));
    (!used.is_empty()).then(|| left.join(" "))
}

/// How many are left.
pub(super) fn count(kept: &str) -> usize {
    kept.split_whitespace().count()
}

fn in_groups(code: &str) -> String {
    let letters: Vec<char> = code.chars().collect();
    let groups: Vec<String> = letters.chunks(5).map(String::from_iter).collect();
    groups.join("-")
}

fn digest(user: i64, code: &Sensitive<String>) -> String {
    let digest = Sha256::new()
        .chain_update(b"palisade recovery code\0")
        .chain_update(user.to_be_bytes())
        .chain_update(code.expose().as_bytes())
        .finalize();
    base64url::encode(digest.get(..DIGEST_BYTES).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn code_is_found_as_people_type_it_and_only_once() {
        let codes = RecoveryCodes::new();
        assert_eq!(
            codes.iter().map(Sensitive::expose).collect::<BTreeSet<_>>().len(),
            COUNT
        );
        let kept = codes.digests(7);
        assert_eq!(count(&kept), COUNT);
        let first = codes.iter().next().unwrap().expose();
        assert_eq!((first.len(), first.matches('-').count()), (17, 2), "{first}");
        for typed in [
            first.clone(),
            first.replace('-', " ").to_uppercase(),
            first.replace('-', "").replace('0', "O").replace('1', "l"),
        ] {
            let left = without(&kept, 7, &normal(&typed).unwrap()).unwrap();
            assert_eq!(count(&left), COUNT - 1);
            assert!(without(&left, 7, &normal(&typed).unwrap()).is_none(), "used");
            assert!(
                without(&kept, 8, &normal(&typed).unwrap()).is_none(),
                "somebody else's"
            );
        }
        assert!(!kept.contains(first.as_str()) && kept.len() < 1024);
    }

    #[test]
    fn what_is_no_code_is_none() {
        for none in [
            "",
            "12345",
            "aaaaa-aaaaa-aaaa",
            "aaaaa-aaaaa-aaaaaa",
            "aaaaa-aaaaa-aaaaü",
            "uuuuu-uuuuu-uuuuu",
        ] {
            assert!(normal(none).is_none(), "{none}");
        }
    }
}
