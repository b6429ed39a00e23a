//! `clickjacking`: the victim's page lies invisible over the attacker's, and the victim clicks and types with a real pointer and real keys.
//!
//! The attacker has taken over a subdomain of the site, so that every cookie goes with the frame and nothing but the refusal to be framed
//! is in the way.

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use testkit::Authority;
use testkit::attacker::{Cover, Lure};

use super::Outcome;
use super::framing::framed;
use crate::journey::LOGOUT;
use crate::{Arena, Person, Side};

/// How often the victim clicks on the same place, as a game makes them; a browser drops the first clicks on a frame that has just come.
const CLICKS: usize = 6;

/// The only site that the vault lets frame its widget here.
const PARTNER: &str = "https://attacker.test";

/// Lays the page into a frame that nobody sees, over a button of the attacker's own.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn click_through_an_invisible_frame(arena: &Arena) -> Result<Outcome> {
    clicked(arena, Cover::Frame).await
}

/// Lays it there as an `<object>`, for a site that thinks of frames alone.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn click_through_an_object(arena: &Arena) -> Result<Outcome> {
    clicked(arena, Cover::Object).await
}

/// Lays it there as an `<embed>`.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn click_through_an_embed(arena: &Arena) -> Result<Outcome> {
    clicked(arena, Cover::Embed).await
}

/// Lets the victim type into a field that they do not see, and press Enter.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn words_typed_into_an_invisible_frame(arena: &Arena) -> Result<Outcome> {
    arena.enter(Person::VICTIM).await?;
    arena.open("/profile/").await?;
    let field = place(arena, "[name=first_name]").await?;
    cover(arena, Cover::Frame, "/profile/").await?;
    arena.browser.click_at(field, CLICKS).await?;
    arena.browser.press("Typed\u{e007}").await?;
    arena.browser.click_at(field, 1).await?;
    arena.open("/profile/").await?;
    let name = arena.browser.value("first_name").await?;
    Ok(Outcome::new(
        name.contains("Typed"),
        format!("the victim's first name is now {name:?}"),
    ))
}

/// Frames what one other site may frame, from that site's name in clear and from a subdomain.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn widget_in_a_frame_of_another(side: Side) -> Result<Outcome> {
    let options = ["--widget-origin", PARTNER];
    let arena = Arena::around_target(side.open_with(&options).await?, &Authority::new()?).await?;
    let allowed = framed(&arena, Lure::OtherSite, "/widget/").await?;
    ensure!(
        allowed.succeeded,
        "not even {PARTNER} may frame it: {}",
        allowed.evidence
    );
    let in_clear = framed(&arena, Lure::InClear, "/widget/").await?;
    let sibling = framed(&arena, Lure::Sibling, "/widget/").await?;
    Ok(Outcome::new(
        in_clear.succeeded || sibling.succeeded,
        format!(
            "in clear: {}; from a subdomain: {}",
            in_clear.evidence, sibling.evidence
        ),
    ))
}

/// Lets the victim click where the button that logs out is, and looks whether they still are logged in.
async fn clicked(arena: &Arena, with: Cover) -> Result<Outcome> {
    arena.enter(Person::VICTIM).await?;
    arena.open("/profile/").await?;
    let button = place(arena, LOGOUT).await?;
    cover(arena, with, "/profile/").await?;
    arena.browser.click_at(button, CLICKS).await?;
    arena.open("/").await?;
    let who = arena.who().await?;
    Ok(Outcome::new(who.is_none(), format!("the victim is now {who:?}")))
}

/// Opens the attacker's page, and waits until what covers it is there, or is refused.
async fn cover(arena: &Arena, with: Cover, path: &str) -> Result<()> {
    arena
        .browser
        .open(&arena.trap(Lure::Sibling).cover(with, path))
        .await?;
    arena.browser.result().await?;
    Ok(())
}

/// Where in the window something is, which is also where it is in a frame that fills the window.
async fn place(arena: &Arena, selector: &str) -> Result<(f64, f64)> {
    let script = "const at = document.querySelector(arguments[0]).getBoundingClientRect();
        return [at.x + at.width / 2, at.y + at.height / 2, innerWidth, innerHeight]";
    let found = arena.browser.run(script, &[json!(selector)]).await?;
    let number = |nth: usize| found.get(nth).and_then(serde_json::Value::as_f64);
    let (x, y) = (number(0).context("no place")?, number(1).context("no place")?);
    let (width, height) = (number(2).unwrap_or(0.0), number(3).unwrap_or(0.0));
    ensure!(
        x > 0.0 && y > 0.0 && x < width && y < height,
        "{selector} is at {x}, {y} of {width} × {height}, where nobody clicks"
    );
    Ok((x, y))
}
