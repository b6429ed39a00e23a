//! Tokens of links that anybody may hold: signed, with an end, each for one kind of thing.
//!
//! ```text
//! plk_ 24 random letters . the end in base 62 . signature
//! ```
//!
//! 1. The signature is Django's (`Signer(sep=".", salt="palisade.rows.link")`) over `kind:plk_….end`. The kind is not sent: a token
//!    that was made for a note has another signature than one for a document, and opens none.
//! 2. The random letters have 142 bits. Whoever keeps tokens keeps their digests, which open nothing.
//! 3. A forged or altered token, and one that has ended, is known without asking anybody.
//! 4. `plk_` makes a token known wherever it stands, so that logs and reports do not show one ([`masked`]).
//!
//! # Security
//!
//! Whoever holds a token holds what it opens. It says nothing of whether it was taken back since: that is asked of where its digest is kept.

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest as _, Sha256};

use crate::secret::CLEANSED;
use crate::signing::{Signer, base62, base64url, whole_seconds};
use crate::token::{Alphabet, random_string};
use crate::{KeyRing, Sensitive};

/// What the signature is for.
const SALT: &str = "palisade.rows.link";
/// What a token begins with.
const MARK: &str = "plk_";
/// How many letters are random.
const LETTERS: usize = 24;
/// What the digest is of, so that it is no digest that anything else has.
const DIGEST_OF: &[u8] = b"palisade link\0";
/// The most characters of a token: 4 + 24, the largest number in base 62, the longest signature.
const LONGEST: usize = 128;

/// Makes and reads tokens.
///
/// # Example
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use palisade_core::link_token::LinkTokens;
/// use palisade_core::{KeyRing, SecretKey};
///
/// let tokens = LinkTokens::new(&KeyRing::new(SecretKey::new("secret")));
/// let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_323_046);
/// let made = tokens.make("document", now + Duration::from_secs(60));
///
/// let token = made.token.expose();
/// assert_eq!(tokens.read("document", token, now).unwrap().digest, made.digest);
/// assert!(tokens.read("note", token, now).is_err());
/// assert!(tokens.read("document", token, now + Duration::from_secs(60)).is_err());
/// ```
#[derive(Clone, Debug)]
pub struct LinkTokens {
    signer: Signer,
}

/// A token that was just made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewToken {
    /// What the link's holder gets, and nobody keeps.
    pub token: Sensitive<String>,
    /// What is kept of it.
    pub digest: String,
    /// Its end, in whole seconds.
    pub end: SystemTime,
}

/// What a good token says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claim {
    /// Under what it is kept.
    pub digest: String,
    /// Its end.
    pub end: SystemTime,
}

/// Why a token says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadToken {
    /// It has not the shape of a token, or a signature that is none of ours, or was made for something else.
    #[error("the link was not made here, or not for this, or is not whole")]
    Forged,
    /// Its end has come.
    #[error("the link has ended")]
    Ended,
}

impl LinkTokens {
    /// Signs with the first of these keys, and believes all of them.
    pub fn new(keys: &KeyRing) -> Self {
        let signer = Signer::new(keys, SALT);
        // A dot is in no signature, so that the separator is never refused; and if it were, another would do.
        let signer = signer.clone().separated_by(".").unwrap_or(signer);
        Self { signer }
    }

    /// Makes a token for a kind of thing, which counts until its end.
    pub fn make(&self, kind: &str, end: SystemTime) -> NewToken {
        let secret = random_string(LETTERS, Alphabet::Base62);
        self.with_secret(kind, &secret, whole_seconds(end))
    }

    fn with_secret(&self, kind: &str, secret: &str, end: i64) -> NewToken {
        let signed = format!("{kind}:{MARK}{secret}.{}", base62::encode(end));
        let whole = Sensitive::new(self.signer.sign(&signed));
        let token = whole.expose().get(kind.len() + 1..).unwrap_or_default();
        NewToken {
            token: Sensitive::new(token.to_owned()),
            digest: digest(kind, secret),
            end: time(end),
        }
    }

