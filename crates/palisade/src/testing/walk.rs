//! Walks a protected router: every route, every method, as everybody.
//!
//! 1. Everybody opens every page first (`GET`, `HEAD`, `OPTIONS`); then those who may least send the unsafe requests, and the owner
//!    last of all, deletions at the very end: what one step destroys, a later one does not need.
//! 2. Each request has a fresh session, made by [`Auth::login`] at the application's own stores without its login page, and carries a
//!    valid CSRF proof: so it is the access rule that answers.
//! 3. Each request comes from where the route's gate lets somebody through, with a certificate if it asks for one; and before it the same is
//!    asked from elsewhere, and without: there nobody is to reach it.
//! 4. Each answer is held against the rule that the route states ([`crate::Protected::routes_report`]), as a judge would who has never
//!    seen the handler.
//! 5. Where a route takes links, everybody asks once more with a token that is altered, and must be refused.
//! 6. Where a route asks for a recent login, whom its rule lets through asks once more with a login of long ago, and must be refused.

mod judge;
mod person;
mod report;
mod visit;
mod ways;

use std::collections::BTreeMap;
use std::fmt;

use http::{Method, StatusCode};

pub use person::Who;
pub use report::{Step, WalkError, Walked};

use self::judge::Judge;
use self::person::Person;
use self::visit::{Answer, Login, Visits};
use self::ways::{Shut, Way, Ways};
use crate::access::Access;
use crate::auth::User;
use crate::certificate::ClientCertificate;
use crate::router::RouteLine;
use crate::rows::Role;
use crate::stack::{Palisade, Protected};

/// Every method that a browser or a program may send.
const METHODS: [Method; 7] = [
    Method::GET,
    Method::HEAD,
    Method::OPTIONS,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
];

/// An address at which no application has anything.
const NOWHERE: &str = "/there/is/nothing/that/a/walk/would/find";
/// What a visitor was answered.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Visited {
    /// The status.
    pub status: StatusCode,
    /// Where it leads, if it does.
    pub location: Option<String>,
    /// The body, as text.
    pub text: String,
}

/// Makes one request as somebody, or as nobody, as [`Walk`] does: with a fresh session that no login page was asked for, and with a valid
/// CSRF proof. An unsafe request carries the form.
///
/// # Example
///
/// ```
/// use axum::routing::post;
/// use http::Method;
/// use palisade::auth::{LoggedIn, NewUser, SqliteUsers, UserStore};
/// use palisade::form::{Checked, Form};
/// use palisade::session::MemorySessions;
/// use palisade::sqlite::Sqlite;
/// use palisade::testing::visit;
/// use palisade::{Palisade, Policies, Router, SecretKey, Sensitive, Settings};
///
/// #[derive(Form)]
/// struct Greeting {
///     words: String,
/// }
///
/// async fn greet(user: LoggedIn, form: Checked<Greeting>) -> String {
///     form.validate().map_or_else(|form| form.html(), |form| format!("{}, {}", form.words, user.username))
/// }
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let users = SqliteUsers::new(Sqlite::in_memory()?)?;
/// let new = NewUser { username: "ann".to_owned(), ..NewUser::default() };
/// let no_password = Sensitive::new("!".to_owned());
/// let ann = users.create(new, no_password, std::time::SystemTime::now()).await?;
/// let palisade = Palisade::new(Settings::for_tests(SecretKey::new("a key of tests")))
///     .with_sessions(MemorySessions::new())
///     .with_users(users);
/// let app = palisade.protect(Router::new().route("/greet/", post(greet).logged_in()))?;
///
/// let greeted = visit(&palisade, &app, Some(&ann), Method::POST, "/greet/", "words=good+morning").await?;
/// assert_eq!((greeted.status.as_u16(), greeted.text.as_str()), (200, "good morning, ann"));
/// let refused = visit(&palisade, &app, None, Method::POST, "/greet/", "words=hi").await?;
/// assert!(refused.location.unwrap().starts_with("/login/?next="));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
///
/// # Errors
///
/// When nobody can be let in: there are no sessions or no users, or the user has a second factor.
pub async fn visit(
    palisade: &Palisade,
    app: &Protected,
    user: Option<&User>,
    method: Method,
    path: &str,
    form: &str,
) -> Result<Visited, WalkError> {
    let person = user.map_or_else(Person::nobody, |user| Person::of(Who::Other, user));
    let answer = Visits::new(palisade, app)?
        .ask((&person, Login::JustNow), &method, (path, form), &Way::usual())
        .await?;
    Ok(Visited {
        status: answer.status,
        location: answer.location,
        text: answer.text,
    })
}

