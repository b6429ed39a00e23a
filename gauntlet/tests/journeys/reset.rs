//! A forgotten password is set anew through the link in a mail, once, and not too late; every session ends with it.

use std::time::Duration;

use anyhow::{Result, ensure};
use gauntlet::attack::recovery::next_link;
use testkit::browser::Seat;

use crate::{ANNA, ENTER, Journey, hides, says};

const NEW: &str = "a kite over a green hill";

#[tokio::test]
async fn forgotten_password_is_set_anew_through_a_mail() -> Result<()> {
    let journey = Journey::begin().await?;
    let browser = &journey.browser;
    journey.join(ANNA).await?;
    let session = browser.seat(Seat::default()).await?;

    journey.open("/login/").await?;
    journey.look("log-in").await?;
    browser.tab_to("a[href='/forgot/']").await?;
    browser.enter(ENTER).await?;
    journey.look("forgotten").await?;
    browser.fill("email", "anna@b").await?;
    browser.enter(ENTER).await?;
    journey.refuses("email", "Enter a valid email address.").await?;
    browser.fill("email", "anna@example.com").await?;
    browser.enter(ENTER).await?;
    says(&journey.says().await?, &["Look into your mail"]);
    journey.look("forgotten-sent").await?;

    let link = next_link(&journey.target, 0).await?;
    ensure!(
        link.starts_with("https://vault.test/reset/"),
        "the letter leads to {link}"
    );
    browser.open(&link).await?;
    says(&journey.says().await?, &["Choose a new password", "anna"]);
    let token = link.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    hides(&browser.url().await?, &[token]);
    journey.look("reset").await?;
    browser.fill("new_password1", NEW).await?;
    browser.fill("new_password2", "another").await?;
    browser.enter(ENTER).await?;
    journey.refuses("new_password2", "didn’t match").await?;
    journey.look("reset-refused").await?;
    browser.fill("new_password1", NEW).await?;
    browser.fill("new_password2", NEW).await?;
    browser.enter(ENTER).await?;
    says(&journey.says().await?, &["Your password is set"]);
    journey.look("reset-done").await?;

    browser.open(&link).await?;
    says(&journey.says().await?, &["That link does not work"]);
    journey.look("reset-useless").await?;
    let stranger = browser.seat(session).await?;
    journey.open("/sessions/").await?;
    ensure!(
        browser.url().await?.contains("/login/"),
        "the session outlives the password it was begun with"
    );
    browser.seat(stranger).await?;
    let page = journey.try_password(ANNA.username, ANNA.password).await?;
    says(&page, &["Please enter a correct username and password."]);
    journey.look("log-in-refused").await?;
    journey.try_password(ANNA.username, NEW).await?;
    assert_eq!(journey.who().await?.as_deref(), Some("anna"));
    assert_eq!(journey.complaints().await?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn link_that_came_too_late_says_what_to_do() -> Result<()> {
    let journey = Journey::begin().await?;
    let browser = &journey.browser;
    journey.join(ANNA).await?;
    journey.log_out().await?;
    journey.open("/forgot/").await?;
    browser.fill("email", "anna@example.com").await?;
    browser.enter(ENTER).await?;
    let link = next_link(&journey.target, 0).await?;
    journey.passes(Duration::from_hours(24 * 4));
    browser.open(&link).await?;
    says(
        &journey.says().await?,
        &["That link does not work", "Send me a new one"],
    );
    browser.follow("a[href='/forgot/']").await?;
    says(&journey.says().await?, &["Forgot your password?"]);
    Ok(())
}
