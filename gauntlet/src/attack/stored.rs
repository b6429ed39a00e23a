//! `weak-password-storage`: what a thief makes of a stolen table of passwords, and who else comes by one.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use palisade::core::password::{Parameters, identify};
use palisade::core::signing::Algorithm::Sha256;
use palisade::password::hasher::{Hasher, Scheme};

use super::Outcome;
use super::member::{address, join, log_in, opens};
use crate::{Person, Target};

/// How long the thief works on one row.
const BUDGET: Duration = Duration::from_secs(1);

/// How many words stand in the thief's list before the right one.
const WORDS: usize = 300;

/// Long enough to be cut off wherever something is cut off: bcrypt reads 72 bytes.
const LONG: &str =
    "one very long sentence about kettles, marbles, violins and eleven green umbrellas in the rain";

/// Looks for the password itself in the stolen table.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn password_in_the_table(target: &Target) -> Result<Outcome> {
    join(target, Person::VICTIM).await?;
    let rows = rows_of(target, Person::VICTIM.username)?;
    let read = rows.iter().any(|row| row.contains(Person::VICTIM.password));
    Ok(Outcome::new(read, format!("read as it is: {read}")))
}

/// Looks for two people with the same password, to have both for the price of one.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn equal_passwords_seen(target: &Target) -> Result<Outcome> {
    let twin = Person {
        password: Person::VICTIM.password,
        ..Person::ATTACKER
    };
    join(target, Person::VICTIM).await?;
    join(target, twin).await?;
    let (first, second) = (
        rows_of(target, Person::VICTIM.username)?,
        rows_of(target, twin.username)?,
    );
    let equal = first.iter().filter(|row| second.contains(row)).count();
    Ok(Outcome::new(equal > 0, format!("{equal} rows are equal")))
}

/// Tries a list of words on the stolen row, for a second.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn list_of_words_within_a_second(target: &Target) -> Result<Outcome> {
    join(target, Person::VICTIM).await?;
    let mut tried = Vec::new();
    for row in rows_of(target, Person::VICTIM.username)? {
        let (found, words) = cracked(&row, Person::VICTIM.password);
        if found {
            return Ok(Outcome::new(true, format!("found after {words} words")));
        }
        tried.push(words);
    }
    Ok(Outcome::new(
        false,
        format!("{tried:?} words were tried in {BUDGET:?}"),
    ))
}

/// Types what stands in the stolen row as the password.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn hash_typed_as_a_password(target: &Target) -> Result<Outcome> {
    join(target, Person::VICTIM).await?;
    for row in rows_of(target, Person::VICTIM.username)? {
        let mut thief = target.visitor()?;
        let fields = [("username", Person::VICTIM.username), ("password", row.as_str())];
        thief.submit("/login/", &fields).await?;
        if super::member::is_in(&mut thief).await? {
            return Ok(Outcome::new(true, "the stolen text opens the account"));
        }
    }
    Ok(Outcome::new(false, "the stolen text opens nothing"))
}

/// Steals the table after somebody with a hash of old times has logged in, and tries the list on it.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn old_hash_that_stays(target: &Target) -> Result<Outcome> {
    join(target, Person::VICTIM).await?;
    let scheme = Scheme::Pbkdf2 {
        digest: Sha256,
        iterations: 100,
    };
    let old = Hasher::new("pbkdf2_sha256", scheme);
    let old = old.encode(Person::VICTIM.password.as_bytes(), "seasaltseasaltseasalt1")?;
    target.overwrite_password(Person::VICTIM.username, &old)?;
    ensure!(
        cracked(&old, Person::VICTIM.password).0,
        "the old hash is not weak on this machine"
    );
    ensure!(
        opens(target, Person::VICTIM).await?,
        "the old hash does not open the account"
    );
    let left = rows_of(target, Person::VICTIM.username)?;
    let found = left.iter().any(|row| cracked(row, Person::VICTIM.password).0);
    Ok(Outcome::new(
        found,
        format!("the old hash stays: {}", left.contains(&old)),
    ))
}

/// Reads the log after somebody has signed up, mistyped, logged in, and once put the password into the address.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn password_in_the_log(target: &Target) -> Result<Outcome> {
    let mut victim = join(target, Person::VICTIM).await?;
    let mistyped = Person {
        password: "correct horse battery 77",
        ..Person::VICTIM
    };
    log_in(&mut victim.stranger(), mistyped).await?;
    log_in(&mut victim, Person::VICTIM).await?;
    let query = testkit::visitor::form(&[("username", "valerie"), ("password", Person::VICTIM.password)]);
    victim.open(&format!("/login/?{query}")).await?;
    let log = target.log();
    ensure!(!log.is_empty(), "nothing is logged");
    let spoken = ["correct horse", "correct%20horse", "correct+horse"];
    let found = log
        .lines()
        .find(|line| spoken.iter().any(|word| line.contains(word)));
    Ok(Outcome::new(found.is_some(), format!("the log says {found:?}")))
}

/// Types only the beginning of a long password, in case the rest was cut off.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn beginning_of_a_long_password(target: &Target) -> Result<Outcome> {
    let whole = Person {
        password: LONG,
        ..Person::VICTIM
    };
    join(target, whole).await?;
    for length in [64, 72] {
        let start = Person {
            password: LONG.get(..length).unwrap_or(LONG),
            ..whole
        };
        if opens(target, start).await? {
            return Ok(Outcome::new(true, format!("{length} bytes are enough")));
        }
    }
    ensure!(opens(target, whole).await?, "the whole password does not open it");
    Ok(Outcome::new(false, "nothing but the whole opens the account"))
}

/// Asks the sign-up for what everybody guesses first: the best known passwords, one's own name, nothing but digits.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn password_that_everybody_guesses(target: &Target) -> Result<Outcome> {
    let mut taken = Vec::new();
    for (number, password) in ["password", "qwertyuiop", "7351926408", "guessable", "aB3$"]
        .into_iter()
        .enumerate()
    {
        let username = if password == "guessable" {
            password.to_owned()
        } else {
            format!("lazy{number}")
        };
        let email = address(Person::ATTACKER);
        let fields = [
            ("username", username.as_str()),
            ("email", email.as_str()),
            ("password1", password),
            ("password2", password),
        ];
        let reply = target.visitor()?.submit("/signup/", &fields).await?;
        if reply.status.is_redirection() {
            taken.push(password);
        }
    }
    Ok(Outcome::new(!taken.is_empty(), format!("taken: {taken:?}")))
}

/// What a thief has of one person.
fn rows_of(target: &Target, username: &str) -> Result<Vec<String>> {
    let rows: Vec<String> = target
        .stolen_passwords()?
        .into_iter()
        .filter(|(name, _)| name == username)
        .map(|(_, row)| row)
        .collect();
    ensure!(!rows.is_empty(), "there is nothing to steal");
    Ok(rows)
}

/// Tries the list on a row; says whether a word fits, and how many were tried. What is no hash is not tried: it is read.
fn cracked(row: &str, right: &str) -> (bool, usize) {
    let hasher = identify(row)
        .ok()
        .and_then(|algorithm| Hasher::of(algorithm, &Parameters::default()));
    let Some(hasher) = hasher else {
        return (false, 0);
    };
    let begun = Instant::now();
    let mut tried = 0;
    while tried < WORDS && begun.elapsed() < BUDGET {
        let word = format!("{right}{tried}");
        if hasher.verify(word.as_bytes(), row).unwrap_or(false) {
            return (true, tried);
        }
        tried += 1;
    }
    let last = tried == WORDS && hasher.verify(right.as_bytes(), row).unwrap_or(false);
    (last, tried)
}