/// A walk through a protected application: who takes part, what stands in the paths, and what is excused.
///
/// # Example
///
/// ```
/// use axum::routing::get;
/// use palisade::auth::{LoggedIn, NewUser, SqliteUsers, UserStore};
/// use palisade::session::MemorySessions;
/// use palisade::sqlite::Sqlite;
/// use palisade::testing::Walk;
/// use palisade::{Palisade, Policies, Router, SecretKey, Sensitive, Settings};
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let users = SqliteUsers::new(Sqlite::in_memory()?)?;
/// let mut people = Vec::new();
/// for name in ["ann", "bob"] {
///     let new = NewUser { username: name.to_owned(), ..NewUser::default() };
///     people.push(users.create(new, Sensitive::new("!".to_owned()), std::time::SystemTime::now()).await?);
/// }
/// let palisade = Palisade::new(Settings::for_development(SecretKey::new("a key for this example only")))
///     .with_sessions(MemorySessions::new())
///     .with_users(users);
///
/// // Whoever is logged in reads everybody's notes: the handler asks for nothing, and the rule does not ask whose it is.
/// let app = palisade.protect(Router::new().route("/notes/{id}", get(async || "a note").logged_in()))?;
/// let walk = Walk::new(&palisade, &app).owner(&people[0]).other(&people[1]).param("id", "1");
/// let wrong = walk.run().await.unwrap_err();
/// assert!(wrong.to_string().contains("answers another user as it answers the owner"), "{wrong}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
///
/// # Security
///
/// It sees statuses, redirects and the texts that [`Walk::secret`] names. A route that ought to have a gate and has none is walked like any. A page that shows somebody else's data under a name that it was not
/// told of passes.
#[derive(Debug)]
#[must_use = "nothing is walked until run is called"]
pub struct Walk<'a> {
    palisade: &'a Palisade,
    app: &'a Protected,
    people: Vec<Person>,
    parameters: BTreeMap<String, String>,
    parameters_at: BTreeMap<(String, String), String>,
    bodies: BTreeMap<String, String>,
    secrets: Vec<String>,
    everybody_may: BTreeMap<String, &'static str>,
    left_out: BTreeMap<String, &'static str>,
    certificate: Option<ClientCertificate>,
}

impl<'a> Walk<'a> {
    /// Prepares to walk what `palisade` protects as `app`. Nobody takes part from the beginning.
    pub fn new(palisade: &'a Palisade, app: &'a Protected) -> Self {
        Self {
            palisade,
            app,
            people: vec![Person::nobody()],
            parameters: BTreeMap::new(),
            parameters_at: BTreeMap::new(),
            bodies: BTreeMap::new(),
            secrets: Vec::new(),
            everybody_may: BTreeMap::new(),
            left_out: BTreeMap::new(),
            certificate: None,
        }
    }

    /// Takes the owner along, to whom the rows belong that the parameters name.
    pub fn owner(self, user: &User) -> Self {
        self.person(Who::Owner, user)
    }

    /// Takes a user along who owns nothing of it and was granted nothing.
    pub fn other(self, user: &User) -> Self {
        self.person(Who::Other, user)
    }

    /// Takes staff along: a user with `is_staff` who owns nothing of it either.
    pub fn staff(self, user: &User) -> Self {
        self.person(Who::Staff, user)
    }

    /// Takes a user along to whom the owner granted the rows.
    pub fn granted(self, role: Role, user: &User) -> Self {
        self.person(Who::Granted(role), user)
    }

    fn person(mut self, who: Who, user: &User) -> Self {
        self.people.push(Person::of(who, user));
        self
    }

    /// Puts this in the place of every parameter of that name: what is the owner's.
    pub fn param(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.parameters.insert(name.to_owned(), value.to_string());
        self
    }

    /// Puts this in the place of a parameter of one route, whose path is given as in the report.
    pub fn param_at(mut self, path: &str, name: &str, value: impl fmt::Display) -> Self {
        let key = (path.to_owned(), name.to_owned());
        self.parameters_at.insert(key, value.to_string());
        self
    }

    /// Sends this form, URL-encoded, with unsafe requests to one route; others are sent an empty one.
    pub fn form(mut self, path: &str, body: &str) -> Self {
        self.bodies.insert(path.to_owned(), body.to_owned());
        self
    }

    /// Names a text that nobody but the owner, and whom the owner granted it, may find in any answer: a list that leaks is found by it.
    pub fn secret(mut self, text: impl Into<String>) -> Self {
        self.secrets.push(text.into());
        self
    }

    /// Excuses a route with a parameter that answers every user alike, such as the page of a product, with the reason.
    pub fn everybody_may(mut self, path: &str, reason: &'static str) -> Self {
        self.everybody_may.insert(path.to_owned(), reason);
        self
    }

