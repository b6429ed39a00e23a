//! What reaches the attacker without any forgery: secrets in addresses, in clear, in another origin's script, and
//! script in the victim's page.

use anyhow::Result;
use testkit::attacker::Lure;

use super::Outcome;
use crate::{Arena, Person, Target};

/// `sensitive-data-exposure`: looks for a new secret in the address of the page that shows it.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn secret_in_address(arena: &Arena) -> Result<Outcome> {
    arena.enter(Person::VICTIM).await?;
    arena.keep_secret("safe", "combination-4711").await?;
    let shown = arena.browser.text("main").await?;
    anyhow::ensure!(
        shown.contains("combination-4711"),
        "the secret is not shown, but {shown}"
    );
    let url = arena.browser.url().await?;
    Ok(Outcome::new(
        url.contains("4711"),
        format!("the secret is shown at {url}"),
    ))
}

/// `sensitive-data-exposure`: reads a page of the victim's from another origin's script, with the victim's cookies.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn private_page_read_across_origins(arena: &Arena, lure: Lure) -> Result<Outcome> {
    arena.enter(Person::VICTIM).await?;
    arena
        .browser
        .open(&arena.trap(lure).stolen_page("/profile/"))
        .await?;
    let result = arena.browser.result().await?;
    let stolen = result.starts_with("read") && result.contains(Person::VICTIM.username);
    Ok(Outcome::new(stolen, result))
}

/// `cross-site-scripting`: keeps a note that is a script, and looks whether the page that shows it runs it.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn script_in_a_note(arena: &Arena) -> Result<Outcome> {
    arena.enter(Person::VICTIM).await?;
    let script = "<script>document.documentElement.dataset.owned = 1</script>";
    let image = "<img src=/nothing onerror=\"document.documentElement.dataset.owned = 2\">";
    arena
        .keep_secret("<b>note</b>", &format!("{script}{image}"))
        .await?;
    let owned = arena.browser.has("[data-owned]").await? || arena.browser.has("main b").await?;
    let text = arena.browser.text("main").await?;
    anyhow::ensure!(
        owned || text.contains("onerror"),
        "the note is neither run nor shown, but {text}"
    );
    Ok(Outcome::new(
        owned,
        format!(
            "{} shows {}",
            arena.browser.url().await?,
            arena.browser.text("main").await?
        ),
    ))
}

/// `untrusted-host`: asks for a page under the attacker's own host name.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn page_under_another_host(target: &Target) -> Result<Outcome> {
    let reply = target
        .visitor()?
        .claiming_host("attacker.test")
        .open("/login/")
        .await?;
    let poisoned = reply.status.is_success();
    Ok(Outcome::new(poisoned, format!("answered with {}", reply.status)))
}

/// `insecure-transport`: asks for the page that takes the password in clear, as a visitor does who types no scheme.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn login_form_in_clear(target: &Target) -> Result<Outcome> {
    let reply = target.visitor_in_clear().open("/login/").await?;
    let asked = reply.text().contains("name=\"password\"");
    Ok(Outcome::new(
        asked,
        format!("answered with {} to {:?}", reply.status, reply.header("location")),
    ))
}
