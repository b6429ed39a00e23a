//! What people do at the vault, the program that the README starts, and what its defences must not keep from them.

use anyhow::Result;
use gauntlet::attack::{framing, network};
use gauntlet::{Arena, Person, Side};
use testkit::attacker::Lure;

/// What a logged-in person can open.
const PAGES: [&str; 5] = ["/", "/secret/", "/profile/", "/password/", "/sessions/"];

#[tokio::test]
async fn a_person_signs_up_writes_a_secret_and_leaves() -> Result<()> {
    Arena::around_vault().await?.whole_visit().await
}

#[tokio::test]
async fn a_person_signs_up_writes_a_secret_and_leaves_at_the_weak_site_too() -> Result<()> {
    Arena::around_weak_twin().await?.whole_visit().await
}

#[tokio::test]
async fn widget_is_shown_by_another_site() -> Result<()> {
    let shown = framing::framed(&Arena::around_vault().await?, Lure::OtherSite, "/widget/").await?;
    assert!(shown.succeeded, "{}", shown.evidence);
    Ok(())
}

#[tokio::test]
async fn no_page_complains_of_the_policy_that_protects_it() -> Result<()> {
    let arena = Arena::around_vault().await?;
    arena.whole_visit().await?;
    arena.log_in(Person::VICTIM).await?;
    for path in PAGES {
        arena.open(path).await?;
    }
    assert_eq!(arena.browser.complaints().await?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn every_page_fits_a_phone() -> Result<()> {
    let arena = Arena::around_vault().await?;
    arena.enter(Person::VICTIM).await?;
    arena.browser.resize(360, 740).await?;
    for path in PAGES {
        arena.open(path).await?;
        let beyond = "return document.documentElement.scrollWidth > window.innerWidth";
        assert_eq!(
            arena.browser.run(beyond, &[]).await?,
            false,
            "{path} is wider than a phone"
        );
    }
    Ok(())
}

#[tokio::test]
async fn login_needs_no_mouse() -> Result<()> {
    let arena = Arena::around_vault().await?;
    arena.sign_up(Person::VICTIM).await?;
    arena.open("/login/").await?;
    arena.browser.fill("username", Person::VICTIM.username).await?;
    arena
        .browser
        .fill("password", &format!("{}\n", Person::VICTIM.password))
        .await?;
    arena.browser.find("[data-user]").await?;
    Ok(())
}

#[tokio::test]
async fn session_elsewhere_is_ended_on_a_phone_by_its_own_button() -> Result<()> {
    let arena = Arena::around_vault().await?;
    arena.enter(Person::VICTIM).await?;
    let mut elsewhere = arena.target.visitor()?;
    let fields = [
        ("username", Person::VICTIM.username),
        ("password", Person::VICTIM.password),
    ];
    elsewhere.submit("/login/", &fields).await?;
    assert!(elsewhere.open("/").await?.text().contains("data-user"));
    arena.browser.resize(360, 740).await?;
    arena.open("/sessions/").await?;
    let beyond = "return document.documentElement.scrollWidth > window.innerWidth";
    assert_eq!(arena.browser.run(beyond, &[]).await?, false);
    arena.browser.follow(".sessions form button").await?;
    let page = arena.browser.text("main").await?;
    assert!(page.contains("That session has ended."), "{page}");
    assert!(!elsewhere.open("/").await?.text().contains("data-user"));
    assert_eq!(arena.who().await?.as_deref(), Some(Person::VICTIM.username));
    Ok(())
}

/// What the attacks of that room show is refused for what it is: with the right certificate the same visitor comes in.
#[tokio::test]
async fn certificate_of_staff_opens_the_area() -> Result<()> {
    let outcome = network::certificate_of_staff(Side::Vault).await?;
    assert!(outcome.succeeded, "{}", outcome.evidence);
    Ok(())
}
