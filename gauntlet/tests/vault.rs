//! Every attack fails against the vault, the program that the README starts.
//!
//! `weak_twin.rs` has the same tests the other way round, so that each attack is known to see its hole.

use anyhow::Result;
use gauntlet::attack::{account, exposure, forgery, framing, session};
use gauntlet::{Arena, Outcome, Person, Target};
use testkit::attacker::Lure;

/// What a logged-in person can open.
const PAGES: [&str; 5] = ["/", "/secret/", "/profile/", "/password/", "/sessions/"];

fn failed(outcome: &Outcome) {
    assert!(!outcome.succeeded, "the attack worked: {}", outcome.evidence);
}

#[tokio::test]
async fn a_person_signs_up_writes_a_secret_and_leaves() -> Result<()> {
    Arena::around_vault().await?.whole_visit().await
}

#[tokio::test]
async fn forged_form_post_changes_nothing() -> Result<()> {
    let arena = Arena::around_vault().await?;
    for lure in Lure::ALL {
        failed(&forgery::form_post(&arena, lure).await?);
    }
    Ok(())
}

#[tokio::test]
async fn forged_form_post_with_a_planted_token_changes_nothing() -> Result<()> {
    failed(&forgery::form_post_with_planted_token(&Arena::around_vault().await?).await?);
    Ok(())
}

#[tokio::test]
async fn forged_fetch_changes_nothing() -> Result<()> {
    let arena = Arena::around_vault().await?;
    for lure in Lure::ALL {
        failed(&forgery::fetch(&arena, lure).await?);
    }
    Ok(())
}

#[tokio::test]
async fn forged_fetch_with_a_guessed_token_header_changes_nothing() -> Result<()> {
    let arena = Arena::around_vault().await?;
    for lure in Lure::ALL {
        failed(&forgery::fetch_with_header(&arena, lure).await?);
    }
    Ok(())
}

#[tokio::test]
async fn forged_login_logs_nobody_in() -> Result<()> {
    let arena = Arena::around_vault().await?;
    for lure in Lure::ALL {
        failed(&forgery::login(&arena, lure).await?);
    }
    Ok(())
}

#[tokio::test]
async fn page_in_a_frame_takes_no_click() -> Result<()> {
    let arena = Arena::around_vault().await?;
    for lure in Lure::ALL {
        failed(&framing::lent_click(&arena, lure).await?);
    }
    Ok(())
}

#[tokio::test]
async fn no_page_is_shown_in_a_foreign_frame() -> Result<()> {
    let arena = Arena::around_vault().await?;
    for path in framing::PRIVATE {
        failed(&framing::framed(&arena, Lure::OtherSite, path).await?);
    }
    Ok(())
}

#[tokio::test]
async fn planted_session_id_is_not_adopted() -> Result<()> {
    failed(&session::planted_id(&Arena::around_vault().await?).await?);
    Ok(())
}

#[tokio::test]
async fn planted_session_of_the_attacker_stays_the_attackers() -> Result<()> {
    failed(&session::planted_session(&Arena::around_vault().await?).await?);
    Ok(())
}

#[tokio::test]
async fn stolen_cookie_is_worth_nothing_after_logout() -> Result<()> {
    failed(&session::replay_after_logout(&Arena::around_vault().await?).await?);
    Ok(())
}

#[tokio::test]
async fn stolen_cookie_is_worth_nothing_after_a_password_change() -> Result<()> {
    failed(&session::replay_after_password_change(&Arena::around_vault().await?).await?);
    Ok(())
}

#[tokio::test]
async fn script_cannot_read_the_session_id() -> Result<()> {
    failed(&session::read_by_script(&Arena::around_vault().await?).await?);
    Ok(())
}

#[tokio::test]
async fn smuggled_field_at_sign_up_makes_no_administrator() -> Result<()> {
    failed(&account::admin_by_sign_up(&Arena::around_vault().await?).await?);
    Ok(())
}

#[tokio::test]
async fn smuggled_field_in_the_profile_makes_no_administrator() -> Result<()> {
    failed(&account::admin_by_profile(&Arena::around_vault().await?).await?);
    Ok(())
}

#[tokio::test]
async fn secret_does_not_stand_in_the_address() -> Result<()> {
    failed(&exposure::secret_in_address(&Arena::around_vault().await?).await?);
    Ok(())
}

#[tokio::test]
async fn private_page_is_unreadable_across_origins() -> Result<()> {
    let arena = Arena::around_vault().await?;
    for lure in Lure::ALL {
        failed(&exposure::read_across_origins(&arena, lure).await?);
    }
    Ok(())
}

#[tokio::test]
async fn script_in_a_note_is_text() -> Result<()> {
    failed(&exposure::stored_script(&Arena::around_vault().await?).await?);
    Ok(())
}

#[tokio::test]
async fn unknown_host_name_is_refused() -> Result<()> {
    failed(&exposure::poisoned_host(&Target::vault().await?).await?);
    Ok(())
}

#[tokio::test]
async fn password_is_never_asked_for_in_clear() -> Result<()> {
    failed(&exposure::password_in_clear(&Target::vault().await?).await?);
    Ok(())
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
