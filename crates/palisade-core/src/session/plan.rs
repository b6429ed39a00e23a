//! What a login, a look at who is logged in, and a change of password do to a session: Django's rules as values.
//!
//! Each answers a [`LoginPlan`], what to do with the key and what to set then, and leaves the doing to whoever holds the session.

use super::{AUTH_USER_BACKEND, AUTH_USER_HASH, AUTH_USER_ID, SessionData};
use crate::secret::constant_time_eq;

/// What a session says of a login.
#[derive(Clone, Debug, Default)]
pub struct StoredLogin {
    /// The user's primary key, as text.
    pub user_id: Option<String>,
    /// The dotted path of the back end.
    pub backend: Option<String>,
    /// The session auth hash.
    pub hash: Option<String>,
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
pub struct LoginProof<'u, F> {
    /// The session auth hash of the password, if the user model has any.
    pub hash: Option<&'u str>,
    /// The hashes by older keys; they are asked for one by one, and only where the first does not fit.
    pub fallback_hashes: F,
}

impl StoredLogin {
    /// Reads what a session says. A number is its text: the key of a user may have been written either way.
    pub fn of(session: &SessionData) -> Self {
        let text = |key| match session.raw(key)? {
            "null" => None,
            text if text.starts_with('"') => session.get(key)?.ok(),
            other => Some(other.to_owned()),
        };
        Self {
            user_id: text(AUTH_USER_ID),
            backend: text(AUTH_USER_BACKEND),
            hash: text(AUTH_USER_HASH),
        }
    }

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
    /// let other = StoredLogin { user_id: Some("2".to_owned()), ..StoredLogin::default() };
    /// assert_eq!(other.login("1", "hash", "b").action, KeyAction::Flush);
    /// ```
    pub fn login(&self, user_id: &str, hash: &str, backend: &str) -> LoginPlan {
        let action = match &self.user_id {
            None => KeyAction::Cycle,
            Some(stored) => {
                let known = self.hash.as_deref().unwrap_or_default();
                let is_stale = !hash.is_empty() && !constant_time_eq(known, hash);
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
    pub fn verify<F>(&self, user: Option<LoginProof<'_, F>>) -> (LoginPlan, bool)
    where
        F: IntoIterator,
        F::Item: AsRef<str>,
    {
        let (Some(_), Some(_), Some(user)) = (&self.user_id, &self.backend, user) else {
            return (LoginPlan::only(KeyAction::Keep), false);
        };
        let Some(hash) = user.hash else {
            return (LoginPlan::only(KeyAction::Keep), true);
        };
        let stored = self.hash.as_deref().filter(|stored| !stored.is_empty());
        let is = |hash: &str| stored.is_some_and(|stored| constant_time_eq(stored, hash));
        if is(hash) {
            return (LoginPlan::only(KeyAction::Keep), true);
        }
        if user.fallback_hashes.into_iter().any(|hash| is(hash.as_ref())) {
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

    fn stored(user_id: &str, backend: &str, hash: &str) -> StoredLogin {
        let some = |text: &str| (text != "-").then(|| text.to_owned());
        StoredLogin {
            user_id: some(user_id),
            backend: some(backend),
            hash: some(hash),
        }
    }

    #[test]
    fn login_drops_what_is_not_the_user_s() {
        for (stored, user, hash, action) in [
            (StoredLogin::default(), "1", "old", KeyAction::Cycle),
            (stored("1", "m.B", "old"), "1", "old", KeyAction::Keep),
            (stored("1", "m.B", "old"), "1", "", KeyAction::Keep),
            (stored("1", "m.B", "old"), "1", "new", KeyAction::Flush),
            (stored("1", "m.B", "old"), "2", "old", KeyAction::Flush),
            (stored("1", "m.B", "-"), "1", "old", KeyAction::Flush),
        ] {
            let plan = stored.login(user, hash, "m.B");
            assert_eq!(plan.action, action);
            assert_eq!(plan.set.len(), 3);
        }
    }

    #[test]
    fn session_of_an_old_password_ends() {
        let user = |hash, fallback_hashes: &'static [&'static str]| {
            Some(LoginProof {
                hash,
                fallback_hashes,
            })
        };
        let known = || stored("1", "m.B", "old");
        for (stored, user, action, authenticated) in [
            (known(), user(Some("old"), &[]), KeyAction::Keep, true),
            (
                known(),
                user(Some("new"), &["older", "old"]),
                KeyAction::Cycle,
                true,
            ),
            (known(), user(Some("new"), &["older"]), KeyAction::Flush, false),
            (known(), user(None, &[]), KeyAction::Keep, true),
            (known(), None, KeyAction::Keep, false),
            (
                stored("1", "m.B", ""),
                user(Some(""), &[""]),
                KeyAction::Flush,
                false,
            ),
            (
                stored("1", "-", "old"),
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
    fn key_of_a_user_is_read_as_number_or_text() {
        for (json, user_id, hash) in [
            (
                r#"{"_auth_user_id":7,"_auth_user_hash":"h"}"#,
                Some("7"),
                Some("h"),
            ),
            (r#"{"_auth_user_id":"7","_auth_user_hash":null}"#, Some("7"), None),
            (r#"{"_auth_user_id":"\ud800"}"#, None, None),
        ] {
            let stored = StoredLogin::of(&SessionData::from_json(json.to_owned()).unwrap());
            assert_eq!(
                (stored.user_id.as_deref(), stored.hash.as_deref()),
                (user_id, hash)
            );
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
