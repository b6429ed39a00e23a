//! Somebody sees where they are logged in, ends one session by its button, and all others with their password.

use std::time::Duration;

use anyhow::{Result, ensure};
use gauntlet::Person;
use testkit::Visitor;

use crate::{ANNA, ENTER, Journey, says};

/// Logs in on another machine.
async fn elsewhere(journey: &Journey) -> Result<Visitor> {
    journey.passes(Duration::from_mins(1));
    let mut visitor = journey.target.visitor()?;
    let Person { username, password } = ANNA;
    visitor
        .submit("/login/", &[("username", username), ("password", password)])
        .await?;
    ensure!(is_logged_in(&mut visitor).await?, "no login elsewhere");
    Ok(visitor)
}

async fn is_logged_in(visitor: &mut Visitor) -> Result<bool> {
    Ok(visitor.open("/").await?.text().contains("data-user"))
}

#[tokio::test]
async fn sessions_elsewhere_are_seen_and_ended() -> Result<()> {
    let journey = Journey::begin().await?;
    let browser = &journey.browser;
    journey.join(ANNA).await?;
    browser.tab_to("a[href='/sessions/']").await?;
    browser.enter(ENTER).await?;
    says(
        &journey.says().await?,
        &[
            "Chrome on Linux",
            "this session",
            "You are logged in nowhere else.",
        ],
    );
    journey.look("sessions-one").await?;

    let (mut first, mut second) = (elsewhere(&journey).await?, elsewhere(&journey).await?);
    let mut third = elsewhere(&journey).await?;
    journey.open("/sessions/").await?;
    journey.look("sessions").await?;
    browser.tab_to(".sessions form button").await?;
    browser.enter(ENTER).await?;
    says(&journey.says().await?, &["That session has ended."]);
    let mut left = 0;
    for visitor in [&mut first, &mut second, &mut third] {
        left += u32::from(is_logged_in(visitor).await?);
    }
    assert_eq!(left, 2, "one session has ended, and no other");

    // A stolen session must not end the owner's: so the password is asked for.
    journey.passes(Duration::from_mins(20));
    browser.follow("main > form button.danger").await?;
    says(&journey.says().await?, &["Is it still you?"]);
    journey.look("confirm").await?;
    browser.fill("password", "a wrong one").await?;
    browser.submit().await?;
    journey.refuses("password", "That is not your password.").await?;
    journey.look("confirm-refused").await?;
    browser.press(ANNA.password).await?;
    browser.enter(ENTER).await?;
    says(&journey.says().await?, &["Where you are logged in"]);
    browser.follow("main > form button.danger").await?;
    says(
        &journey.says().await?,
        &["2 other sessions have ended.", "You are logged in nowhere else."],
    );
    for mut visitor in [first, second, third] {
        ensure!(!is_logged_in(&mut visitor).await?, "still logged in elsewhere");
    }
    assert_eq!(journey.complaints().await?, [""; 0]);
    Ok(())
}
