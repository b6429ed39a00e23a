//! Session data that the store cannot read: sealed before it is kept, opened when it comes back.
//!
//! The data of a session is signed, so that nobody can change it; whoever reads the table reads it all the same. Here it is sealed
//! under the keys of a folder ([`crate::seal`]), bound to its session: the sealed data of an administrator's session, put into
//! the row of one's own, opens nothing. A session is sealed under the newest key at its next change, so that an older key may expire when
//! the sessions have.
//!
//! What cannot be opened because a key is missing is no empty session: the request gets 503, and the log says which file to put back.

use std::error::Error as _;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use futures_util::future::{BoxFuture, FutureExt};
use palisade_core::Threat;
use palisade_core::session::{SessionCodec, SessionData};
use palisade_core::settings::Settings;

use super::key::SessionKey;
use super::store::{Device, Listed, Merge, SessionStore, StoreError, Stored, Updated};
use crate::seal::{OpenError, Place, SealError, SealKeys};

/// Under which name the sealed text stands where a store has to find session data.
const NAME: &str = "_palisade_sealed";

/// Keeps sessions in another store with their data sealed: a stolen table, backup or file tells nothing of what is in them.
///
/// The setting `session_seal_keys` puts it around the store that [`Palisade::with_sessions`](crate::Palisade::with_sessions) is given. A
/// Django beside cannot read such sessions.
///
/// # Security
///
/// The data is sealed; whose session it is, from which address and with which browser it was begun, and when it ends, is the store's to
/// know. The key under which it lies opens the session for whoever reads the table: use [`HashedKeys`](super::HashedKeys), too.
///
/// # Example
///
/// ```
/// use palisade::clock::Clock;
/// use palisade::seal::{SealKeys, make_key};
/// use palisade::session::{SealedSessions, SqliteSessions};
/// use palisade::{SecretKey, Settings, sqlite::Sqlite};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path().join("seal-keys");
/// # make_key(&folder, std::time::SystemTime::now())?;
/// let settings = Settings::for_development(SecretKey::new("a key for this example only"));
/// let keys = SealKeys::read(&folder, Clock::system())?;
/// let sessions = SealedSessions::over(SqliteSessions::new(Sqlite::in_memory()?)?, keys, &settings);
/// # let _ = sessions; Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SealedSessions<S> {
    store: S,
    seal: Seal,
}

impl<S: SessionStore> SealedSessions<S> {
    /// Seals what this store keeps, for a service with these settings.
    pub fn over(store: S, keys: SealKeys, settings: &Settings) -> Self {
        let codec = SessionCodec::new(&settings.key_ring());
        let envelope = store.looks_into_data().then_some(codec);
        let accepts_unsealed = false;
        Self {
            store,
            seal: Seal {
                keys,
                envelope,
                accepts_unsealed,
            },
        }
    }

    /// Still reads sessions that were kept before there were keys; each is sealed at its next change. For the days after the change, so
    /// that nobody is logged out by it.
    ///
    /// # Security
    ///
    /// For as long, whoever can write to the store can put signed data of another session into the row of their own.
    #[must_use]
    pub fn dangerous_accept_unsealed(mut self) -> Self {
        self.seal.accepts_unsealed = true;
        self
    }
}

/// How data is sealed and opened.
#[derive(Clone, Debug)]
struct Seal {
    keys: SealKeys,
    /// Where the store looks for a session's data, the sealed text stands in some.
    envelope: Option<SessionCodec>,
    accepts_unsealed: bool,
}

impl Seal {
    fn seal(&self, key: &SessionKey, session: &Stored, now: SystemTime) -> Result<Stored, SealError> {
        let row = key.hash_text();
        let text = self.keys.seal(&place(&row), session.data.as_bytes())?;
        let data = match &self.envelope {
            None => text,
            Some(codec) => {
                let mut data = SessionData::new();
                // A text is JSON.
                let _ = data.insert(NAME, &text);
                codec.encode(&data, now)
            }
        };
        let expires = session.expires;
        Ok(Stored { data, expires })
    }

    fn open(&self, key: &SessionKey, kept: &Stored) -> Result<Stored, OpenError> {
        let inside: Option<String> = self.envelope.as_ref().and_then(|codec| {
            let data = codec.decode(&kept.data).ok()?;
            data.get(NAME)?.ok()
        });
        let text = inside.as_deref().unwrap_or(&kept.data);
        if self.accepts_unsealed && !SealKeys::is_sealed(text) {
            return Ok(kept.clone());
        }
        let row = key.hash_text();
        let opened = self.keys.open(&place(&row), text)?;
        let data = String::from_utf8(opened.expose().clone()).map_err(|_| OpenError::Forged)?;
        let expires = kept.expires;
        Ok(Stored { data, expires })
    }

