//! Logging in, out, signing up and changing the password.

mod counted;

use axum::extract::FromRequestParts;
use http::header::{COOKIE, USER_AGENT};
use http::{HeaderValue, request};
use palisade_core::session::{KeyAction, StoredLogin, update_login_hash};
use palisade_core::{Sensitive, Threat};

use self::counted::no_throttles;
pub(super) use self::counted::settled;
use super::Users;
use super::error::{AuthError, PasswordChangeError, SignUpError};
use super::letters::AccountEvent;
use super::recent::prove;
use super::second_factor::HALF_LOGIN;
use super::user::{NewUser, User, UserStoreError};
use crate::csrf::Rotation;
use crate::password::{HashError, UserAttributes, Username};
use crate::rejection::Rejection;
use crate::session::store::StoreError;
use crate::session::{Device, Session, SessionError};
use crate::stack::StackContext;
use crate::throttle::{Attempt, Scope};
use crate::transport::Connection;

/// The back end that Django knows these users by.
pub(super) const BACKEND: &str = "django.contrib.auth.backends.ModelBackend";

/// How much of a name that opened nothing the log keeps, in characters.
const LOGGED_NAME_CHARS: usize = 150;

/// The longest `User-Agent` that the list of sessions keeps, in characters.
const USER_AGENT_CHARS: usize = 200;

/// Logs in and out: an extractor.
///
/// # Example
///
/// ```
/// use palisade::auth::{Auth, LoginStep};
/// use palisade::{Rejection, Sensitive};
///
/// async fn log_in(auth: Auth, username: String, password: Sensitive<String>) -> Result<&'static str, Rejection> {
///     match auth.authenticate(&username, &password).await? {
///         Some(user) => match auth.login(&user).await? {
///             LoginStep::Done => Ok("welcome"),
///             // Nobody is logged in yet.
///             _ => Ok("and the code of your authenticator, please"),
///         },
///         None => Ok("wrong name or password"),
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Auth {
    pub(super) users: Users,
    pub(super) session: Session,
    pub(super) csrf: Rotation,
    pub(super) context: StackContext,
    pub(super) connection: Connection,
    user_agent: String,
    cookies: Option<HeaderValue>,
}

impl<S: Sync> FromRequestParts<S> for Auth {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut request::Parts, state: &S) -> Result<Self, Rejection> {
        let context = StackContext::of(&parts.extensions)?;
        let agent = parts
            .headers
            .get(USER_AGENT)
            .and_then(|agent| agent.to_str().ok())
            .unwrap_or("");
        let user_agent = agent.chars().take(USER_AGENT_CHARS).collect();
        Ok(Self {
            users: context.users()?.clone(),
            session: <Session as FromRequestParts<S>>::from_request_parts(parts, state).await?,
            csrf: Rotation::of(&parts.extensions)?,
            connection: Connection::from_request_parts(parts, state).await?,
            user_agent,
            cookies: parts.headers.get(COOKIE).cloned(),
            context,
        })
    }
}

/// A name for the log: all that no user name has is escaped, so that what a guesser types cannot pass for another field of the line.
fn one_word(name: &str) -> String {
    let mut word = String::new();
    for letter in name.chars().take(LOGGED_NAME_CHARS) {
        if letter.is_alphanumeric() || "@.+-_".contains(letter) {
            word.push(letter);
        } else {
            word.extend(letter.escape_unicode());
        }
    }
    word
}

/// A name that somebody else has.
#[derive(Debug)]
struct NameTaken;

/// What became of a weak hash.
#[derive(Debug)]
enum Upgrade {
    /// The user, with the hash that is stored now.
    Done(Box<User>),
    /// Another hash of this user was stored meanwhile.
    Overtaken(i64),
}

impl Auth {
    /// Finds the active user of that name and password. One that is not found is said on `palisade::auth`, with the client's
    /// address (Django's signal `user_login_failed`).
    ///
    /// The try is counted before the password is looked at ([`crate::throttle`]), for the name, whether or not it is a user's, and for
    /// the network; or, in a browser that has been logged in as this user, for that browser alone. A right password gives it back.
    ///
    /// # Errors
    ///
    /// [`AuthError::Throttled`] after too many; otherwise only what is not the person's doing. A wrong name or password is
    /// `None`, and takes as long as a right one.
    pub async fn authenticate(
        &self,
        username: &str,
        password: &Sensitive<String>,
    ) -> Result<Option<User>, AuthError> {
        let username = Username::normalize(username);
        let sent = self.sent_devices();
        // Without a device to be known by, nothing is asked of the users before the try is counted.
        let known = if sent.is_empty() {
            None
        } else {
            Some(self.users.store.by_username(&username).await?)
        };
        let device = known
            .as_ref()
            .and_then(|found| self.device_of(&sent, found.as_ref()?));
        let reservation = self.counted(Scope::Login, &username, device.as_ref()).await?;
        let verified = async {
            let found = match known {
                Some(found) => found,
                None => self.users.store.by_username(&username).await?,
            };
            self.verify_and_upgrade(found, password).await
        };
        let verified = settled(reservation, verified.await, Option::is_some).await?;
        if verified.is_none() {
            self.failed(&username);
        }
        Ok(verified)
    }

