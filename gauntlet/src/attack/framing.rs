//! `clickjacking`: another site shows the victim's page in a frame and lends their clicks.

use anyhow::Result;
use testkit::Authority;
use testkit::attacker::Lure;

use super::Outcome;
use crate::journey::LOGOUT;
use crate::{Arena, Person, Side};

/// Frames a page of the logged-in victim and presses a button in it.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn lent_click(arena: &Arena, lure: Lure) -> Result<Outcome> {
    arena.enter(Person::VICTIM).await?;
    arena.browser.open(&arena.trap(lure).frame("/profile/")).await?;
    arena.browser.result().await?;
    arena.browser.enter_frame().await?;
    let framed = arena.browser.framed_url().await?;
    if arena.browser.has(LOGOUT).await? {
        arena.log_out().await?;
    }
    arena.browser.leave_frame().await?;
    arena.open("/").await?;
    let who = arena.who().await?;
    Ok(Outcome::new(
        who.is_none(),
        format!("the frame showed {framed}; the victim is now {who:?}"),
    ))
}

/// Says what a frame on the attacker's site shows of the page at `path`: its address, or the browser's error page.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn framed(arena: &Arena, lure: Lure, path: &str) -> Result<Outcome> {
    arena.browser.open(&arena.trap(lure).frame(path)).await?;
    arena.browser.result().await?;
    arena.browser.enter_frame().await?;
    let framed = arena.browser.framed_url().await?;
    arena.browser.leave_frame().await?;
    Ok(shows(arena, &framed))
}

/// Frames the page with a logged-in person's notes.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn notes_in_a_frame(arena: &Arena, lure: Lure) -> Result<Outcome> {
    arena.enter(Person::VICTIM).await?;
    framed(arena, lure, "/").await
}

/// Frames the page that takes the password, to lay something over it.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn login_page_in_a_frame(arena: &Arena, lure: Lure) -> Result<Outcome> {
    framed(arena, lure, "/login/").await
}

/// Frames the page where an account is made.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn sign_up_page_in_a_frame(arena: &Arena, lure: Lure) -> Result<Outcome> {
    framed(arena, lure, "/signup/").await
}

/// Frames the page of an error: what has no handler has often no headers either.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn error_page_in_a_frame(arena: &Arena, lure: Lure) -> Result<Outcome> {
    framed(arena, lure, "/no/such/page/").await
}

/// Frames a page of the attacker's that frames the notes, where a check looks at the nearest frame or at the outermost alone.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn notes_in_a_frame_in_a_frame(arena: &Arena, lure: Lure) -> Result<Outcome> {
    arena.enter(Person::VICTIM).await?;
    arena.browser.open(&arena.trap(lure).nested_frame("/")).await?;
    arena.browser.result().await?;
    arena.browser.enter_frame().await?;
    arena.browser.enter_frame().await?;
    let shown = arena.browser.framed_url().await?;
    arena.browser.leave_frame().await?;
    arena.browser.leave_frame().await?;
    Ok(shows(arena, &shown))
}

/// Frames a page that has a script against frames, and forbids the frame to lead the window elsewhere.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn password_page_in_a_sandbox(arena: &Arena, lure: Lure) -> Result<Outcome> {
    arena.enter(Person::VICTIM).await?;
    arena
        .browser
        .open(&arena.trap(lure).sandboxed_frame("/password/"))
        .await?;
    arena.browser.result().await?;
    arena.browser.enter_frame().await?;
    let shown = arena.browser.framed_url().await?;
    arena.browser.leave_frame().await?;
    Ok(shows(arena, &shown))
}

/// Frames the widget, which other sites may frame, from one that is called almost like them.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn widget_in_a_frame_of_a_namesake(side: Side) -> Result<Outcome> {
    // Another port, a name below, and one that begins with the attacker's.
    let friends = [
        "--widget-origin",
        "https://attacker.test:8443",
        "--widget-origin",
        "https://shop.attacker.test",
        "--widget-origin",
        "https://attacker.test.example",
    ];
    let arena = Arena::around_target(side.open_with(&friends).await?, &Authority::new()?).await?;
    framed(&arena, Lure::OtherSite, "/widget/").await
}

fn shows(arena: &Arena, shown: &str) -> Outcome {
    Outcome::new(
        shown.starts_with(&arena.target.url("/")),
        format!("the frame shows {shown}"),
    )
}