    /// Reads a token that was made for this kind of thing.
    ///
    /// # Errors
    ///
    /// [`BadToken`] for whatever was not made here for this, and for what has ended.
    pub fn read(&self, kind: &str, token: &str, now: SystemTime) -> Result<Claim, BadToken> {
        let unsigned = |text: &str| {
            let (secret, end) = text.strip_prefix(MARK)?.split_once('.')?;
            let is_secret =
                secret.len() == LETTERS && secret.bytes().all(|byte| byte.is_ascii_alphanumeric());
            (is_secret && !end.contains('.')).then_some((secret.to_owned(), base62::decode(end).ok()?))
        };
        // Nothing but what a token has: so none can bring a kind of its own along.
        if token.len() > LONGEST || !token.bytes().all(is_of_token) {
            return Err(BadToken::Forged);
        }
        let whole = Sensitive::new(format!("{kind}:{token}"));
        let signed = self.signer.unsign(whole.expose()).map_err(|_| BadToken::Forged)?;
        let text = signed.get(kind.len() + 1..).unwrap_or_default();
        let (secret, end) = unsigned(text).ok_or(BadToken::Forged)?;
        if whole_seconds(now) >= end {
            return Err(BadToken::Ended);
        }
        Ok(Claim {
            digest: digest(kind, &secret),
            end: time(end),
        })
    }
}

/// What may stand in a token.
fn is_of_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

/// The secret has so many random bits that its digest is not guessed.
fn digest(kind: &str, secret: &str) -> String {
    let hash = Sha256::new()
        .chain_update(DIGEST_OF)
        .chain_update(kind.as_bytes())
        .chain_update(b"\0")
        .chain_update(secret.as_bytes())
        .finalize();
    base64url::encode(hash)
}

fn time(seconds: i64) -> SystemTime {
    let since = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH)
}

