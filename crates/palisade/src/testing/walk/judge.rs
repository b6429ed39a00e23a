//! What an answer may be, by the rule that the route states.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use palisade_core::Threat;
use palisade_core::permission::Permissions;

use super::person::{Person, Who};
use super::report::WalkError;
use super::visit::Answer;
use super::ways::Shut;
use crate::access::Access;
use crate::router::RouteLine;
use crate::rows::RowRule;
use crate::stack::Palisade;

/// Knows what each person may do.
pub(super) struct Judge<'a> {
    permissions: BTreeMap<Who, Permissions>,
    secrets: &'a [String],
}

impl Answer {
    /// Nothing was given: not let in, not there, or sent to the login page or to give the password once more.
    fn refuses(&self) -> bool {
        let refused = [
            StatusCode::UNAUTHORIZED,
            StatusCode::FORBIDDEN,
            StatusCode::NOT_FOUND,
        ];
        refused.contains(&self.status) || self.leads_to_login
    }

    /// Something was given or done.
    fn gives(&self) -> bool {
        self.status.is_success() || (self.status.is_redirection() && !self.leads_to_login)
    }
}

impl<'a> Judge<'a> {
    pub(super) async fn new(
        palisade: &Palisade,
        people: &[Person],
        secrets: &'a [String],
    ) -> Result<Self, WalkError> {
        let mut permissions = BTreeMap::new();
        for person in people {
            let Some(user) = &person.user else { continue };
            let users = palisade.users();
            let users = users.ok_or_else(|| WalkError::stopped("there are no users".to_owned()))?;
            let known = users.store().permissions(user).await;
            let known = known.map_err(|error| WalkError::stopped(error.to_string()))?;
            permissions.insert(person.who, known);
        }
        Ok(Self { permissions, secrets })
    }

    /// Says what is wrong with an answer by itself.
    pub(super) fn judge(
        &self,
        line: &RouteLine,
        method: &Method,
        person: &Person,
        answer: &Answer,
    ) -> Option<String> {
        if let Some(nothing) = Self::proves_nothing(answer) {
            return Some(nothing.to_owned());
        }
        let may = self.may(line, person);
        if !may && !Self::is_declared(line, method) && answer.status == StatusCode::METHOD_NOT_ALLOWED {
            return None;
        }
        if !may && !answer.refuses() {
            return Some(format!(
                "{} must be refused: 401, 403, 404 or the login page",
                person.who
            ));
        }
        if !Self::is_declared(line, method) && answer.gives() && *method != Method::OPTIONS {
            return Some("the route does not have this method, and answers it".to_owned());
        }
        if person.who == Who::Owner
            && may
            && Self::is_declared(line, method)
            && is_refused_by_the_rule(line, method, answer)
        {
            return Some(
                "the owner is refused, so that a refusal of others proves nothing: are the parameters right?"
                    .to_owned(),
            );
        }
        let is_linked = matches!(line.policy.access, Some(Access::Link(_)));
        let knows = is_linked || matches!(person.who, Who::Owner | Who::Granted(_));
        if !knows && self.secrets.iter().any(|secret| answer.text.contains(secret)) {
            return Some("what only the owner may see stands in the answer".to_owned());
        }
        None
    }

    /// Says what is wrong with an answer on a way on which nobody reaches the route: a hidden one is answered as an address where nothing is.
    pub(super) fn at_gate(&self, shut: &Shut, answer: &Answer, nothing: &Answer) -> Option<String> {
        let is_shut = if shut.hides {
            answer.status == nothing.status
        } else {
            answer.status == StatusCode::FORBIDDEN
        };
        if !is_shut {
            return Some("its gate does not hold".to_owned());
        }
        let leaks = self.secrets.iter().any(|secret| answer.text.contains(secret));
        leaks.then(|| "what only the owner may see stands in the answer".to_owned())
    }