    /// Leaves a route out, with the reason: for what a test must not do.
    pub fn leave_out(mut self, path: &str, reason: &'static str) -> Self {
        self.left_out.insert(path.to_owned(), reason);
        self
    }

    /// Shows this certificate to routes that ask for one, where the handlers look at whose it is
    /// ([`ClientCertificate::dangerous_unverified`]); without a word of yours they are shown one of nobody.
    pub fn certificate(mut self, certificate: ClientCertificate) -> Self {
        self.certificate = Some(certificate);
        self
    }

    /// Walks.
    ///
    /// # Errors
    ///
    /// [`WalkError`] with each step that was answered otherwise than the route's rule says, or that proves nothing; or the stores cannot
    /// make a session. Its `Debug` is the same table, so that `unwrap` shows it.
    pub async fn run(self) -> Result<Walked, WalkError> {
        let mut steps = Vec::new();
        let visits = Visits::new(self.palisade, self.app)?;
        let known: Vec<&str> = self
            .app
            .routes_report()
            .lines()
            .iter()
            .map(|line| line.path.as_str())
            .collect();
        let named = self
            .everybody_may
            .keys()
            .chain(self.left_out.keys())
            .chain(self.bodies.keys());
        for path in named.chain(self.parameters_at.keys().map(|(path, _)| path)) {
            if !known.contains(&path.as_str()) {
                steps.push(Step::about(
                    path,
                    "there is no such route: the paths are those of the report",
                ));
            }
        }
        for who in [Who::Owner, Who::Other] {
            if !self.people.iter().any(|person| person.who == who) {
                steps.push(Step::about(
                    "(people)",
                    format!("{who} does not take part: nothing is proved without"),
                ));
            }
        }
        let judge = Judge::new(self.palisade, &self.people, &self.secrets).await?;
        let certificate = match &self.certificate {
            Some(certificate) => certificate.clone(),
            None => ways::certificate()?,
        };
        for phase in Phase::ALL {
            for line in self.in_order(phase) {
                let (path, ways) = match self.reached(line, &certificate) {
                    Ok(Some(reached)) => reached,
                    Ok(None) => continue,
                    Err(missing) => {
                        if phase == Phase::Safe {
                            steps.push(Step::about(&line.path, missing));
                        }
                        continue;
                    }
                };
                for method in METHODS.iter().filter(|method| phase.has(method)) {
                    if let Some(Access::Link(_)) = line.policy.access {
                        self.try_altered(&visits, phase, (line, &path, method, &ways.open), &mut steps)
                            .await?;
                    }
                    for shut in &ways.shut {
                        self.try_gate(&visits, &judge, phase, (line, &path, method, shut), &mut steps)
                            .await?;
                    }
                    self.ask(
                        &visits,
                        &judge,
                        phase,
                        (line, &path, method, &ways.open),
                        &mut steps,
                    )
                    .await?;
                }
            }
        }
        Walked::of(steps)
    }

    /// Asks one route by one method as everybody whose turn it is.
    async fn ask(
        &self,
        visits: &Visits<'_>,
        judge: &Judge<'_>,
        phase: Phase,
        (line, path, method, way): (&RouteLine, &str, &Method, &Way),
        steps: &mut Vec<Step>,
    ) -> Result<(), WalkError> {
        let body = self.bodies.get(&line.path).map_or("", String::as_str);
        let mut answers: Vec<(&Person, Answer)> = Vec::new();
        for person in self.people.iter().filter(|person| phase.is_turn_of(person.who)) {
            // First: the owner's own request may be a deletion.
            if line.policy.recent && judge.may(line, person) {
                let login = (person, Login::LongAgo);
                let answer = visits.ask(login, method, (path, body), way).await?;
                let why = Judge::judge_long_ago(line, method, &answer);
                steps.push(Step::new(
                    line,
                    method,
                    (person.who, Login::LongAgo),
                    &answer,
                    why,
                ));
            }
            let answer = visits
                .ask((person, Login::JustNow), method, (path, body), way)
                .await?;
            answers.push((person, answer));
        }
        let owners = answers.iter().find(|(person, _)| person.who == Who::Owner);
        let owners = owners.map(|(_, answer)| answer.clone());
        for (person, answer) in answers {
            let mut why = judge.judge(line, method, person, &answer);
            let excused = self.everybody_may.contains_key(&line.path);
            if why.is_none() && !excused {
                why = Judge::tells_apart(line, person, &answer, owners.as_ref());
            }
            steps.push(Step::new(
                line,
                method,
                (person.who, Login::JustNow),
                &answer,
                why,
            ));
        }
        Ok(())
    }

