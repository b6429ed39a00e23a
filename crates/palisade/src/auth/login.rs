//! Logging in, out, signing up and changing the password.

use axum::extract::FromRequestParts;
use http::header::USER_AGENT;
use http::{HeaderValue, request};
use palisade_core::session::{KeyAction, StoredLogin, update_login_hash};
use palisade_core::{Sensitive, Threat};

use super::Users;
use super::letters::AccountEvent;
use super::recent::prove;
use super::second_factor::{FactorError, HALF_LOGIN};
use super::user::{NewUser, User, UserStoreError};
use crate::csrf::Rotation;
use crate::password::{HashError, PasswordProblem, UserAttributes, Username};
use crate::rejection::Rejection;
use crate::session::store::StoreError;
use crate::session::{Device, Session, SessionError};
use crate::stack::StackContext;
use crate::transport::Connection;

/// The back end that Django knows these users by.
pub(super) const BACKEND: &str = "django.contrib.auth.backends.ModelBackend";

/// How much of a name that opened nothing the log keeps, in characters.
const LOGGED_NAME_CHARS: usize = 150;

/// The longest `User-Agent` that the list of sessions keeps, in characters.
const USER_AGENT_CHARS: usize = 200;

/// What can keep a login, a logout or a look-up from being done. None of it is the person's doing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The session cannot be read or written.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The users cannot be read or written.
    #[error(transparent)]
    Store(#[from] UserStoreError),
    /// The password cannot be hashed now.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The second factor cannot be asked for or changed.
    #[error(transparent)]
    SecondFactor(FactorError),
}

impl From<FactorError> for AuthError {
    fn from(error: FactorError) -> Self {
        match error {
            FactorError::Store(error) => Self::Store(error),
            error => Self::SecondFactor(error),
        }
    }
}

impl From<AuthError> for Rejection {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Session(error) => error.into(),
            AuthError::SecondFactor(FactorError::Contended) => {
                Rejection::unavailable(error.to_string(), 5).with_hint("Please try again in a moment.")
            }
            AuthError::SecondFactor(error) => Rejection::internal(error.to_string()),
            AuthError::Store(error @ UserStoreError::Unsupported(_)) => {
                Rejection::internal(error.to_string())
            }
            AuthError::Store(error) => {
                let source = std::error::Error::source(&error).map_or_else(String::new, ToString::to_string);
                Rejection::unavailable(format!("{error}: {source}"), 5)
                    .with_hint("Please try again in a moment.")
            }
            AuthError::Hash(HashError::Busy { retry_after }) => {
                let seconds = u32::try_from(retry_after.as_secs().max(1)).unwrap_or(u32::MAX);
                Rejection::unavailable("the password hashers are busy", seconds)
                    .with_threat(Threat::ResourceExhaustion)
                    .with_hint("Many people are logging in right now. Please try again in a moment.")
            }
            AuthError::Hash(error) => Rejection::internal(error.to_string()),
        }
    }
}

impl axum::response::IntoResponse for AuthError {
    fn into_response(self) -> axum::response::Response {
        Rejection::from(self).into_response()
    }
}

/// Why an account was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignUpError {
    /// There is a user of that name.
    #[error("A user with that username already exists.")]
    NameTaken,
    /// The name is none.
    #[error("{0}")]
    Username(crate::password::InvalidUsername),
    /// The password is too weak, each way in a sentence.
    #[error("the password is too weak")]
    Password(Vec<PasswordProblem>),
    /// Not the person's doing.
    #[error(transparent)]
    Auth(#[from] AuthError),
}

/// Why a password was not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordChangeError {
    /// The old password is wrong.
    #[error("Your old password was entered incorrectly. Please enter it again.")]
    OldPassword,
    /// The new password is too weak, each way in a sentence.
    #[error("the password is too weak")]
    Password(Vec<PasswordProblem>),
    /// Not the person's doing.
    #[error(transparent)]
    Auth(#[from] AuthError),
}

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
///             LoginStep::SecondFactor => Ok("and the code of your authenticator, please"),
///             _ => Ok("welcome"),
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
    /// # Errors
    ///
    /// Only what is not the person's doing; a wrong name or password is `None`, and takes as long as a right one.
    pub async fn authenticate(
        &self,
        username: &str,
        password: &Sensitive<String>,
    ) -> Result<Option<User>, AuthError> {
        let username = Username::normalize(username);
        let found = self.users.store.by_username(&username).await?;
        let Some(user) = self.verify(found, password).await? else {
            self.failed(&username);
            return Ok(None);
        };
        match self.upgrade(user, password).await? {
            Upgrade::Done(user) => Ok(Some(*user)),
            // Somebody changed the password meanwhile, or a second login upgraded the hash: what is stored now decides.
            Upgrade::Overtaken(id) => {
                let found = self.users.store.by_id(id).await?;
                let verified = self.verify(found, password).await?;
                if verified.is_none() {
                    self.failed(&username);
                }
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

    /// Says whether this is the password of a user who is logged in.
    pub(super) async fn is_password_of(
        &self,
        user: &User,
        password: &Sensitive<String>,
    ) -> Result<bool, AuthError> {
        let verified = self.verify(Some(user.clone()), password).await?.is_some();
        if !verified {
            self.failed(&user.username);
        }
        Ok(verified)
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
        let encoded = Sensitive::new(self.users.hashers.hash(password).await.map_err(AuthError::from)?);
        match self
            .users
            .store
            .create(new, encoded, self.context.clock().now())
            .await
        {
            Ok(user) => {
                tracing::info!(target: "palisade::auth", client = %self.connection.client, user = user.id, "signed up");
                Ok(user)
            }
            Err(UserStoreError::NameTaken) => Err(SignUpError::NameTaken),
            Err(error) => Err(AuthError::from(error).into()),
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
        if self.verify(Some(user.clone()), old).await?.is_none() {
            self.failed(&user.username);
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
