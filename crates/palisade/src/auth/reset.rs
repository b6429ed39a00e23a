//! Resetting a password through a mail: Django's tokens, its views' order, and an answer that says nothing.
//!
//! 1. [`Auth::request_reset`] answers at once and always alike: whether anybody has the address is found out in the background,
//!    where the mail is written and sent. So neither text nor time tell (CWE-204, CWE-208).
//! 2. The mail goes to the *stored* address of active users with a usable password (CVE-2019-19844). Its link begins with
//!    `site_url`, never with what the request called the site (CWE-640).
//! 3. [`Auth::open_reset`] moves the token from the address into the session, under a new key, so that neither a `Referer` nor a
//!    session that somebody planted gives it away; the page with the form has `set-password` in its place.
//! 4. [`Auth::reset_password`] replaces the password only if it still is the one that the token was made for: of two that use a link
//!    at the same time one wins. All sessions of the user end, and the user is told by mail.
//!
//! # Security
//!
//! Whoever reads the mailbox has the account, but for a second factor, which is still asked for at the login that follows.

use palisade_core::Sensitive;
use palisade_core::password::{ResetSubject, is_usable};
use palisade_core::session::StoredLogin;
use palisade_core::signing::base64url;

use super::error::AuthError;
use super::letters::{AccountEvent, Addressee};
use super::login::Auth;
use super::user::User;
use crate::mail::{Mail, Mailer};
use crate::password::{PasswordProblem, UserAttributes};
use crate::rejection::Rejection;
use crate::session::SessionError;
use crate::session::store::StoreError;
use crate::stack::StackContext;
use crate::throttle::Scope;

/// Where the token waits in the session (Django's `INTERNAL_RESET_SESSION_TOKEN`).
pub(crate) const RESET_TOKEN: &str = "_password_reset_token";

/// What stands in the address in place of the token (Django's `reset_url_token`).
const IN_THE_SESSION: &str = "set-password";

/// A link that was opened, and is good: whose password may be set.
#[derive(Clone, Debug)]
pub struct Resetting {
    user: User,
    token: Sensitive<String>,
}

impl Resetting {
    /// The name of the user, to be shown beside the new password so that a password manager knows whose it is.
    pub fn username(&self) -> &str {
        &self.user.username
    }
}

/// What to do about a link.
#[derive(Clone, Debug)]
#[must_use = "the link may be no good"]
#[non_exhaustive]
pub enum ResetStep {
    /// Redirect here: the token is in the session now.
    Elsewhere(String),
    /// Ask for the new password.
    Ask(Resetting),
    /// Say that the link is used, too old, or none.
    Invalid,
}

/// Why a password was not reset.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResetError {
    /// The new password is too weak, each way in a sentence.
    #[error("the password is too weak")]
    Password(Vec<PasswordProblem>),
    /// The link was used meanwhile, or the password changed.
    #[error("the link was used meanwhile")]
    Used,
    /// Not the person's doing.
    #[error(transparent)]
    Auth(#[from] AuthError),
}

impl Auth {
    /// Sends a link that resets the password to whoever has this address. The answer is the same, in words and time, if nobody has.
    ///
    /// The link is `site_url`, `password_reset_url`, the user and the token: `https://vault.example/reset/Nw/d1rciu-…/`. A route for
    /// `/reset/{uid}/{token}/` gives both to [`open_reset`](Self::open_reset).
    ///
    /// # Errors
    ///
    /// When there is no mailer, or too many mails wait; or 429, after too many requests for one address, whosever it is, or from one
    /// network: nobody's mailbox is filled, and nobody goes through a list of addresses. None of it depends on whether anybody has
    /// the address.
    pub async fn request_reset(&self, email: &str) -> Result<(), Rejection> {
        let mailer = self.context.mailer()?.clone();
        let asked = self.counted(Scope::PasswordReset, email.trim(), None).await?;
        asked.keep();
        tracing::info!(target: "palisade::auth", client = %self.connection.client, "a password reset was asked for");
        let (users, context, email) = (self.users.clone(), self.context.clone(), email.trim().to_owned());
        let sender = mailer.clone();
        let mails = async move {
            let found = users.store().by_email(&email).await.unwrap_or_else(|error| {
                let source = std::error::Error::source(&error).map_or_else(String::new, ToString::to_string);
                tracing::error!(target: "palisade::auth", "no password can be reset: {error} {source}");
                Vec::new()
            });
            let may = |user: &User| user.is_active && is_usable(user.password.expose());
            let of_one = |user: User| may(&user).then(|| reset_mail(&context, &sender, &user)).flatten();
            found.into_iter().filter_map(of_one).collect()
        };
        mailer.post_later(mails)?;
        Ok(())
    }

    /// Looks at a link that was opened, or at the page that it leads to (Django's `PasswordResetConfirmView`).
    ///
    /// # Errors
    ///
    /// When a store cannot answer.
    pub async fn open_reset(&self, uid: &str, token: &str) -> Result<ResetStep, AuthError> {
        let Some(user) = self.user_of(uid).await? else {
            return Ok(ResetStep::Invalid);
        };
        if token == IN_THE_SESSION {
            let kept: Option<String> = self.session.get(RESET_TOKEN).await?;
            return Ok(match kept {
                Some(kept) if self.is_good(&user, &kept) => ResetStep::Ask(Resetting {
                    user,
                    token: Sensitive::new(kept),
                }),
                _ => ResetStep::Invalid,
            });
        }
        if !self.is_good(&user, token) {
            return Ok(ResetStep::Invalid);
        }
        // Whoever knows this session's key, because it was theirs to begin with, must not find the token in it.
        self.session.cycle_key().await?;
        self.session.insert(RESET_TOKEN, token).await?;
        Ok(ResetStep::Elsewhere(page(&self.context, uid, IN_THE_SESSION)))
    }