    /// The user, if active and of this password, whose weak hash is replaced.
    async fn verify_and_upgrade(
        &self,
        found: Option<User>,
        password: &Sensitive<String>,
    ) -> Result<Option<User>, AuthError> {
        let Some(user) = self.verify(found, password).await? else {
            return Ok(None);
        };
        match self.upgrade(user, password).await? {
            Upgrade::Done(user) => Ok(Some(*user)),
            // Somebody changed the password meanwhile, or a second login upgraded the hash: what is stored now decides.
            Upgrade::Overtaken(id) => {
                let found = self.users.store.by_id(id).await?;
                let verified = self.verify(found, password).await?;
                Ok(verified.map(|(user, _)| user))
            }
        }
    }

    /// Says that somebody did not know the password.
    fn failed(&self, username: &str) {
        tracing::info!(
            target: "palisade::auth",
            threat = Threat::CredentialGuessing.id(),
            client = %self.connection.client,
            username = %one_word(username),
            "login failed"
        );
    }

    /// The user, if active and of this password, and whether the hash is weaker than today's.
    async fn verify(
        &self,
        found: Option<User>,
        password: &Sensitive<String>,
    ) -> Result<Option<(User, bool)>, AuthError> {
        let stored = found.as_ref().map(|user| user.password.expose().as_str());
        match self.users.hashers.verify(password, stored).await {
            Ok(verified) => Ok(found
                .filter(|user| verified.correct && user.is_active)
                .map(|user| (user, verified.must_update))),
            // Nobody has such a password: that is the person's doing, and no fault.
            Err(HashError::TooLong { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Replaces a weak hash while the password is at hand. A hash that cannot be made now keeps nobody out: the old one stays.
    async fn upgrade(
        &self,
        (mut user, weak): (User, bool),
        password: &Sensitive<String>,
    ) -> Result<Upgrade, AuthError> {
        if !weak {
            return Ok(Upgrade::Done(Box::new(user)));
        }
        let stronger = match self.users.hashers.hash(password).await {
            Ok(stronger) => Sensitive::new(stronger),
            Err(error) => {
                tracing::warn!(target: "palisade::auth", user = user.id, %error, "a weak password hash was not replaced");
                return Ok(Upgrade::Done(Box::new(user)));
            }
        };
        let store = &self.users.store;
        if !store
            .replace_password(user.id, &user.password, stronger.clone())
            .await?
        {
            return Ok(Upgrade::Overtaken(user.id));
        }
        user.password = stronger;
        Ok(Upgrade::Done(Box::new(user)))
    }

    /// Logs a user in who has shown everything that is asked for.
    pub(super) async fn complete_login(&self, user: &User) -> Result<(), AuthError> {
        let session = &self.session;
        let id = user.id.to_string();
        let hash = self.hash(user);
        let mut plan = session.read(StoredLogin::of).await?.login(&id, &hash, BACKEND);
        if plan.action == KeyAction::Keep {
            // Django keeps the key of who is logged in already; a new one costs nothing and leaves nothing to plant.
            plan.action = KeyAction::Cycle;
        }
        session.carry_out(&plan).await?;
        session.remove(HALF_LOGIN).await?;
        prove(session, &self.context).await?;
        session
            .begin(Device {
                user_id: id,
                address: self.connection.client.to_string(),
                user_agent: self.user_agent.clone(),
            })
            .await?;
        self.remember_device(user, None).await?;
        self.csrf.rotate().await?;
        tracing::info!(target: "palisade::auth", client = %self.connection.client, user = user.id, "logged in");
        self.users
            .store
            .logged_in(user.id, self.context.clock().now())
            .await?;
        Ok(())
    }

    /// Logs out: the session is deleted, the CSRF secret made anew, and the browser told over HTTPS to forget the pages that it has kept
    /// (`logout_clear_site_data`).
    ///
    /// # Errors
    ///
    /// When the store cannot answer.
    pub async fn logout(&self) -> Result<(), AuthError> {
        self.session.flush().await?;
        let forget = self.context.settings().logout_clear_site_data;
        if let Some(forget) = forget.filter(|_| self.connection.secure)
            && let Ok(value) = HeaderValue::try_from(forget.to_string())
        {
            self.session.say_farewell(value).await?;
        }
        self.csrf.rotate_if_used().await?;
        Ok(())
    }

    /// Makes an account. It has no privileges, whatever the request says.
    ///
    /// That a name is taken has to be said, as Django says it; so names are tried at most as fast as the throttle of the client's network
    /// lets them. A name or password that is refused for what it is, is not counted.
    ///
    /// # Errors
    ///
    /// What is wrong with the name or the password, or what is not the person's doing.
    pub async fn sign_up(&self, mut new: NewUser, password: &Sensitive<String>) -> Result<User, SignUpError> {
        new.username = Username::parse(&new.username)
            .map_err(SignUpError::Username)?
            .into_string();
        let about = UserAttributes {
            username: &new.username,
            first_name: &new.first_name,
            last_name: &new.last_name,
            email: &new.email,
        };
        self.users
            .policy
            .validate(password.expose(), &about)
            .map_err(SignUpError::Password)?;
        // It says whether a name is taken, and makes an account: both are worth counting, and neither is given back.
        let attempt = Attempt::new(Scope::SignUp).at_address(self.connection.client);
        let throttles = self.context.throttles().map_err(|_| no_throttles())?;
        let reservation = throttles.reserve(&attempt).await.map_err(AuthError::from)?;
        match settled(reservation, self.create(new, password).await, |_| false).await? {
            Ok(user) => {
                tracing::info!(target: "palisade::auth", client = %self.connection.client, user = user.id, "signed up");
                Ok(user)
            }
            Err(NameTaken) => Err(SignUpError::NameTaken),
        }
    }

    async fn create(
        &self,
        new: NewUser,
        password: &Sensitive<String>,
    ) -> Result<Result<User, NameTaken>, AuthError> {
        let encoded = Sensitive::new(self.users.hashers.hash(password).await?);
        let now = self.context.clock().now();
        match self.users.store.create(new, encoded, now).await {
            Ok(user) => Ok(Ok(user)),
            Err(UserStoreError::NameTaken) => Ok(Err(NameTaken)),
            Err(error) => Err(error.into()),
        }
    }

    /// Changes the password of the user who is logged in. This session goes on under a new key; every other one of the user ends.
    ///
    /// # Errors
    ///
    /// What is wrong with the old or new password, or what is not the person's doing.
    pub async fn change_password(
        &self,
        user: &User,
        old: &Sensitive<String>,
        new: &Sensitive<String>,
    ) -> Result<(), PasswordChangeError> {
        let about = UserAttributes {
            username: &user.username,
            first_name: &user.first_name,
            last_name: &user.last_name,
            email: &user.email,
        };
        let device = self.device_of(&self.sent_devices(), user);
        if !self.check_in(Scope::PasswordChange, user, old).await? {
            return Err(PasswordChangeError::OldPassword);
        }
        self.users
            .policy
            .validate(new.expose(), &about)
            .map_err(PasswordChangeError::Password)?;
        let encoded = Sensitive::new(self.users.hashers.hash(new).await.map_err(AuthError::from)?);
        let stored = self
            .users
            .store
            .replace_password(user.id, &user.password, encoded.clone())
            .await;
        if !stored.map_err(AuthError::from)? {
            return Err(PasswordChangeError::OldPassword);
        }
        tracing::info!(target: "palisade::auth", client = %self.connection.client, user = user.id, "password changed");
        let mut changed = user.clone();
        changed.password = encoded;
        self.keep_session_of(&changed).await?;
        // Other devices show the new password once; this one has.
        self.remember_device(&changed, device).await?;
        self.tell(&changed, AccountEvent::PasswordChanged);
        Ok(())
    }

    async fn keep_session_of(&self, user: &User) -> Result<(), AuthError> {
        let plan = update_login_hash(true, Some(&self.hash(user)));
        self.session.carry_out(&plan).await?;
        // Their hashes are wrong already; their rows need not wait to expire.
        self.end_others(user).await
    }

    /// Ends the user's other sessions, where the store can.
    pub(super) async fn end_others(&self, user: &User) -> Result<(), AuthError> {
        let key = self.session.key().await?;
        let store = self.session.sessions().store();
        match store.delete_others(&user.id.to_string(), key.as_ref()).await {
            Ok(_) | Err(StoreError::Unsupported(_)) => Ok(()),
            Err(error) => Err(SessionError::from(error).into()),
        }
    }

    /// Ends the user's other sessions, on all devices, and says how many there were.
    ///
    /// # Security
    ///
    /// Sessions that a Django process beside this one began are not in the list and stay; a password change ends them, too.
    ///
    /// # Errors
    ///
    /// When the store cannot answer.
    pub async fn log_out_everywhere_else(&self, user: &User) -> Result<usize, AuthError> {
        let key = self.session.key().await?;
        let store = self.session.sessions().store();
        Ok(store
            .delete_others(&user.id.to_string(), key.as_ref())
            .await
            .map_err(SessionError::from)?)
    }

    /// The session behind the login.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The users.
    pub fn users(&self) -> &Users {
        &self.users
    }

    pub(super) fn hash(&self, user: &User) -> String {
        self.context.login_hasher().hash(user.password.expose())
    }
}
