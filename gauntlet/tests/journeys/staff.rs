//! Somebody has to wait after wrong passwords, and staff lets them try again; staff sees what the policy has stopped.

use std::time::Duration;

use anyhow::{Result, ensure};
use gauntlet::Person;
use testkit::browser::Seat;

use crate::{ANNA, ENTER, Journey, hides, says};

const IDA: Person = Person {
    username: "ida",
    password: "three quiet owls at noon",
};

/// Two wrong passwords, and a quarter of an hour.
const STRICT: &str = "login_throttle_free_attempts = 2\nlogin_throttle_base_delay = 900\nlogin_throttle_network_max_delay = 900\n";

/// A member of staff sits at the browser, in the staff area.
async fn staff(journey: &Journey) -> Result<()> {
    journey.join(IDA).await?;
    journey.open("/staff/").await?;
    assert_eq!(journey.browser.status().await?, 403, "anybody is staff");
    journey.look("not-staff").await?;
    journey.target.appoint(IDA.username)?;
    journey.open("/").await?;
    journey.browser.follow("nav a[href='/staff/']").await
}

#[tokio::test]
async fn whoever_has_to_wait_is_told_how_long_and_staff_lets_them_try_again() -> Result<()> {
    let journey = Journey::with(STRICT).await?;
    let browser = &journey.browser;
    staff(&journey).await?;
    journey.look("staff").await?;
    browser.follow("a[href='/staff/throttle/']").await?;
    says(&journey.says().await?, &["Nobody has to wait"]);
    journey.look("throttle-none").await?;
    let ida = browser.seat(Seat::default()).await?;
    journey.join(ANNA).await?;
    browser.seat(Seat::default()).await?;

    for _ in 0..3 {
        journey.try_password(ANNA.username, "a wrong one").await?;
    }
    let page = journey.try_password(ANNA.username, ANNA.password).await?;
    says(
        &page,
        &["Too many tries. Please try again in 15 minutes.", "Please wait"],
    );
    hides(&page, &["not right yet"]);
    assert_eq!(browser.status().await?, 429);
    journey.look("log-in-waiting").await?;

    let anna = browser.seat(ida).await?;
    journey.open("/staff/throttle/").await?;
    let page = journey.says().await?;
    says(&page, &["an account", "logging in", "UTC"]);
    hides(&page, &["anna"]);
    journey.look("throttle").await?;
    browser.fill("whom", "").await?;
    browser.press("anna").await?;
    browser.enter(ENTER).await?;
    says(&journey.says().await?, &["Counted for anna"]);
    journey.look("throttle-looked-up").await?;
    // The name is there already.
    browser
        .tab_to("form[action='/staff/throttle/clear/'] button")
        .await?;
    browser.enter(ENTER).await?;
    says(
        &journey.says().await?,
        &["Cleared: they may try again at once.", "Nobody has to wait"],
    );
    browser.seat(anna).await?;
    journey.try_password(ANNA.username, ANNA.password).await?;
    assert_eq!(journey.who().await?.as_deref(), Some("anna"));
    assert_eq!(journey.complaints().await?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn whoever_waits_as_long_as_told_gets_in() -> Result<()> {
    let journey = Journey::with(STRICT).await?;
    let browser = &journey.browser;
    journey.join(ANNA).await?;
    browser.seat(Seat::default()).await?;
    for _ in 0..4 {
        journey.try_password(ANNA.username, "a wrong one").await?;
    }
    says(&journey.says().await?, &["Please try again in 15 minutes."]);
    journey.passes(Duration::from_mins(15));
    journey.try_password(ANNA.username, ANNA.password).await?;
    assert_eq!(journey.who().await?.as_deref(), Some("anna"));
    Ok(())
}

#[tokio::test]
async fn script_that_does_not_belong_is_stopped_and_staff_reads_of_it() -> Result<()> {
    let journey = Journey::begin().await?;
    let browser = &journey.browser;
    staff(&journey).await?;
    browser.follow("a[href='/staff/csp/']").await?;
    says(&journey.says().await?, &["Nothing was stopped"]);
    journey.look("csp-none").await?;

    journey.open("/profile/").await?;
    let inject = "const script = document.createElement('script');
        script.textContent = 'document.title = `owned`';
        document.querySelector('main').append(script);
        return document.title";
    let title = browser.run(inject, &[]).await?;
    ensure!(title != "owned", "the script ran");
    let complaints = journey.complaints().await?.join("\n");
    says(&complaints, &["Content Security Policy"]);

    journey.target.reported().await?;
    journey.open("/staff/csp/").await?;
    says(
        &journey.says().await?,
        &["inline", "1 ×", "/profile/", "script-src-elem", "UTC"],
    );
    journey.look("csp").await?;
    browser.tab_to("form[action='/staff/csp/clear/'] button").await?;
    browser.enter(ENTER).await?;
    says(
        &journey.says().await?,
        &["The reports are cleared.", "Nothing was stopped"],
    );
    Ok(())
}
