//! The devices that an account knows: a signed cookie for each browser that has been logged in to it.
//!
//! Whoever fails on purpose at somebody's account makes everybody wait who is not known to it. So that this is nobody the account
//! belongs to, a login leaves a cookie which says "this browser was in", and whose tries are counted by themselves. The cookie opens
//! nothing; it is worth as many guesses as anybody has. It is bound to the user and to the password: with a new password, each device
//! has to show it once. A browser remembers a few people, since a family has one.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use palisade_core::cookie::SetCookie;
use palisade_core::secret::constant_time_eq;
use palisade_core::signing::CookieSigner;
use palisade_core::token::{Alphabet, random_string};
use palisade_core::{Sensitive, Settings};
use sha2::{Digest, Sha256};

use crate::cookies;

/// The cookie by which an account knows a browser.
pub const DEVICE_COOKIE: &str = "__Host-device";

/// How many people one browser is known for; the latest ones.
const PEOPLE: usize = 4;
/// What stands between two of them.
const BETWEEN: char = '~';
const ID_LENGTH: usize = 22;

/// A device that an account knows. There is none without a cookie that was verified.
#[derive(Clone)]
pub struct KnownDevice {
    id: Sensitive<String>,
}

impl std::fmt::Debug for KnownDevice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KnownDevice")
    }
}

impl KnownDevice {
    pub(super) fn id(&self) -> &str {
        self.id.expose()
    }
}

/// What a browser has sent: who was logged in with it, as far as the signatures are ours and young enough.
#[derive(Clone, Debug, Default)]
pub(crate) struct SentDevices(Vec<Remembered>);

#[derive(Clone, Debug)]
struct Remembered {
    signed: Sensitive<String>,
    id: Sensitive<String>,
    bound: Sensitive<String>,
}

impl SentDevices {
    /// Whether there is anything to be verified.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The device, if it is one of this user's. The hashes are those of the password column, under each key.
    pub(crate) fn known_to(
        &self,
        user_id: i64,
        hashes: impl IntoIterator<Item = String>,
    ) -> Option<KnownDevice> {
        let bounds: Vec<String> = hashes.into_iter().map(|hash| bound(user_id, &hash)).collect();
        let is_theirs = |sent: &&Remembered| {
            let sent = sent.bound.expose();
            bounds.iter().any(|bound| constant_time_eq(bound, sent))
        };
        self.0
            .iter()
            .find(is_theirs)
            .map(|sent| KnownDevice { id: sent.id.clone() })
    }
}

/// Makes and reads the cookie.
#[derive(Clone, Debug)]
pub(crate) struct Devices {
    signer: CookieSigner,
    age: Duration,
}

impl Devices {
    pub(crate) fn from_settings(settings: &Settings) -> Self {
        Self {
            signer: CookieSigner::new(&settings.key_ring(), DEVICE_COOKIE, ""),
            age: settings.login_throttle_device_age,
        }
    }

    /// Reads what a browser has sent. Whatever is not ours is not there.
    pub(crate) fn sent(&self, cookies: Option<&HeaderValue>, now: SystemTime) -> SentDevices {
        let Some(value) = cookies.and_then(|line| cookies::value(line, DEVICE_COOKIE)) else {
            return SentDevices::default();
        };
        let read = |signed: &str| {
            let value = self.signer.unsign_at(signed, Some(self.age), now).ok()?;
            let (id, bound) = value.split_once('.')?;
            (id.len() == ID_LENGTH).then(|| Remembered {
                signed: Sensitive::new(signed.to_owned()),
                id: Sensitive::new(id.to_owned()),
                bound: Sensitive::new(bound.to_owned()),
            })
        };
        SentDevices(value.split(BETWEEN).take(PEOPLE).filter_map(read).collect())
    }

    /// The cookie after a login: this user first, and the others who were logged in with the browser. A device that is known already
    /// stays the same one.
    pub(crate) fn cookie(
        &self,
        sent: &SentDevices,
        known: Option<&KnownDevice>,
        (user_id, hash): (i64, &str),
        now: SystemTime,
    ) -> Option<HeaderValue> {
        let fresh = || Sensitive::new(random_string(ID_LENGTH, Alphabet::Base62));
        let id = known.map_or_else(fresh, |known| known.id.clone());
        let bound = bound(user_id, hash);
        let mut value = self.signer.sign_at(&format!("{}.{bound}", id.expose()), now);
        let others = sent.0.iter().filter(|other| other.id.expose() != id.expose());
        for other in others.take(PEOPLE - 1) {
            value.push(BETWEEN);
            value.push_str(other.signed.expose());
        }
        let cookie = SetCookie::new(DEVICE_COOKIE, value).ok()?;
        let mut header = HeaderValue::try_from(cookie.with_age_from(now, self.age).to_string()).ok()?;
        header.set_sensitive(true);
        Some(header)
    }
}

/// What ties a device to a user and a password. The hash is keyed: nobody else can compute this.
fn bound(user_id: i64, hash: &str) -> String {
    let digest = Sha256::new()
        .chain_update(b"palisade.throttle.device ")
        .chain_update(user_id.to_be_bytes())
        .chain_update(hash.as_bytes())
        .finalize();
    URL_SAFE_NO_PAD.encode(digest.get(..16).unwrap_or_default())
}
