//! `credential-guessing`: passwords are tried, in a row and all at once, accounts are told apart, and their owners locked out.

use std::time::SystemTime;

use anyhow::{Result, ensure};
use http::Method;
use http::header::{CONTENT_TYPE, ORIGIN};
use palisade::clock::Clock;
use testkit::Visitor;
use testkit::visitor::{Reply, form};
use tokio::task::JoinSet;

use super::Outcome;
use crate::{Person, Side, Target};

/// What everybody guesses first, as many as an attack needs.
const GUESSES: [&str; 18] = [
    "123456", "password", "qwerty", "letmein", "iloveyou", "admin", "welcome", "monkey", "dragon",
    "football", "abc123", "sunshine", "princess", "111111", "trustno1", "superman", "batman", "shadow",
];

/// Five are free, and ten more take a quarter of an hour.
const AT_ONE_ACCOUNT: usize = 15;

/// Fifty are free, and twenty more take a quarter of an hour.
const FROM_ONE_ADDRESS: usize = 70;

/// Tries a list of passwords at one account, one after another.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn passwords_in_a_row(target: &Target) -> Result<Outcome> {
    sign_up(target, Person::VICTIM).await?;
    let mut attacker = target.visitor()?;
    let mut replies = Vec::new();
    for guess in GUESSES {
        replies.push(try_as(&mut attacker, Person::VICTIM.username, guess).await?);
    }
    Ok(looked_at(&replies, AT_ONE_ACCOUNT))
}

/// Tries the same list all at once, so that no count of one try is seen by another.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn passwords_at_once(target: &Target) -> Result<Outcome> {
    sign_up(target, Person::VICTIM).await?;
    let mut tries = JoinSet::new();
    for guess in GUESSES {
        let mut attacker = target.visitor()?;
        tries.spawn(async move { try_as(&mut attacker, Person::VICTIM.username, guess).await });
    }
    let replies: Result<Vec<Reply>> = tries.join_all().await.into_iter().collect();
    Ok(looked_at(&replies?, AT_ONE_ACCOUNT))
}

/// Tries the list with another `X-Forwarded-For` and the name in another case each time, as if each were another's first try.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn passwords_from_made_up_addresses(target: &Target) -> Result<Outcome> {
    sign_up(target, Person::VICTIM).await?;
    let mut attacker = target.visitor()?;
    let mut replies = Vec::new();
    for (nth, guess) in GUESSES.into_iter().enumerate() {
        let token = attacker.open("/login/").await?.field("csrfmiddlewaretoken");
        let fields = [
            ("username", Person::VICTIM.username),
            ("password", guess),
            ("csrfmiddlewaretoken", token.as_deref().unwrap_or_default()),
        ];
        let address = format!("198.51.100.{nth}");
        let origin = attacker.origin();
        let request = attacker
            .request(Method::POST, "/login/")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ORIGIN, origin)
            .header("x-forwarded-for", &address)
            .header("x-real-ip", &address)
            .header("forwarded", format!("for={address}"));
        replies.push(attacker.send(request, form(&fields).into()).await?);
    }
    Ok(looked_at(&replies, AT_ONE_ACCOUNT))
}

/// Tries one password at many accounts, from one address.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn one_password_at_many_accounts(target: &Target) -> Result<Outcome> {
    let mut attacker = target.visitor()?;
    let mut replies = Vec::new();
    for nth in 0..80 {
        replies.push(try_as(&mut attacker, &format!("person{nth}"), "Winter2026").await?);
    }
    Ok(looked_at(&replies, FROM_ONE_ADDRESS))
}

/// Learns from a wrong password whether there is such an account: from the words, the status or the headers.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn account_told_apart(target: &Target) -> Result<Outcome> {
    sign_up(target, Person::VICTIM).await?;
    compare(target, 1).await
}

/// Learns the same from whether, and when, somebody is told to wait; in no time, since on a busy machine a wait may be over before the
/// next try is.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn account_told_apart_by_the_wait(side: Side) -> Result<Outcome> {
    let target = side.open_at(&Clock::fixed(SystemTime::now())).await?;
    sign_up(&target, Person::VICTIM).await?;
    compare(&target, 7).await
}

/// Fails on purpose until the account is locked; then its owner comes, at the browser that they always use.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn owner_locked_out(target: &Target) -> Result<Outcome> {
    let Person { username, password } = Person::VICTIM;
    let mut owner = sign_up(target, Person::VICTIM).await?;
    let before = try_as(&mut owner, username, password).await?;
    ensure!(
        before.status.is_redirection(),
        "the owner cannot log in anyway: {}",
        before.status
    );
    let mut attacker = target.visitor()?;
    for nth in 0..60 {
        try_as(&mut attacker, username, &format!("wrong{nth}")).await?;
    }
    let after = try_as(&mut owner, username, password).await?;
    Ok(Outcome::new(
        !after.status.is_redirection(),
        format!("the owner was answered with {}", after.status),
    ))
}

/// Whether more guesses were compared with the password than a slow machine's waits let through: then a list is only a matter of its
/// length.
fn looked_at(replies: &[Reply], most: usize) -> Outcome {
    let refused = replies
        .iter()
        .filter(|reply| reply.status == http::StatusCode::TOO_MANY_REQUESTS)
        .count();
    let (all, looked_at) = (replies.len(), replies.len() - refused);
    Outcome::new(
        looked_at > most,
        format!("{looked_at} of {all} guesses were looked at"),
    )
}

/// Asks as often about somebody who is there as about somebody who is not.
async fn compare(target: &Target, tries: usize) -> Result<Outcome> {
    let mut told = Vec::new();
    for username in [Person::VICTIM.username, "nobody1"] {
        let mut attacker = target.visitor()?;
        let mut all = Vec::new();
        for _ in 0..tries {
            let reply = try_as(&mut attacker, username, "wrong").await?;
            let mut names: Vec<String> = reply.headers.keys().map(ToString::to_string).collect();
            names.sort();
            all.push((reply.status, names, words(&reply, username)));
        }
        told.push(all);
    }
    let same = told.first() == told.last();
    let evidence = if same {
        "both are answered alike".to_owned()
    } else {
        format!("{told:?}")
    };
    Ok(Outcome::new(!same, evidence))
}

/// What a page says: without the token, the name that was typed, and numbers, such as that of the request.
fn words(reply: &Reply, username: &str) -> String {
    let text = reply.text();
    let token = reply.field("csrfmiddlewaretoken").unwrap_or_default();
    let text = if token.is_empty() {
        text
    } else {
        text.replace(&token, "")
    };
    let text = text.replace(username, "");
    text.chars().filter(|letter| !letter.is_ascii_digit()).collect()
}

async fn sign_up(target: &Target, person: Person) -> Result<Visitor> {
    let Person { username, password } = person;
    let mut visitor = target.visitor()?;
    let fields = [
        ("username", username),
        ("email", ""),
        ("password1", password),
        ("password2", password),
    ];
    let reply = visitor.submit("/signup/", &fields).await?;
    ensure!(
        reply.status.is_redirection(),
        "no account was made: {}",
        reply.status
    );
    Ok(visitor)
}

async fn try_as(visitor: &mut Visitor, username: &str, password: &str) -> Result<Reply> {
    visitor
        .submit("/login/", &[("username", username), ("password", password)])
        .await
}
