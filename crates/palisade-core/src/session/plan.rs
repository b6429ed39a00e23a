//! What a login, a look at who is logged in, and a change of password do to a session: Django's rules as values.
//!
//! Each answers a [`LoginPlan`], what to do with the key and what to set then, and leaves the doing to whoever holds the session.

use super::{AUTH_USER_BACKEND, AUTH_USER_HASH, AUTH_USER_ID};
use crate::secret::constant_time_eq;

/// What a session says of a login.
#[derive(Clone, Copy, Debug, Default)]
pub struct StoredLogin<'s> {
    /// The user's primary key, as text.
    pub user_id: Option<&'s str>,
    /// The dotted path of the back end.
    pub backend: Option<&'s str>,
    /// The session auth hash.
    pub hash: Option<&'s str>,
}

/// What becomes of the session's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAction {
    /// It stays.
    Keep,
    /// The data move to a new one.
    Cycle,
    /// The session is dropped.
    Flush,
}

/// What to do to a session: first to its key, then to its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginPlan {
    /// What becomes of the key.
    pub action: KeyAction,
    /// What is set then.
    pub set: Vec<(&'static str, String)>,
}

impl LoginPlan {
    const fn only(action: KeyAction) -> Self {
        Self {
            action,
            set: Vec::new(),
        }
    }
}

/// What the present says of a user whom a session names.
#[derive(Clone, Copy, Debug)]
pub struct LoginProof<'u> {
    /// The session auth hash of the password, if the user model has any.
    pub hash: Option<&'u str>,
    /// The hashes by older keys.
    pub fallback_hashes: &'u [&'u str],
}

impl StoredLogin<'_> {
    /// Logs a user in: Django's `login`. A visitor's session gets a new key; that of another user, or of an older password, is
    /// dropped; the user's own stays. `hash` is empty where the user model has none. The CSRF secret is to be rotated, too.
    ///
    /// # Security
    ///
    /// Where the user is logged in already Django keeps the key. A service of its own does better to cycle it.
    ///
    /// # Example
    ///
    /// ```
    /// use palisade_core::session::{KeyAction, StoredLogin};
    ///
    /// let plan = StoredLogin::default().login("1", "hash", "django.contrib.auth.backends.ModelBackend");
    /// assert_eq!(plan.action, KeyAction::Cycle);
    /// let other = StoredLogin { user_id: Some("2"), ..StoredLogin::default() };
    /// assert_eq!(other.login("1", "hash", "b").action, KeyAction::Flush);
    /// ```
    pub fn login(&self, user_id: &str, hash: &str, backend: &str) -> LoginPlan {
        let action = match self.user_id {
            None => KeyAction::Cycle,
            Some(stored) => {
                let is_stale = !hash.is_empty() && !constant_time_eq(self.hash.unwrap_or_default(), hash);
                if stored != user_id || is_stale {
                    KeyAction::Flush
                } else {
                    KeyAction::Keep
                }
            }
        };
        let set = vec![
            (AUTH_USER_ID, user_id.to_owned()),
            (AUTH_USER_BACKEND, backend.to_owned()),
            (AUTH_USER_HASH, hash.to_owned()),
        ];
        LoginPlan { action, set }
    }

    /// Says whether the session is still that of the user it names: Django's `get_user`. `user` is none where nobody is found, or the
    /// back end is not in use.
    ///
    /// A hash by an older key is made anew under a new session key; a wrong one ends the session.
    pub fn verify(&self, user: Option<LoginProof<'_>>) -> (LoginPlan, bool) {
        let (Some(_), Some(_), Some(user)) = (self.user_id, self.backend, user) else {
            return (LoginPlan::only(KeyAction::Keep), false);
        };
        let Some(hash) = user.hash else {
            return (LoginPlan::only(KeyAction::Keep), true);
        };
        let stored = self.hash.filter(|stored| !stored.is_empty());
        let is = |hash: &str| stored.is_some_and(|stored| constant_time_eq(stored, hash));
        if is(hash) {
            return (LoginPlan::only(KeyAction::Keep), true);
        }
        if user.fallback_hashes.iter().any(|hash| is(hash)) {
            let plan = LoginPlan {
                action: KeyAction::Cycle,
                set: vec![(AUTH_USER_HASH, hash.to_owned())],
            };
            return (plan, true);
        }
        (LoginPlan::only(KeyAction::Flush), false)
    }
}

/// Keeps a session alive whose user has changed the password: Django's `update_session_auth_hash`. It gets a new key, and the new
/// hash if `is_same_user` and the user model has hashes.
pub fn update_login_hash(is_same_user: bool, hash: Option<&str>) -> LoginPlan {
    let hash = hash.filter(|_| is_same_user);
    LoginPlan {
        action: KeyAction::Cycle,
        set: hash
            .map(|hash| (AUTH_USER_HASH, hash.to_owned()))
            .into_iter()
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORED: StoredLogin<'static> = StoredLogin {
        user_id: Some("1"),
        backend: Some("m.B"),
        hash: Some("old"),
    };

    #[test]
    fn login_drops_what_is_not_the_user_s() {
        for (stored, user, hash, action) in [
            (StoredLogin::default(), "1", "old", KeyAction::Cycle),
            (STORED, "1", "old", KeyAction::Keep),
            (STORED, "1", "", KeyAction::Keep),
            (STORED, "1", "new", KeyAction::Flush),
            (STORED, "2", "old", KeyAction::Flush),
            (StoredLogin { hash: None, ..STORED }, "1", "old", KeyAction::Flush),
        ] {
            let plan = stored.login(user, hash, "m.B");
            assert_eq!(plan.action, action);
            assert_eq!(plan.set.len(), 3);
        }
    }

    #[test]
    fn session_of_an_old_password_ends() {
        let user = |hash, fallback_hashes| {
            Some(LoginProof {
                hash,
                fallback_hashes,
            })
        };
        for (stored, user, action, authenticated) in [
            (STORED, user(Some("old"), &[]), KeyAction::Keep, true),
            (
                STORED,
                user(Some("new"), &["older", "old"]),
                KeyAction::Cycle,
                true,
            ),
            (STORED, user(Some("new"), &["older"]), KeyAction::Flush, false),
            (STORED, user(None, &[]), KeyAction::Keep, true),
            (STORED, None, KeyAction::Keep, false),
            (
                StoredLogin {
                    hash: Some(""),
                    ..STORED
                },
                user(Some(""), &[""]),
                KeyAction::Flush,
                false,
            ),
            (
                StoredLogin {
                    backend: None,
                    ..STORED
                },
                user(Some("old"), &[]),
                KeyAction::Keep,
                false,
            ),
        ] {
            let (plan, verified) = stored.verify(user);
            assert_eq!((plan.action, verified), (action, authenticated));
            assert_eq!(plan.set.len(), usize::from(action == KeyAction::Cycle));
        }
    }

    #[test]
    fn own_password_change_keeps_this_session_under_another_key() {
        assert_eq!(
            update_login_hash(true, Some("new")).set,
            [(AUTH_USER_HASH, "new".to_owned())]
        );
        for plan in [
            update_login_hash(false, Some("new")),
            update_login_hash(true, None),
        ] {
            assert_eq!((plan.action, plan.set.len()), (KeyAction::Cycle, 0));
        }
    }
}
