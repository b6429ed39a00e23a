//! Why a router is not protected: what its routes do not say, all of it at once.

use std::fmt;

use crate::router::RouteLine;

/// A router that cannot be protected, with everything that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub struct ProtectError {
    /// The routes that do not say who may reach them.
    pub without_rule: Vec<String>,
    /// The routes whose rule asks who is logged in, where nobody can be.
    pub without_users: Vec<String>,
}

impl ProtectError {
    /// Finds what is wrong with these routes.
    pub(super) fn judge(lines: &[RouteLine], sessions: bool, users: bool) -> Result<(), Self> {
        let mut found = Self {
            without_rule: Vec::new(),
            without_users: Vec::new(),
        };
        for line in lines {
            match &line.policy.access {
                None => found.without_rule.push(line.path.clone()),
                Some(access) if access.asks_for_a_user() && !(sessions && users) => {
                    found.without_users.push(format!("{} ({access})", line.path));
                }
                Some(_) => {}
            }
        }
        if found.without_rule.is_empty() && found.without_users.is_empty() {
            Ok(())
        } else {
            Err(found)
        }
    }
}

impl fmt::Display for ProtectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut paragraphs = Vec::new();
        if !self.without_rule.is_empty() {
            paragraphs.push(paragraph(
                "these routes do not say who may reach them; add .public(), .logged_in(), .staff() or .can::<P>() to each, or to \
                 the router that they stand in:",
                &self.without_rule,
            ));
        }
        if !self.without_users.is_empty() {
            paragraphs.push(paragraph(
                "these routes ask who is logged in, and nobody can be: give Palisade sessions and users (with_sessions, with_users):",
                &self.without_users,
            ));
        }
        f.write_str(&paragraphs.join("\n"))
    }
}

fn paragraph(sentence: &str, paths: &[String]) -> String {
    let mut text = sentence.to_owned();
    for path in paths {
        text.push_str("\n  ");
        text.push_str(path);
    }
    text
}
