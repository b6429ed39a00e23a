//! A second factor: added with an authenticator, asked for at the login, replaced by a recovery code, removed with the password.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use testkit::authenticator;

use crate::{ANNA, ENTER, Journey, hides, says};

/// What the authenticator shows now, a while after it was last asked: no code works twice.
fn code(journey: &Journey, secret: &str) -> Result<String> {
    journey.passes(Duration::from_secs(30));
    authenticator::code(&secret.replace(' ', ""), journey.seconds()?).context("the secret is none")
}

#[tokio::test]
async fn second_factor_is_added_asked_for_and_removed() -> Result<()> {
    let journey = Journey::begin().await?;
    let browser = &journey.browser;
    journey.join(ANNA).await?;
    journey.open("/profile/").await?;
    browser.follow("a[href='/second-factor/']").await?;
    journey.look("second-factor-none").await?;
    browser.submit().await?;
    journey.look("second-factor-begun").await?;
    ensure!(
        browser.has("[data-picture] svg[role=img]").await?,
        "there is no picture"
    );
    let secret = browser.text("[data-totp]").await?;
    assert_eq!(
        secret.replace(' ', "").len(),
        32,
        "the secret stands beside the picture: {secret}"
    );

    browser.fill("code", "000000").await?;
    browser.submit().await?;
    journey
        .refuses("code", "That is not the code that your authenticator shows now.")
        .await?;
    journey.look("second-factor-wrong").await?;
    assert_eq!(
        browser.text("[data-totp]").await?,
        secret,
        "the authenticator knows another"
    );
    browser.press(&code(&journey, &secret)?).await?;
    browser.enter(ENTER).await?;
    says(
        &journey.says().await?,
        &[
            "The second factor is added.",
            "They are shown now and never again.",
        ],
    );
    journey.look("recovery-codes").await?;
    let shown = browser.text("[data-code]").await?;
    browser.follow("main .actions .button").await?;
    says(&journey.says().await?, &["You have 10 left."]);
    journey.look("second-factor").await?;

    // The code of the authenticator, with the space that it shows.
    journey.log_out().await?;
    journey.look("logged-out").await?;
    says(
        &journey.try_password(ANNA.username, ANNA.password).await?,
        &["The code, please"],
    );
    ensure!(journey.who().await?.is_none(), "half a login is a login");
    journey.look("second-step").await?;
    browser.fill("code", "123 456").await?;
    browser.enter(ENTER).await?;
    journey.refuses("code", "That code is wrong").await?;
    journey.look("second-step-wrong").await?;
    let now = code(&journey, &secret)?;
    let (first, last) = now.split_at(3);
    browser.press(&format!("{first} {last}")).await?;
    browser.enter(ENTER).await?;
    assert_eq!(journey.who().await?.as_deref(), Some("anna"));

    // The phone is lost.
    journey.log_out().await?;
    journey.try_password(ANNA.username, ANNA.password).await?;
    browser.fill("code", &shown).await?;
    browser.submit().await?;
    assert_eq!(journey.who().await?.as_deref(), Some("anna"));
    journey.open("/second-factor/").await?;
    says(&journey.says().await?, &["You have 9 left."]);

    // Later, the password is asked for once more.
    journey.passes(Duration::from_mins(20));
    journey.open("/profile/").await?;
    says(&journey.says().await?, &["Is it still you?"]);
    browser.fill("password", ANNA.password).await?;
    browser.submit().await?;
    browser.follow("a[href='/second-factor/']").await?;
    browser.tab_to("details.danger summary").await?;
    browser.press(" ").await?;
    browser.tab_to("button.danger").await?;
    journey.passes(Duration::from_mins(20));
    browser.enter(ENTER).await?;
    says(&journey.says().await?, &["Is it still you?"]);
    browser.fill("password", ANNA.password).await?;
    browser.submit().await?;
    says(&journey.says().await?, &["You have 9 left."]);
    browser.click("details.danger summary").await?;
    browser.follow("button.danger").await?;
    says(
        &journey.says().await?,
        &[
            "Nothing but your password is asked for when you log in.",
            "Add a second factor",
        ],
    );
    journey.log_out().await?;
    journey.try_password(ANNA.username, ANNA.password).await?;
    assert_eq!(journey.who().await?.as_deref(), Some("anna"));
    assert_eq!(journey.complaints().await?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn login_that_stops_half_way_begins_anew() -> Result<()> {
    let journey = Journey::begin().await?;
    let browser = &journey.browser;
    journey.join(ANNA).await?;
    journey.open("/second-factor/").await?;
    browser.submit().await?;
    let secret = browser.text("[data-totp]").await?;
    browser.fill("code", &code(&journey, &secret)?).await?;
    browser.submit().await?;
    journey.log_out().await?;
    journey.try_password(ANNA.username, ANNA.password).await?;
    for guess in 0..20 {
        if !browser.has("[name=code]").await? {
            break;
        }
        browser.fill("code", &format!("{guess:06}")).await?;
        browser.enter(ENTER).await?;
    }
    says(&journey.says().await?, &["Please log in anew"]);
    journey.look("second-step-ended").await?;
    browser.follow("main .button").await?;
    ensure!(
        browser.url().await?.ends_with("/login/"),
        "{}",
        browser.url().await?
    );
    // Who begins anew does not begin to count anew.
    journey.try_password(ANNA.username, ANNA.password).await?;
    browser.fill("code", "654321").await?;
    browser.enter(ENTER).await?;
    let page = journey.says().await?;
    says(&page, &["Please wait", "Too many codes were wrong."]);
    hides(&page, &["not right yet"]);
    journey.look("second-step-waiting").await
}