    /// What is to be read of a session, if it can be: what somebody tampered with is no session, as where a signature is wrong.
    fn read(&self, key: &SessionKey, kept: &Stored) -> Result<Option<Stored>, StoreError> {
        match self.open(key, kept) {
            Ok(session) => Ok(Some(session)),
            Err(lost @ OpenError::KeyLost { .. }) => Err(StoreError::unavailable(lost)),
            Err(OpenError::KeyExpired { .. }) => Ok(None),
            Err(error) => {
                tracing::warn!(target: "palisade::session", threat = Threat::SessionHijacking.id(), %error, "Session data corrupted");
                Ok(None)
            }
        }
    }

    /// The same merge on sealed data. Where it cannot be done, what is there stays as it is, and `failed` says why.
    fn merge(&self, merge: Merge, old: &SessionKey, new: &SessionKey, now: SystemTime) -> (Merge, Failed) {
        let failed = Failed::default();
        let (seal, old, new, tell) = (self.clone(), old.clone(), new.clone(), failed.clone());
        let merge = Merge::new(move |kept| {
            let merged = seal.open(&old, kept).map_err(StoreError::unavailable);
            let sealed = merged.and_then(|session| {
                seal.seal(&new, &merge.apply(&session), now)
                    .map_err(StoreError::unavailable)
            });
            sealed.unwrap_or_else(|error| {
                let why = error
                    .source()
                    .map_or_else(|| error.to_string(), ToString::to_string);
                tell.0.get_or_init(|| why);
                kept.clone()
            })
        });
        (merge, failed)
    }
}

/// Why a merge was not done, told by the store's own task.
#[derive(Clone, Debug, Default)]
struct Failed(Arc<OnceLock<String>>);

impl Failed {
    fn check(&self) -> Result<(), StoreError> {
        self.0
            .get()
            .map_or(Ok(()), |why| Err(StoreError::unavailable(why.clone())))
    }
}

fn place(row: &str) -> Place<'_> {
    Place::new("session data", "django_session", row)
}

impl<S: SessionStore> SessionStore for SealedSessions<S> {
    fn is_the_cookie(&self) -> bool {
        self.store.is_the_cookie()
    }

    fn looks_into_data(&self) -> bool {
        self.store.looks_into_data()
    }

    fn load<'a>(
        &'a self,
        key: &'a SessionKey,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Option<Stored>, StoreError>> {
        async move {
            match self.store.load(key, now).await? {
                None => Ok(None),
                Some(kept) => self.seal.read(key, &kept),
            }
        }
        .boxed()
    }

    fn create<'a>(
        &'a self,
        key: &'a SessionKey,
        session: Stored,
        device: Option<Device>,
        replaces: Option<&'a SessionKey>,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            let sealed = self
                .seal
                .seal(key, &session, now)
                .map_err(StoreError::unavailable)?;
            self.store.create(key, sealed, device, replaces, now).await
        }
        .boxed()
    }

    fn update<'a>(
        &'a self,
        key: &'a SessionKey,
        merge: Merge,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Updated, StoreError>> {
        let (merge, failed) = self.seal.merge(merge, key, key, now);
        async move {
            let updated = self.store.update(key, merge, now).await?;
            failed.check().map(|()| updated)
        }
        .boxed()
    }

    fn cycle<'a>(
        &'a self,
        old: &'a SessionKey,
        new: &'a SessionKey,
        merge: Merge,
        device: Option<Device>,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Updated, StoreError>> {
        let (merge, failed) = self.seal.merge(merge, old, new, now);
        async move {
            let cycled = self.store.cycle(old, new, merge, device, now).await?;
            let done = failed.check();
            if done.is_err() {
                // It lies under the new key as it was, and opens under the old one only.
                self.store
                    .cycle(new, old, Merge::new(Stored::clone), None, now)
                    .await?;
            }
            done.map(|()| cycled)
        }
        .boxed()
    }

    fn delete<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<(), StoreError>> {
        self.store.delete(key)
    }

    fn clear_expired(&self, at_most: usize, now: SystemTime) -> BoxFuture<'_, Result<usize, StoreError>> {
        self.store.clear_expired(at_most, now)
    }

    fn list<'a>(
        &'a self,
        user_id: &'a str,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Vec<Listed>, StoreError>> {
        self.store.list(user_id, now)
    }

    fn delete_others<'a>(
        &'a self,
        user_id: &'a str,
        keep: Option<&'a SessionKey>,
    ) -> BoxFuture<'a, Result<usize, StoreError>> {
        self.store.delete_others(user_id, keep)
    }
}
