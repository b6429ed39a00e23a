//! What mails about accounts say, in the site's own words where it has some.

use std::fmt;
use std::time::Duration;

/// A subject and a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wording {
    /// The subject, of one line.
    pub subject: String,
    /// The text.
    pub text: String,
}

/// Whom a mail is for, and which site it is from.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Addressee<'a> {
    /// The name to log in with.
    pub username: &'a str,
    /// The site's address.
    pub site: &'a str,
}

/// What has happened to an account, which its owner should hear of from somebody else than who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccountEvent {
    /// The password was changed by somebody who knew the old one.
    PasswordChanged,
    /// The password was reset through a link in a mail.
    PasswordReset,
    /// Mails go to another address from now on; this goes to the older one.
    AddressChanged,
    /// A second factor is asked for from now on.
    SecondFactorAdded,
    /// No second factor is asked for any more.
    SecondFactorRemoved,
    /// A recovery code was used in place of the second factor.
    RecoveryCodeUsed,
    /// New recovery codes were made; the older ones are dead.
    RecoveryCodesRenewed,
}

/// Writes the mails about accounts. Each has words of ours, in English; a site overrides what it wants to say itself.
///
/// # Example
///
/// ```
/// use std::time::Duration;
///
/// use palisade::auth::{Addressee, Letters, Wording};
///
/// #[derive(Debug)]
/// struct InGerman;
///
/// impl Letters for InGerman {
///     fn password_reset(&self, to: Addressee<'_>, link: &str, _valid: Duration) -> Wording {
///         Wording {
///             subject: "Neues Passwort".to_owned(),
///             text: format!("Hallo {},\n\nhier entlang:\n\n{link}\n", to.username),
///         }
///     }
/// }
/// ```
pub trait Letters: fmt::Debug + Send + Sync + 'static {
    /// The mail with the link that resets a password, and for how long that works.
    fn password_reset(&self, to: Addressee<'_>, link: &str, valid: Duration) -> Wording {
        let Addressee { username, site } = to;
        let valid = spoken(valid);
        Wording {
            subject: format!("Reset your password at {}", name(site)),
            text: format!(
                "Hello {username},\n\nsomebody, hopefully you, has asked to reset the password of your account at {site}.\n\n\
                 To choose a new password, open this address:\n\n{link}\n\nIt works once, and for {valid}. If you have not asked for \
                 it, there is nothing to do: your password stays as it is.\n"
            ),
        }
    }

    /// The mail that tells what has happened to an account.
    fn account_event(&self, to: Addressee<'_>, event: AccountEvent) -> Wording {
        let Addressee { username, site } = to;
        let what = match event {
            AccountEvent::PasswordChanged => "The password of your account was changed",
            AccountEvent::PasswordReset => {
                "The password of your account was reset, and you are logged out everywhere"
            }
            AccountEvent::AddressChanged => {
                "The e-mail address of your account was changed, and this is the last mail to this one"
            }
            AccountEvent::SecondFactorAdded => "A second factor is asked for from now on when you log in",
            AccountEvent::SecondFactorRemoved => "The second factor of your account was removed",
            AccountEvent::RecoveryCodeUsed => "A recovery code was used to log in to your account",
            AccountEvent::RecoveryCodesRenewed => {
                "New recovery codes were made for your account; the older ones no longer work"
            }
        };
        let otherwise = match event {
            // A link to reset the password would go to the other address.
            AccountEvent::AddressChanged => {
                "write to those who run the site, at once: from now on a forgotten password is reset through the other address"
            }
            _ => "reset your password there, and look at where you are logged in",
        };
        Wording {
            subject: format!("Your account at {}", name(site)),
            text: format!(
                "Hello {username},\n\n{what}: {site}\n\nIf that was you, there is nothing to do. If it was not, {otherwise}.\n"
            ),
        }
    }
}

/// Our own words.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PlainLetters;

impl Letters for PlainLetters {}

/// The site's name: its address without the scheme, and without the slash that ends it.
fn name(site: &str) -> &str {
    let name = site.split_once("://").map_or(site, |(_, name)| name);
    name.trim_end_matches('/')
}

fn spoken(valid: Duration) -> String {
    let hours = valid.as_secs() / 3600;
    match (hours, valid.as_secs() / 60) {
        (48.., _) => format!("{} days", hours / 24),
        (2.., _) => format!("{hours} hours"),
        (_, minutes) => format!("{minutes} minutes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_address_is_not_told_to_reset_a_password_through_the_newer_one() {
        let to = Addressee {
            username: "ada",
            site: "https://vault.example",
        };
        let told = |event| PlainLetters.account_event(to, event).text;
        assert!(told(AccountEvent::PasswordChanged).contains("reset your password"));
        let moved = told(AccountEvent::AddressChanged);
        assert!(!moved.contains("reset your password"), "{moved}");
        assert!(moved.contains("write to those who run the site"), "{moved}");
    }

    #[test]
    fn time_is_said_as_people_say_it() {
        for (seconds, words) in [
            (259_200, "3 days"),
            (7200, "2 hours"),
            (3600, "60 minutes"),
            (86_400, "24 hours"),
        ] {
            assert_eq!(spoken(Duration::from_secs(seconds)), words);
        }
    }
}