    /// Sets the password of whoever opened the link, and ends all sessions of the user. The link is used up.
    ///
    /// Nobody is logged in by it: let the user log in with the new password, where a second factor is asked for.
    ///
    /// # Errors
    ///
    /// What is wrong with the password, that the link was used meanwhile, or what is not the person's doing.
    pub async fn reset_password(
        &self,
        link: &Resetting,
        new: &Sensitive<String>,
    ) -> Result<User, ResetError> {
        let user = &link.user;
        let about = UserAttributes {
            username: &user.username,
            first_name: &user.first_name,
            last_name: &user.last_name,
            email: &user.email,
        };
        let policy = self.users.policy();
        policy
            .validate(new.expose(), &about)
            .map_err(ResetError::Password)?;
        if !self.is_good(user, link.token.expose()) {
            return Err(ResetError::Used);
        }
        let encoded = Sensitive::new(self.users.hashers.hash(new).await.map_err(AuthError::from)?);
        let store = self.users.store();
        let replaced = store
            .replace_password(user.id, &user.password, encoded.clone())
            .await;
        if !replaced.map_err(AuthError::from)? {
            return Err(ResetError::Used);
        }
        tracing::info!(target: "palisade::auth", client = %self.connection.client, user = user.id, "password reset");
        self.end_all_sessions_of(user).await?;
        let mut changed = user.clone();
        changed.password = encoded;
        self.tell(&changed, AccountEvent::PasswordReset);
        Ok(changed)
    }

    /// Their hashes are wrong already; their rows need not wait to expire.
    async fn end_all_sessions_of(&self, user: &User) -> Result<(), AuthError> {
        let id = user.id.to_string();
        let here = self.session.read(StoredLogin::of).await?;
        if here.user_id.as_deref() == Some(id.as_str()) {
            self.session.flush().await?;
        } else {
            self.session.remove(RESET_TOKEN).await?;
            self.session.cycle_key().await?;
        }
        match self.session.sessions().store().delete_others(&id, None).await {
            Ok(_) | Err(StoreError::Unsupported(_)) => Ok(()),
            Err(error) => Err(SessionError::from(error).into()),
        }
    }

    /// Tells the owner of an account by mail what has happened to it, if there is a mailer and an address. What this module changes it
    /// tells by itself; an application says it of what it changes, such as the address: to the older one.
    pub fn tell(&self, user: &User, event: AccountEvent) {
        let Ok(mailer) = self.context.mailer() else {
            return;
        };
        let site = mailer.link("");
        let to = Addressee {
            username: &user.username,
            site: &site,
        };
        let wording = self.context.letters().account_event(to, event);
        if user.email.is_empty() {
            return;
        }
        let posted = Mail::new(&user.email, wording.subject, wording.text).map(|mail| mailer.post(mail));
        match posted {
            Ok(Ok(())) => {}
            Ok(Err(busy)) => {
                tracing::error!(target: "palisade::mail", user = user.id, "a user was not told of {event:?}: {busy}");
            }
            Err(bad) => {
                tracing::error!(target: "palisade::mail", user = user.id, "a user was not told of {event:?}: {bad}");
            }
        }
    }

    async fn user_of(&self, uid: &str) -> Result<Option<User>, AuthError> {
        let id = base64url::decode(uid).ok();
        let id = id.and_then(|id| String::from_utf8(id).ok()?.parse().ok());
        let Some(id) = id else { return Ok(None) };
        let found = self.users.store().by_id(id).await?;
        Ok(found.filter(|user| user.is_active && is_usable(user.password.expose())))
    }

    fn is_good(&self, user: &User, token: &str) -> bool {
        let (context, id) = (&self.context, user.id.to_string());
        let now = context.clock().now();
        context.reset_tokens().check_at(&subject(user, &id), token, now)
    }
}

fn subject<'u>(user: &'u User, id: &'u str) -> ResetSubject<'u> {
    ResetSubject {
        user_id: id,
        password: user.password.expose(),
        last_login: user.last_login,
        email: &user.email,
    }
}

/// The path of the page that takes a link.
fn page(context: &StackContext, uid: &str, token: &str) -> String {
    format!("{}{uid}/{token}/", context.settings().password_reset_url)
}

fn reset_mail(context: &StackContext, mailer: &Mailer, user: &User) -> Option<Mail> {
    let (id, site) = (user.id.to_string(), mailer.link(""));
    let token = context
        .reset_tokens()
        .make_at(&subject(user, &id), context.clock().now());
    let link = mailer.link(&page(context, &base64url::encode(&id), &token));
    let to = Addressee {
        username: &user.username,
        site: &site,
    };
    let valid = context.settings().password_reset_timeout;
    let wording = context.letters().password_reset(to, &link, valid);
    let mail = Mail::new(&user.email, wording.subject, wording.text);
    mail.inspect_err(|error| {
        tracing::error!(target: "palisade::mail", user = user.id, %error, "a password cannot be reset by mail");
    })
    .ok()
}
