//! `credential-guessing`: the letters of a site that go to the wrong person, or tell who is known by not going at all.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::Outcome;
use super::member::{address, join};
use super::recovery::next_link;
use crate::{Person, Target};

/// How long a refusal may take to show.
const PATIENCE: Duration = Duration::from_secs(3);

/// Whose address has letters that others fold into.
const MIKE: Person = Person {
    username: "mike",
    ..Person::VICTIM
};

/// Asks for a link at an address that becomes the victim's once its case is changed, and is the attacker's own.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn address_that_folds_into_the_victims(target: &Target) -> Result<Outcome> {
    join(target, MIKE).await?;
    let strange = [
        "m\u{131}ke@example.com",
        "mi\u{212a}e@example.com",
        "ｍike@example.com",
        "mike@ex\u{e4}mple.com",
    ];
    for email in strange {
        target.visitor()?.submit("/forgot/", &[("email", email)]).await?;
    }
    let before = target
        .mails()?
        .iter()
        .filter(|mail| mail.contains("/reset/"))
        .count();
    target
        .visitor()?
        .submit("/forgot/", &[("email", &address(MIKE))])
        .await?;
    next_link(target, before).await?;
    let sent = target.mails()?;
    let wrong: Vec<&str> = sent
        .iter()
        .filter(|mail| mail.contains("/reset/"))
        .filter_map(|mail| mail.lines().find(|line| line.starts_with("To:")))
        .filter(|to| !to.contains(&address(MIKE)))
        .collect();
    Ok(Outcome::new(
        !wrong.is_empty(),
        format!("of {} letters these go elsewhere: {wrong:?}", sent.len()),
    ))
}

/// Asks for links while no mail can be sent, to see for whom that is a fault.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn accounts_told_apart_by_a_broken_mail(target: &Target) -> Result<Outcome> {
    join(target, Person::VICTIM).await?;
    target.break_mail()?;
    let mut answers = Vec::new();
    for email in [address(Person::VICTIM), "nobody@example.com".to_owned()] {
        let mut mallory = target.visitor()?;
        let begun = Instant::now();
        let reply = mallory.submit("/forgot/", &[("email", &email)]).await?;
        ensure!(
            begun.elapsed() < PATIENCE,
            "the answer took too long to be compared"
        );
        answers.push((reply.status.as_u16(), reply.header("location").to_owned()));
    }
    let differ = answers.first() != answers.last();
    Ok(Outcome::new(differ, format!("{answers:?}")))
}
