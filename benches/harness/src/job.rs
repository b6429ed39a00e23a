//! The jobs that every server is given, and what a right answer to each looks like.

use crate::files;
use crate::ground::Ground;
use crate::server::Server;
use crate::visitor::Account;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Job {
    /// A constant sentence from a router with nothing around it.
    Bare,
    /// The same sentence through the whole stack, asked for by a stranger.
    Stack,
    /// A page that names the logged-in user: one session read and one user read.
    LoggedIn,
    /// A logged-in form post with a CSRF token that changes nothing.
    Post,
    /// The same post, counting in the session: one session write more.
    SessionWrite,
    /// The page that names the user, with session and user in PostgreSQL.
    OnPostgres,
    /// The same page, with the session in Redis and the user in PostgreSQL.
    OnRedis,
    /// A file of 1 KiB, to its owner alone; from nginx to anybody.
    SmallFile,
    /// A file of 1 MiB, likewise.
    LargeFile,
}

impl Job {
    pub const ALL: [Self; 9] = [
        Self::Bare,
        Self::Stack,
        Self::LoggedIn,
        Self::Post,
        Self::SessionWrite,
        Self::OnPostgres,
        Self::OnRedis,
        Self::SmallFile,
        Self::LargeFile,
    ];

    pub fn number(self) -> &'static str {
        match self {
            Self::Bare => "i",
            Self::Stack => "ii",
            Self::LoggedIn => "iii",
            Self::Post => "iv",
            Self::SessionWrite => "v",
            Self::OnPostgres => "vi",
            Self::OnRedis => "vii",
            Self::SmallFile => "viii",
            Self::LargeFile => "ix",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Bare => "(i) bare hello",
            Self::Stack => "(ii) whole stack",
            Self::LoggedIn => "(iii) logged-in GET",
            Self::Post => "(iv) CSRF POST",
            Self::SessionWrite => "(v) session write",
            Self::OnPostgres => "(vi) logged-in GET, PostgreSQL",
            Self::OnRedis => "(vii) logged-in GET, Redis",
            Self::SmallFile => "(viii) file of 1 KiB",
            Self::LargeFile => "(ix) file of 1 MiB",
        }
    }

    /// Where the servers keep their data while they do it.
    pub fn ground(self) -> Ground {
        match self {
            Self::OnPostgres => Ground::Postgres,
            Self::OnRedis => Ground::Redis,
            _ => Ground::Sqlite,
        }
    }

    fn method(self) -> &'static str {
        match self {
            Self::Post | Self::SessionWrite => "POST",
            _ => "GET",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Bare | Self::Stack => "/hello",
            Self::LoggedIn | Self::OnPostgres | Self::OnRedis => "/me",
            Self::Post => "/form",
            Self::SessionWrite => "/count",
            Self::SmallFile => "/documents/1",
            Self::LargeFile => "/documents/2",
        }
    }

    /// Renders the request as it is sent again and again.
    pub fn request(self, server: &Server, account: &Account) -> Vec<u8> {
        let cookies = if matches!(self, Self::Bare | Self::Stack) {
            ""
        } else {
            &account.cookies
        };
        let body = (self.method() == "POST").then_some(account.form.as_str());
        server.request(self.method(), self.path(), cookies, body)
    }

    /// Says whether the body answers this job; `counted` is the last number this session counted to.
    pub fn accepts(self, body: &[u8], counted: &mut Option<u64>) -> bool {
        match self {
            Self::Bare | Self::Stack => body == b"hello, world",
            Self::LoggedIn | Self::OnPostgres | Self::OnRedis => body == b"hello, alice",
            Self::Post => body == b"alice read 11 bytes",
            Self::SmallFile => body == files::small(),
            Self::LargeFile => body == files::large(),
            Self::SessionWrite => {
                let number = body
                    .strip_prefix(b"count=")
                    .and_then(|n| std::str::from_utf8(n).ok()?.parse().ok());
                let follows = counted.is_none_or(|last| number == Some(last + 1));
                *counted = number;
                follows && number.is_some()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_write_that_was_lost_is_a_wrong_answer() {
        let mut counted = None;
        assert!(Job::SessionWrite.accepts(b"count=7", &mut counted));
        assert!(Job::SessionWrite.accepts(b"count=8", &mut counted));
        assert!(!Job::SessionWrite.accepts(b"count=8", &mut counted));
    }

    #[test]
    fn a_page_for_somebody_else_is_a_wrong_answer() {
        assert!(Job::LoggedIn.accepts(b"hello, alice", &mut None));
        assert!(!Job::LoggedIn.accepts(b"hello, bob", &mut None));
        assert!(!Job::SessionWrite.accepts(b"count=", &mut None));
    }
}