    /// Asks one route by one method on a way on which nobody reaches it.
    async fn try_gate(
        &self,
        visits: &Visits<'_>,
        judge: &Judge<'_>,
        phase: Phase,
        (line, path, method, shut): (&RouteLine, &str, &Method, &Shut),
        steps: &mut Vec<Step>,
    ) -> Result<(), WalkError> {
        let body = self.bodies.get(&line.path).map_or("", String::as_str);
        for person in self.people.iter().filter(|person| phase.is_turn_of(person.who)) {
            let login = (person, Login::JustNow);
            let answer = visits.ask(login, method, (path, body), &shut.way).await?;
            // Where nothing is, an application may answer with a page of its own.
            let nothing = visits.ask(login, method, (NOWHERE, body), &shut.way).await?;
            let why = judge.at_gate(shut, &answer, &nothing);
            steps.push(Step {
                rule: shut.name.clone(),
                ..Step::new(line, method, (person.who, Login::JustNow), &answer, why)
            });
        }
        Ok(())
    }

    /// Asks one route by one method with a link that nobody made.
    async fn try_altered(
        &self,
        visits: &Visits<'_>,
        phase: Phase,
        (line, path, method, way): (&RouteLine, &str, &Method, &Way),
        steps: &mut Vec<Step>,
    ) -> Result<(), WalkError> {
        let body = self.bodies.get(&line.path).map_or("", String::as_str);
        let altered = altered(&line.path, path);
        for person in self.people.iter().filter(|person| phase.is_turn_of(person.who)) {
            let login = (person, Login::JustNow);
            let answer = visits.ask(login, method, (&altered, body), way).await?;
            let why = Judge::judge_altered(line, method, &answer);
            steps.push(Step {
                rule: format!("{}, altered", line.who()),
                ..Step::new(line, method, (person.who, Login::JustNow), &answer, why)
            });
        }
        Ok(())
    }

    /// The path of a route and the ways to it, as [`Walk::path_of`] finds it.
    fn reached(
        &self,
        line: &RouteLine,
        certificate: &ClientCertificate,
    ) -> Result<Option<(String, Ways)>, String> {
        let Some(path) = self.path_of(line)? else {
            return Ok(None);
        };
        Ok(Some((path, Ways::of(&line.policy.gate, certificate)?)))
    }

    /// The routes in the order of a phase: in the last, deletions come at the end.
    fn in_order(&self, phase: Phase) -> Vec<&RouteLine> {
        let mut lines: Vec<_> = self.app.routes_report().lines().iter().collect();
        if phase == Phase::UnsafeOfOwner {
            lines.sort_by_key(|line| {
                let word = line.path.to_ascii_lowercase();
                ["delete", "remove", "end", "close"]
                    .iter()
                    .any(|end| word.contains(end))
                    || line.methods.contains(&Method::DELETE)
            });
        }
        lines
    }

    /// The path with values in it; nothing for what is not walked, and a sentence for what cannot be.
    fn path_of(&self, line: &RouteLine) -> Result<Option<String>, String> {
        if self.left_out.contains_key(&line.path) || line.path.ends_with("(anything else)") {
            return Ok(None);
        }
        if line.path.contains('(') {
            return Err("the paths of an axum::Router are not known here: make it a palisade::Router, or leave it out".to_owned());
        }
        let mut path = Vec::new();
        for segment in line.path.split('/') {
            let Some(name) = segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) else {
                path.push(segment.to_owned());
                continue;
            };
            let name = name.trim_start_matches('*');
            let own = self.parameters_at.get(&(line.path.clone(), name.to_owned()));
            let value = own.or_else(|| self.parameters.get(name)).ok_or_else(|| {
                format!("nothing to put in the place of {{{name}}}: say .param({name:?}, …)")
            })?;
            path.push(value.clone());
        }
        Ok(Some(path.join("/")))
    }
}

/// The path with another letter in the middle of each token.
fn altered(route: &str, path: &str) -> String {
    let mut parts = Vec::new();
    for (name, part) in route.split('/').zip(path.split('/')) {
        let middle = part.chars().count() / 2;
        let letter = |(at, letter)| match letter {
            _ if at != middle => letter,
            'a' => 'b',
            _ => 'a',
        };
        parts.push(if name == "{token}" {
            part.chars().enumerate().map(letter).collect()
        } else {
            part.to_owned()
        });
    }
    parts.join("/")
}

/// What is asked when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Safe,
    UnsafeOfOthers,
    UnsafeOfOwner,
}

impl Phase {
    const ALL: [Self; 3] = [Self::Safe, Self::UnsafeOfOthers, Self::UnsafeOfOwner];

    fn has(self, method: &Method) -> bool {
        method.is_safe() == (self == Self::Safe)
    }

    fn is_turn_of(self, who: Who) -> bool {
        match self {
            Self::Safe => true,
            Self::UnsafeOfOthers => who != Who::Owner,
            Self::UnsafeOfOwner => who == Who::Owner,
        }
    }
}
