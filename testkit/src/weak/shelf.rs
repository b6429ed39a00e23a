//! What the weak twin remembers: users with their passwords in clear, and sessions that nothing ends.

use std::collections::BTreeMap;

use super::access::Kept;
use super::media::Folder;

/// Everything the site knows.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    pub(super) users: BTreeMap<String, User>,
    /// Who is behind each session id.
    pub(super) sessions: BTreeMap<String, String>,
    /// Mails that were sent.
    pub(super) mails: Vec<String>,
    /// The tokens in them.
    pub(super) tokens: Vec<String>,
    /// What was reported of violated policies.
    pub(super) reports: Vec<String>,
    /// The log.
    pub(super) log: String,
    /// Whether new notes fail.
    pub(super) broken: bool,
    /// Whether mails fail.
    pub(super) no_mail: bool,
    /// All notes by their number.
    pub(super) drawer: Vec<Option<Kept>>,
    /// What was uploaded.
    pub(super) folder: Folder,
    handed_out: u32,
}

/// A user as the site keeps them.
#[derive(Debug, Default, Clone)]
pub(super) struct User {
    pub(super) password: String,
    pub(super) email: String,
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) is_admin: bool,
    /// How many wrong passwords there were since the last right one.
    pub(super) failures: u32,
    pub(super) notes: Vec<(String, String)>,
    /// The secret of the second factor, if there is one.
    pub(super) totp: String,
}

impl Shelf {
    /// Counts on, so that the next id can be guessed.
    pub(super) fn next_session(&mut self) -> String {
        self.handed_out += 1;
        format!("session-{}", self.handed_out)
    }
}

impl User {
    /// Writes a posted field to the user, whichever it is.
    pub(super) fn assign(&mut self, name: &str, value: &str) {
        let text = match name {
            "email" => &mut self.email,
            "first_name" => &mut self.first_name,
            "last_name" => &mut self.last_name,
            "password" => &mut self.password,
            "is_admin" | "isAdmin" | "is_staff" | "is_superuser" => {
                self.is_admin = matches!(value, "true" | "True" | "on" | "1");
                return;
            }
            _ => return,
        };
        value.clone_into(text);
    }
}
