//! Why a router is not protected: what its routes do not say, all of it at once.

use std::fmt;

use crate::access::Access;
use crate::router::RouteLine;
use crate::rows::LinkRule;

/// A router that cannot be protected, with everything that is wrong with it.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub struct ProtectError {
    /// The routes that do not say who may reach them.
    pub without_rule: Vec<String>,
    /// The routes whose rule asks who is logged in, where nobody can be.
    pub without_users: Vec<String>,
    /// The routes that are for everybody, or for who holds a link, and ask for a recent login, which not everybody has.
    pub public_and_recent: Vec<String>,
    /// The routes whose rule asks whose a row is, where there are no rows, or the path does not name one.
    pub rows_untold: Vec<String>,
}

/// The same text: what `main` returns is shown by its `Debug`.
impl fmt::Debug for ProtectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a route's rule can ask.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offered {
    pub(super) users: bool,
    pub(super) rows: bool,
}

impl ProtectError {
    /// Finds what is wrong with these routes.
    pub(super) fn judge(lines: &[RouteLine], offered: Offered) -> Result<(), Self> {
        let mut found = Self {
            without_rule: Vec::new(),
            without_users: Vec::new(),
            public_and_recent: Vec::new(),
            rows_untold: Vec::new(),
        };
        for line in lines {
            match &line.policy.access {
                None => found.without_rule.push(line.path.clone()),
                Some(Access::Public | Access::Link(_)) if line.policy.recent => {
                    found.public_and_recent.push(line.path.clone());
                }
                Some(access) if access.asks_for_a_user() && !offered.users => {
                    found.without_users.push(format!("{} ({access})", line.path));
                }
                Some(access @ (Access::Row(_) | Access::Link(_))) if !offered.rows => {
                    found.rows_untold.push(format!("{} ({access})", line.path));
                }
                Some(Access::Row(rule)) => {
                    found.rows_untold.extend(untold(line, rule, rule.parameter()));
                }
                Some(Access::Link(rule)) => {
                    found
                        .rows_untold
                        .extend(untold(line, rule, LinkRule::parameter()));
                }
                Some(_) => {}
            }
        }
        let nothing = [
            &found.without_rule,
            &found.without_users,
            &found.public_and_recent,
            &found.rows_untold,
        ];
        if nothing.iter().all(|paths| paths.is_empty()) {
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
                "these routes do not say who may reach them; add .public(), .logged_in(), .staff(), .can::<P>(), .owned::<T>(), .reach::<T, R>() or .linked::<T>() to each, or to \
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
        if !self.public_and_recent.is_empty() {
            paragraphs.push(paragraph(
                "these routes are for everybody, or for who holds a link, and ask for a recent login, which not everybody has: say .logged_in(), .staff(), .can::<P>(), .owned::<T>() or \
                 .reach::<T, R>() in the place of .public() or .linked::<T>(), or take .recent() away from each, or from the router that they stand in:",
                &self.public_and_recent,
            ));
        }
        if !self.rows_untold.is_empty() {
            paragraphs.push(paragraph(
                "these routes ask whose a row is, and it cannot be told: give Palisade the rows (with_rows), and the path the parameter \
                 that names one:",
                &self.rows_untold,
            ));
        }
        f.write_str(&paragraphs.join("\n"))
    }
}

/// What is wrong with a path that has to have this parameter once.
fn untold(line: &RouteLine, rule: &dyn fmt::Display, parameter: &str) -> Option<String> {
    let path = &line.path;
    match times_named(path, parameter) {
        1 => None,
        0 => Some(format!("{path} ({rule}): no {{{parameter}}} in it")),
        // The rule would ask for the row of one, and the handler show that of the other.
        _ => Some(format!("{path} ({rule}): more than one {{{parameter}}} in it")),
    }
}

/// How often the path has this parameter.
fn times_named(path: &str, parameter: &str) -> usize {
    let names = |segment: &&str| {
        let inner = segment
            .strip_prefix('{')
            .and_then(|segment| segment.strip_suffix('}'));
        inner == Some(parameter)
    };
    path.split('/').filter(names).count()
}

fn paragraph(sentence: &str, paths: &[String]) -> String {
    let mut text = sentence.to_owned();
    for path in paths {
        text.push_str("\n  ");
        text.push_str(path);
    }
    text
}
