//! What is counted together: a scope, a kind, and one of a million places.
//!
//! A place is a keyed digest, cut to twenty bits. That alone bounds what a flood of random names can fill, in every store, with
//! nothing to evict and so nothing that a flood could push out; and what a thief of the store learns of an account's name is not
//! even whether it is this one. Nobody without the key can choose two names that share a place.

use std::fmt;
use std::str::FromStr;

use palisade_core::SecretKey;
use palisade_core::signing::{Algorithm, salted_hmac};

/// How many places there are for each scope and kind.
const PLACES: u32 = 1 << 20;

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Scope {
    /// A password, to log in.
    Login,
    /// The old password, to set a new one, by somebody who is logged in.
    PasswordChange,
    /// The password again, before a sensitive action.
    Reauthentication,
    /// A code of a second factor.
    SecondFactor,
    /// The address of an account, to have a link sent.
    PasswordReset,
    /// A name for a new account.
    SignUp,
}

/// For whom it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// An account, for all who are not known to it.
    Account,
    /// A device that has been logged in to an account.
    Device,
    /// An IPv4 address, or the 64 bits of an IPv6 network.
    Network,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 6] = [
        Self::Login,
        Self::PasswordChange,
        Self::Reauthentication,
        Self::SecondFactor,
        Self::PasswordReset,
        Self::SignUp,
    ];

    /// Its name, which stores keep.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::PasswordChange => "password_change",
            Self::Reauthentication => "reauthentication",
            Self::SecondFactor => "second_factor",
            Self::PasswordReset => "password_reset",
            Self::SignUp => "sign_up",
        }
    }
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Account, Self::Device, Self::Network];

    /// Its name, which stores keep.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Device => "device",
            Self::Network => "network",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where tries are counted together. As text, which stores take for a key, it has at most 40 characters of ASCII.
///
/// # Example
///
/// ```
/// use palisade::throttle::{Bucket, Kind, Scope};
///
/// let bucket: Bucket = "login/account/0f3a1".parse()?;
/// assert_eq!((bucket.scope(), bucket.kind()), (Scope::Login, Kind::Account));
/// assert_eq!(bucket.to_string(), "login/account/0f3a1");
/// # Ok::<(), palisade::throttle::InvalidBucket>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bucket {
    scope: Scope,
    kind: Kind,
    place: u32,
}

/// A text that is no bucket's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not where tries are counted, which is scope/kind/place")]
pub struct InvalidBucket;

impl Bucket {
    pub(super) fn keyed(key: &SecretKey, scope: Scope, kind: Kind, part: &str) -> Self {
        let digest = salted_hmac(
            "palisade.throttle",
            format!("{scope}/{kind}/{part}"),
            key,
            Algorithm::Sha256,
        );
        let place = digest
            .iter()
            .take(4)
            .fold(0, |place: u32, byte| place << 8 | u32::from(*byte));
        Self {
            scope,
            kind,
            place: place % PLACES,
        }
    }

    pub(super) const fn at(scope: Scope, kind: Kind, place: u32) -> Self {
        Self {
            scope,
            kind,
            place: place % PLACES,
        }
    }

    /// What is tried.
    pub const fn scope(self) -> Scope {
        self.scope
    }

    /// For whom it is counted.
    pub const fn kind(self) -> Kind {
        self.kind
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{:05x}", self.scope, self.kind, self.place)
    }
}

impl FromStr for Bucket {
    type Err = InvalidBucket;

    fn from_str(text: &str) -> Result<Self, InvalidBucket> {
        let read = || {
            let (scope, rest) = text.split_once('/')?;
            let (kind, place) = rest.split_once('/')?;
            let place = u32::from_str_radix(place, 16)
                .ok()
                .filter(|place| *place < PLACES)?;
            Some(Self {
                scope: Scope::ALL.into_iter().find(|known| known.name() == scope)?,
                kind: Kind::ALL.into_iter().find(|known| known.name() == kind)?,
                place,
            })
        };
        read()
            .filter(|bucket| bucket.to_string() == text)
            .ok_or(InvalidBucket)
    }
}