    /// Says what is wrong with an answer to somebody whom the rule lets through, and whose login is long ago.
    pub(super) fn judge_long_ago(line: &RouteLine, method: &Method, answer: &Answer) -> Option<String> {
        if let Some(nothing) = Self::proves_nothing(answer) {
            return Some(nothing.to_owned());
        }
        let has_no_such_method =
            !Self::is_declared(line, method) && answer.status == StatusCode::METHOD_NOT_ALLOWED;
        (!answer.refuses() && !has_no_such_method)
            .then(|| "asks for a recent login, and lets one of long ago through".to_owned())
    }

    /// Says what is wrong with an answer to somebody who has altered a link.
    pub(super) fn judge_altered(line: &RouteLine, method: &Method, answer: &Answer) -> Option<String> {
        if let Some(nothing) = Self::proves_nothing(answer) {
            return Some(nothing.to_owned());
        }
        let has_no_such_method =
            !Self::is_declared(line, method) && answer.status == StatusCode::METHOD_NOT_ALLOWED;
        (!answer.refuses() && !has_no_such_method).then(|| "is opened by a link that nobody made".to_owned())
    }

    /// Why an answer says nothing of the rule, if it does not.
    fn proves_nothing(answer: &Answer) -> Option<&'static str> {
        if answer.status.is_server_error() {
            return Some("the handler fails");
        }
        (answer.threat == Some(Threat::CrossSiteRequestForgery))
            .then_some("the CSRF proof was refused, so that the rule was not asked: nothing is proved")
    }

    /// A route with a parameter whose rule does not ask whose it is has to tell people apart by itself.
    pub(super) fn tells_apart(
        line: &RouteLine,
        person: &Person,
        answer: &Answer,
        owners: Option<&Answer>,
    ) -> Option<String> {
        let is_asked = line.policy.access == Some(Access::LoggedIn);
        let is_stranger = matches!(person.who, Who::Other | Who::Staff);
        if !is_asked || !is_stranger || !line.path.contains('{') || !answer.gives() {
            return None;
        }
        // Unsafe requests of the owner come later: there, that anything is given is enough to ask for a reason.
        let alike = owners.is_none_or(|owners| owners.status == answer.status);
        alike.then(|| {
            "answers another user as it answers the owner: give it .owned::<T>() or .reach::<T, R>(), or excuse it with everybody_may"
                .to_owned()
        })
    }

    fn is_declared(line: &RouteLine, method: &Method) -> bool {
        line.methods.is_empty() || line.methods.contains(method)
    }

    /// Whether the rule lets the person through.
    pub(super) fn may(&self, line: &RouteLine, person: &Person) -> bool {
        match &line.policy.access {
            None => false,
            // Of a link, what stands in the path is one that is bound to nobody.
            Some(Access::Public | Access::Link(_)) => true,
            Some(Access::LoggedIn) => person.user.is_some(),
            Some(Access::Staff) => person.user.as_ref().is_some_and(|user| user.is_staff),
            Some(Access::Permission(name)) => {
                let known = self.permissions.get(&person.who);
                known.is_some_and(|permissions| permissions.has_perm(name))
            }
            Some(Access::Row(rule)) => may_reach(rule, person.who),
        }
    }
}

/// What the owner is refused before the handler. One that is gone after the owner's own deletion is not looked for.
fn is_refused_by_the_rule(line: &RouteLine, method: &Method, answer: &Answer) -> bool {
    match &line.policy.access {
        Some(Access::Public) | None => false,
        Some(Access::Row(_) | Access::Link(_)) if method.is_safe() => answer.refuses(),
        _ => answer.status == StatusCode::UNAUTHORIZED || answer.leads_to_login,
    }
}

fn may_reach(rule: &RowRule, who: Who) -> bool {
    match who {
        Who::Owner => true,
        Who::Granted(role) => rule.role().is_some_and(|needed| role >= needed),
        _ => false,
    }
}
