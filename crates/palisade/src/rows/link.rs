//! A link as its owner sees it: on what terms it is made, what comes of it, what stands in the list.

use std::time::{Duration, SystemTime};

use http::StatusCode;
use palisade_core::Sensitive;

use super::asker::GrantError;
use super::database::RowError;
use crate::password::Username;
use crate::rejection::Rejection;

/// A link lives so long, unless it is told otherwise.
pub(super) const LONGEST_LIFE: Duration = Duration::from_hours(30 * 24);
/// A row has at most so many links that have not ended.
pub(super) const MOST_LINKS: u32 = 100;
/// A label has at most so many characters.
pub(super) const LONGEST_LABEL: usize = 100;

/// On what terms a link is made. An end is one of them always.
///
/// # Example
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use palisade::rows::LinkTerms;
///
/// let a_week = SystemTime::now() + Duration::from_hours(7 * 24);
/// let anybody = LinkTerms::until(a_week).label("for the bank");
/// let bob_alone = LinkTerms::until(a_week).for_user("bob");
/// ```
#[derive(Clone, Debug)]
#[must_use = "no link is made until Owned::link is given these"]
pub struct LinkTerms {
    pub(super) until: SystemTime,
    pub(super) bound_name: Option<String>,
    pub(super) label: String,
    pub(super) long_lived: bool,
}

impl LinkTerms {
    /// A link that ends at this time: thirty days from now at the latest.
    pub fn until(end: SystemTime) -> Self {
        Self {
            until: end,
            bound_name: None,
            label: String::new(),
            long_lived: false,
        }
    }

    /// Binds the link to the account of this name: nobody else opens anything with it, and whoever is not logged in is asked to.
    ///
    /// # Security
    ///
    /// As with a grant, a name that nobody has is kept and listed like one that somebody has, and opens nothing, not even for who takes the
    /// name later.
    pub fn for_user(mut self, username: &str) -> Self {
        self.bound_name = Some(Username::normalize(username));
        self
    }

    /// What the owner calls the link: at most a hundred characters in one line. The holder does not see it.
    pub fn label(mut self, label: &str) -> Self {
        label.trim().clone_into(&mut self.label);
        self
    }

    /// Lets the end be later than in thirty days.
    ///
    /// # Security
    ///
    /// What lies in mailboxes and histories for longer is found by more people: bind it to a user, and look through the list now and then.
    pub fn dangerous_long_lived(mut self) -> Self {
        self.long_lived = true;
        self
    }

    /// Whether a link can be made on these terms now.
    pub(super) fn judge(&self, now: SystemTime) -> Result<(), LinkError> {
        let lives = self.until.duration_since(now).unwrap_or_default();
        if lives < Duration::from_secs(1) {
            return Err(LinkError::Ended);
        }
        if lives > LONGEST_LIFE && !self.long_lived {
            return Err(LinkError::TooLong);
        }
        if self.label.chars().count() > LONGEST_LABEL || self.label.contains(char::is_control) {
            return Err(LinkError::Label);
        }
        let is_name = |name: &String| {
            !name.is_empty() && name.chars().count() <= 150 && !name.contains(char::is_control)
        };
        if !self.bound_name.as_ref().is_none_or(is_name) {
            return Err(LinkError::Name);
        }
        Ok(())
    }
}

/// A link that was just made. Its token is told this once: what is kept opens nothing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IssuedLink {
    /// By what the owner takes it back.
    pub id: String,
    /// What its holder gets.
    pub token: Sensitive<String>,
    /// When it ends, in whole seconds.
    pub until: SystemTime,
}

impl IssuedLink {
    /// The address of a route for it: the token in the place of `{token}`.
    ///
    /// # Example
    ///
    /// ```
    /// # use palisade::rows::IssuedLink;
    /// # use palisade::Sensitive;
    /// fn shown(link: &IssuedLink) -> Sensitive<String> {
    ///     link.address("https://vault.example/d/{token}/")
    /// }
    /// ```
    pub fn address(&self, route: &str) -> Sensitive<String> {
        Sensitive::new(route.replace("{token}", self.token.expose()))
    }
}

/// A link in the list of its owner: never with its token, which nobody has kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Link {
    /// By what it is taken back.
    pub id: String,
    /// What the owner calls it.
    pub label: String,
    /// The name that it is bound to; everybody who holds it opens the row, if there is none.
    pub bound_to: Option<String>,
    /// When it ends.
    pub until: SystemTime,
    /// When it was made.
    pub made: SystemTime,
    /// When it was last opened, to the hour; never, if there is nothing.
    pub opened: Option<SystemTime>,
}

impl Link {
    /// Says whether it still counts.
    pub fn counts_at(&self, now: SystemTime) -> bool {
        now < self.until
    }
}

/// Why no link was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// Its end is not in the future.
    #[error("the link would have ended already")]
    Ended,
    /// Its end is later than in thirty days.
    #[error("the link would live longer than thirty days: LinkTerms::dangerous_long_lived lets it")]
    TooLong,
    /// The label is too long, or has more than one line.
    #[error("a link's label is a line of at most {LONGEST_LABEL} characters")]
    Label,
    /// That name cannot be anybody's.
    #[error("that is no user name")]
    Name,
    /// The row was deleted, or given to somebody else, meanwhile.
    #[error("the row is not the user's any more")]
    Gone,
    /// The database of rows.
    #[error(transparent)]
    Rows(#[from] RowError),
    /// The users are out of reach.
    #[error(transparent)]
    Users(#[from] crate::auth::UserStoreError),
}

impl From<LinkError> for Rejection {
    fn from(error: LinkError) -> Self {
        let reason = error.to_string();
        match error {
            LinkError::Ended => {
                Rejection::bad_request(reason).with_hint("That time has passed: choose a later one.")
            }
            LinkError::TooLong => Rejection::bad_request(reason)
                .with_hint("A link lives thirty days at most: choose an earlier end."),
            LinkError::Label => Rejection::bad_request(reason).with_hint(format!(
                "Give the link a name of at most {LONGEST_LABEL} characters, in one line."
            )),
            LinkError::Name => GrantError::Name.into(),
            LinkError::Gone => Rejection::new(StatusCode::NOT_FOUND, reason)
                .with_hint("What the link was to lead to is not there any more."),
            LinkError::Rows(error) => error.into(),
            LinkError::Users(error) => GrantError::Users(error).into(),
        }
    }
}

impl axum::response::IntoResponse for LinkError {
    fn into_response(self) -> axum::response::Response {
        Rejection::from(self).into_response()
    }
}