/// The text with every token in it starred, whether it is one of ours or not, whole or not.
///
/// # Example
///
/// ```
/// use palisade_core::link_token::masked;
///
/// let shown = masked("/d/plk_QkZlm2Tn0sYbRw6yAdcUxE4h.1wjsuu.c2lnbmF0dXJl/?page=2");
/// assert_eq!(shown, "/d/plk_********************/?page=2");
/// assert_eq!(masked("/notes/7/"), "/notes/7/");
/// ```
pub fn masked(text: &str) -> Cow<'_, str> {
    if !text.contains(MARK) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut parts = text.split(MARK);
    shown.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let end = part
            .bytes()
            .position(|byte| !is_of_token(byte))
            .unwrap_or(part.len());
        shown.push_str(MARK);
        if end > 0 {
            shown.push_str(CLEANSED);
        }
        shown.push_str(part.get(end..).unwrap_or_default());
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SecretKey;

    fn tokens(keys: &[&str]) -> LinkTokens {
        let mut keys = keys.iter().map(|key| SecretKey::new(*key));
        let ring = KeyRing::new(keys.next().unwrap());
        LinkTokens::new(&ring.with_fallbacks(keys.collect()))
    }

    const NOW: Duration = Duration::from_secs(1_767_323_046);

    fn now() -> SystemTime {
        UNIX_EPOCH + NOW
    }

    #[test]
    fn signature_is_the_one_of_djangos_signer() {
        let made = tokens(&["secret"]).with_secret("note", "QkZlm2Tn0sYbRw6yAdcUxE4h", 1_767_323_046);
        // Signer(key='secret', sep='.', salt='palisade.rows.link').sign('note:plk_QkZlm2Tn0sYbRw6yAdcUxE4h.' + b62_encode(1767323046))
        assert_eq!(
            made.token.expose(),
            "plk_QkZlm2Tn0sYbRw6yAdcUxE4h.1vbVSQ.6-jGQZZhEuzhZZZM3ANEdSm4Xs4LaI0c-KKwldi-CcE"
        );
    }

    #[test]
    fn token_with_any_character_changed_is_none() {
        let tokens = tokens(&["secret"]);
        let made = tokens.make("note", now() + Duration::from_hours(1));
        let token = made.token.expose().as_str();
        assert_eq!(tokens.read("note", token, now()).unwrap().digest, made.digest);
        for (at, old) in token.char_indices() {
            for new in ['A', '0', '-', '.', '~', ':', '%', '\0', 'é'] {
                let mut altered = token.to_owned();
                altered.replace_range(at..=at, &new.to_string());
                if new != old {
                    assert_eq!(
                        tokens.read("note", &altered, now()),
                        Err(BadToken::Forged),
                        "{altered}"
                    );
                }
            }
            let (before, after) = token.split_at(at);
            for other in [before, after] {
                if other != token {
                    assert_eq!(tokens.read("note", other, now()), Err(BadToken::Forged));
                }
            }
        }
        for other in [
            format!("{token}="),
            format!("{token} "),
            format!("{token}{token}"),
        ] {
            assert_eq!(tokens.read("note", &other, now()), Err(BadToken::Forged));
        }
    }

    #[test]
    fn token_of_one_kind_is_none_of_another() {
        let tokens = tokens(&["secret"]);
        let made = tokens.make("note", now() + Duration::from_hours(1));
        for kind in ["document", "Note", "note:", "not", "", "e"] {
            assert_eq!(
                tokens.read(kind, made.token.expose(), now()),
                Err(BadToken::Forged)
            );
        }
        // Nor by bringing the end of another kind's name along.
        let made = tokens.make("a:b", now() + Duration::from_hours(1));
        let smuggled = format!("b:{}", made.token.expose());
        assert_eq!(tokens.read("a", &smuggled, now()), Err(BadToken::Forged));
        assert_ne!(digest("note", "x"), digest("document", "x"));
    }

    #[test]
    fn token_counts_until_the_second_of_its_end() {
        let tokens = tokens(&["secret"]);
        let made = tokens.make("note", now() + Duration::from_millis(60_900));
        let read = |after| tokens.read("note", made.token.expose(), now() + Duration::from_millis(after));
        assert_eq!(read(59_999).unwrap().end, now() + Duration::from_mins(1));
        assert_eq!(read(60_000), Err(BadToken::Ended));
        assert_eq!(made.end, now() + Duration::from_mins(1));
    }

    #[test]
    fn token_of_an_older_key_counts_as_long_as_the_key_is_a_fallback() {
        let made = tokens(&["old"]).make("note", now() + Duration::from_hours(1));
        let token = made.token.expose();
        assert!(tokens(&["new", "old"]).read("note", token, now()).is_ok());
        assert_eq!(tokens(&["new"]).read("note", token, now()), Err(BadToken::Forged));
    }

    #[test]
    fn what_is_not_of_one_s_making_is_not_believed_though_it_is_signed() {
        let tokens = tokens(&["secret"]);
        for text in [
            "plk_short.1wjsuu",
            "QkZlm2Tn0sYbRw6yAdcUxE4h.1",
            "plk_QkZlm2Tn0sYbRw6yAdcUxE4h",
            "plk_QkZlm2Tn0sYbRw6yAdcUxE4h.1.2",
        ] {
            let signed = tokens.signer.sign(&format!("note:{text}"));
            let token = signed.strip_prefix("note:").unwrap();
            assert_eq!(
                tokens.read("note", token, UNIX_EPOCH),
                Err(BadToken::Forged),
                "{text}"
            );
        }
    }

    #[test]
    fn a_token_is_starred_wherever_it_stands() {
        let token = tokens(&["secret"]).make("note", now()).token;
        let token = token.expose();
        for (text, shown) in [
            (format!("/d/{token}"), "/d/plk_*"),
            (format!("next=%2Fd%2F{token}%2F&a=b"), "next=%2Fd%2Fplk_*%2F&a=b"),
            (format!("{token} {token}"), "plk_* plk_*"),
            ("plk_".to_owned(), "plk_"),
        ] {
            assert_eq!(masked(&text), shown.replace('*', CLEANSED));
        }
    }

    #[test]
    fn no_token_shows_itself() {
        let made = tokens(&["secret"]).make("note", now());
        assert!(!format!("{made:?}").contains(MARK));
    }
}
