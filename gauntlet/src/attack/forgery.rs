//! `cross-site-request-forgery`: another site makes the victim's browser change something.
//!
//! The victim is logged in while they visit the attacker's page. Whether the forgery worked is read from the victim's
//! own profile afterwards.

use anyhow::{Result, ensure};
use testkit::attacker::Lure;

use super::Outcome;
use crate::{Arena, Person};

/// A token as long as those that Django makes.
const TOKEN: &str = "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbb";

/// Posts the victim's profile form from a page that submits itself.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn forged_form_post(arena: &Arena, lure: Lure) -> Result<Outcome> {
    arena.enter(Person::VICTIM).await?;
    let forged = format!("Form {lure:?}");
    deliver(
        arena,
        &arena.trap(lure).forged_form("/profile/", &profile(&forged)),
    )
    .await?;
    judge(arena, &forged).await
}

/// Posts it from a page that hides where it comes from, for a site that believes what has no origin.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn forged_form_post_without_origin(arena: &Arena, lure: Lure) -> Result<Outcome> {
    arena.enter(Person::VICTIM).await?;
    let forged = format!("Null {lure:?}");
    let trap = arena
        .trap(lure)
        .forged_form_without_origin("/profile/", &profile(&forged));
    deliver(arena, &trap).await?;
    judge(arena, &forged).await
}

/// Reads the token off the victim's own page by script, and posts the form with it.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn forged_fetch_with_stolen_token(arena: &Arena, lure: Lure) -> Result<Outcome> {
    arena.enter(Person::VICTIM).await?;
    let forged = format!("Stolen {lure:?}");
    let trap = arena
        .trap(lure)
        .forged_fetch_with_stolen_token("/profile/", &profile(&forged));
    arena.browser.open(&trap).await?;
    arena.browser.result().await?;
    judge(arena, &forged).await
}

/// Plants a token of the attacker's choice as a cookie and posts a form that carries the same token.
///
/// Checking only that cookie and form agree is no defence against a subdomain.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn forged_form_post_with_planted_token(arena: &Arena) -> Result<Outcome> {
    arena.enter(Person::VICTIM).await?;
    let forged = "Token".to_owned();
    let trap = arena.trap(Lure::Sibling);
    arena
        .browser
        .open(&trap.planted_cookie("csrftoken", TOKEN))
        .await?;
    let planted = arena
        .browser
        .cookies()
        .await?
        .into_iter()
        .any(|cookie| cookie.value() == TOKEN);
    ensure!(planted, "the browser took no cookie for the whole domain");
    let fields = [&profile(&forged)[..], &[("csrfmiddlewaretoken", TOKEN)]].concat();
    deliver(arena, &trap.forged_form("/profile/", &fields)).await?;
    judge(arena, &forged).await
}

/// Posts the victim's profile form by script, with their cookies.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn forged_fetch(arena: &Arena, lure: Lure) -> Result<Outcome> {
    arena.enter(Person::VICTIM).await?;
    let forged = format!("Fetch {lure:?}");
    arena
        .browser
        .open(&arena.trap(lure).forged_fetch("/profile/", &profile(&forged)))
        .await?;
    arena.browser.result().await?;
    judge(arena, &forged).await
}

/// Does the same with the header in which scripts send a token, its value guessed.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn forged_fetch_with_guessed_token(arena: &Arena, lure: Lure) -> Result<Outcome> {
    arena.enter(Person::VICTIM).await?;
    let forged = format!("Header {lure:?}");
    arena
        .browser
        .open(
            &arena
                .trap(lure)
                .forged_fetch_with_header("/profile/", &profile(&forged)),
        )
        .await?;
    arena.browser.result().await?;
    judge(arena, &forged).await
}

/// Logs the victim in as the attacker, so that what they write next is the attacker's to read.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn forged_login(arena: &Arena, lure: Lure) -> Result<Outcome> {
    arena.sign_up(Person::ATTACKER).await?;
    let Person { username, password } = Person::ATTACKER;
    let fields = [("username", username), ("password", password)];
    deliver(arena, &arena.trap(lure).forged_form("/login/", &fields)).await?;
    arena.open("/").await?;
    let who = arena.who().await?;
    Ok(Outcome::new(
        who.as_deref() == Some(username),
        format!("the victim is addressed as {who:?}"),
    ))
}

/// Logs the victim out, by a page that submits itself.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn forged_logout(arena: &Arena, lure: Lure) -> Result<Outcome> {
    arena.enter(Person::VICTIM).await?;
    deliver(arena, &arena.trap(lure).forged_form("/logout/", &[])).await?;
    arena.open("/").await?;
    let who = arena.who().await?;
    Ok(Outcome::new(
        who.is_none(),
        format!("the victim is addressed as {who:?}"),
    ))
}

/// Fills in the victim's profile with a name by which the forgery is known again.
fn profile(forged: &str) -> [(&'static str, &str); 3] {
    [
        ("first_name", forged),
        ("last_name", "Name"),
        ("email", "mallory@attacker.test"),
    ]
}

/// Opens a page that submits itself, and waits until the site under attack has answered.
async fn deliver(arena: &Arena, trap: &str) -> Result<()> {
    arena.browser.open(trap).await?;
    arena.browser.arrive(&arena.target.url("/")).await
}

async fn judge(arena: &Arena, forged: &str) -> Result<Outcome> {
    let answer = format!(
        "{} was answered with {}",
        arena.browser.url().await?,
        arena.browser.status().await?
    );
    arena.open("/profile/").await?;
    let name = arena.browser.value("first_name").await?;
    Ok(Outcome::new(
        name == forged,
        format!("{answer}; the victim's first name is now {name:?}"),
    ))
}
