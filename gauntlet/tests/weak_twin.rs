//! Every attack is seen to work, against a site with nothing against it.
//!
//! It has each test of `vault.rs`, with the opposite expectation: an attack that fails here is a broken attack.

use anyhow::Result;
use gauntlet::attack::{account, exposure, forgery, framing, session};
use gauntlet::{Arena, Outcome, Target};
use testkit::Authority;
use testkit::attacker::Lure;

fn succeeded(outcome: &Outcome) {
    assert!(outcome.succeeded, "the weak twin withstood: {}", outcome.evidence);
}

#[tokio::test]
async fn a_person_signs_up_writes_a_secret_and_leaves() -> Result<()> {
    Arena::around_weak_twin().await?.whole_visit().await
}

#[tokio::test]
async fn forged_form_post_changes_the_profile() -> Result<()> {
    let arena = Arena::around_weak_twin().await?;
    for lure in Lure::ALL {
        succeeded(&forgery::form_post(&arena, lure).await?);
    }
    Ok(())
}

#[tokio::test]
async fn forged_form_post_with_a_planted_token_changes_the_profile() -> Result<()> {
    succeeded(&forgery::form_post_with_planted_token(&Arena::around_weak_twin().await?).await?);
    Ok(())
}

#[tokio::test]
async fn forged_fetch_changes_the_profile() -> Result<()> {
    let arena = Arena::around_weak_twin().await?;
    for lure in Lure::ALL {
        succeeded(&forgery::fetch(&arena, lure).await?);
    }
    Ok(())
}

#[tokio::test]
async fn forged_fetch_with_a_guessed_token_header_changes_the_profile() -> Result<()> {
    let arena = Arena::around_weak_twin().await?;
    for lure in Lure::ALL {
        succeeded(&forgery::fetch_with_header(&arena, lure).await?);
    }
    Ok(())
}

#[tokio::test]
async fn forged_login_makes_the_victim_write_into_the_attackers_account() -> Result<()> {
    let arena = Arena::around_weak_twin().await?;
    for lure in Lure::ALL {
        succeeded(&forgery::login(&arena, lure).await?);
    }
    Ok(())
}

#[tokio::test]
async fn page_in_a_frame_takes_the_victims_click() -> Result<()> {
    let arena = Arena::around_weak_twin().await?;
    for lure in Lure::ALL {
        succeeded(&framing::lent_click(&arena, lure).await?);
    }
    Ok(())
}

#[tokio::test]
async fn every_page_is_shown_in_a_foreign_frame() -> Result<()> {
    let arena = Arena::around_weak_twin().await?;
    for path in framing::PRIVATE {
        succeeded(&framing::framed(&arena, Lure::OtherSite, path).await?);
    }
    Ok(())
}

#[tokio::test]
async fn planted_session_id_becomes_the_victims() -> Result<()> {
    succeeded(&session::planted_id(&Arena::around_weak_twin().await?).await?);
    Ok(())
}

#[tokio::test]
async fn planted_session_of_the_attacker_becomes_the_victims() -> Result<()> {
    succeeded(&session::planted_session(&Arena::around_weak_twin().await?).await?);
    Ok(())
}

#[tokio::test]
async fn stolen_cookie_outlives_logout() -> Result<()> {
    succeeded(&session::replay_after_logout(&Arena::around_weak_twin().await?).await?);
    Ok(())
}

#[tokio::test]
async fn stolen_cookie_outlives_a_password_change() -> Result<()> {
    succeeded(&session::replay_after_password_change(&Arena::around_weak_twin().await?).await?);
    Ok(())
}

#[tokio::test]
async fn script_reads_the_session_id() -> Result<()> {
    succeeded(&session::read_by_script(&Arena::around_weak_twin().await?).await?);
    Ok(())
}

#[tokio::test]
async fn smuggled_field_at_sign_up_makes_an_administrator() -> Result<()> {
    succeeded(&account::admin_by_sign_up(&Arena::around_weak_twin().await?).await?);
    Ok(())
}

#[tokio::test]
async fn smuggled_field_in_the_profile_makes_an_administrator() -> Result<()> {
    succeeded(&account::admin_by_profile(&Arena::around_weak_twin().await?).await?);
    Ok(())
}

#[tokio::test]
async fn secret_stands_in_the_address() -> Result<()> {
    succeeded(&exposure::secret_in_address(&Arena::around_weak_twin().await?).await?);
    Ok(())
}

#[tokio::test]
async fn private_page_is_read_across_origins() -> Result<()> {
    let arena = Arena::around_weak_twin().await?;
    for lure in Lure::ALL {
        succeeded(&exposure::read_across_origins(&arena, lure).await?);
    }
    Ok(())
}

#[tokio::test]
async fn script_in_a_note_runs() -> Result<()> {
    succeeded(&exposure::stored_script(&Arena::around_weak_twin().await?).await?);
    Ok(())
}

#[tokio::test]
async fn any_host_name_is_believed() -> Result<()> {
    succeeded(&exposure::poisoned_host(&Target::weak_twin(&Authority::new()?).await?).await?);
    Ok(())
}

#[tokio::test]
async fn password_is_asked_for_in_clear() -> Result<()> {
    succeeded(&exposure::password_in_clear(&Target::weak_twin(&Authority::new()?).await?).await?);
    Ok(())
}
