//! An account: made, its mistakes told where they were made, its profile and password changed.

use anyhow::{Result, ensure};

use crate::{ANNA, ENTER, Journey, says};

#[tokio::test]
async fn account_is_made_and_changed_without_a_mouse() -> Result<()> {
    let journey = Journey::begin().await?;
    let browser = &journey.browser;
    journey.open("/").await?;
    browser.press("\u{e004}").await?;
    journey.on_focus("a.skip").await?;
    browser.press(ENTER).await?;
    journey.on_focus("main").await?;

    journey.open("/signup/").await?;
    journey.look("sign-up").await?;
    browser.tab_to("[name=username]").await?;
    browser.press("anna lee").await?;
    browser.tab_to("[name=password1]").await?;
    browser.press(ANNA.password).await?;
    browser.tab_to("[name=password2]").await?;
    browser.press("another").await?;
    browser.enter(ENTER).await?;
    journey.refuses("username", "Enter a valid username.").await?;
    journey.look("sign-up-refused").await?;
    journey.join(ANNA).await?;

    browser.tab_to("nav a[href='/profile/']").await?;
    browser.enter(ENTER).await?;
    journey.look("profile").await?;
    browser.fill("email", "anna@b").await?;
    browser.enter(ENTER).await?;
    journey.refuses("email", "Enter a valid email address.").await?;
    browser.fill("email", "anna@example.org").await?;
    browser.enter(ENTER).await?;
    says(&journey.says().await?, &["Your profile is saved."]);

    browser.tab_to("a[href='/password/']").await?;
    browser.enter(ENTER).await?;
    journey.look("password").await?;
    for (name, value) in [
        ("old_password", "a wrong one"),
        ("new_password1", "a kite over a green hill"),
        ("new_password2", "a kite over a green hill"),
    ] {
        browser.tab_to(&format!("[name={name}]")).await?;
        browser.press(value).await?;
    }
    browser.enter(ENTER).await?;
    journey
        .refuses("old_password", "old password was entered incorrectly")
        .await?;
    journey.look("password-refused").await?;

    journey.open("/widget/").await?;
    ensure!(browser.has(".widget").await?, "there is no widget");
    assert_eq!(journey.complaints().await?, [""; 0]);
    Ok(())
}

impl Journey {
    async fn on_focus(&self, selector: &str) -> Result<()> {
        let there = "return document.activeElement?.matches(arguments[0]) ?? false";
        let there = self.browser.run(there, &[selector.into()]).await?;
        ensure!(there == true, "the focus is not on {selector}");
        Ok(())
    }
}
