//! The time between the password and the code of a second factor: nobody is logged in, as a Django beside sees it, too.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use gauntlet::beside::{Pair, Side, Traveller};
use testkit::authenticator;

use crate::everywhere::on_each_database;
use crate::logins::{PASSWORD, enrol};

/// What an authenticator shows so many seconds from now.
fn code(secret: &str, ahead: u64) -> Result<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    authenticator::code(secret, now + ahead).context("the secret is none")
}

/// Somebody with a second factor: the name and the secret.
async fn with_second_factor(pair: &Pair, name: &str) -> Result<(String, String)> {
    let name = enrol(pair, name)?;
    let mut owner = pair.traveller();
    owner.log_in(Side::Palisade, &name, PASSWORD).await?;
    let secret = owner.submit(Side::Palisade, "/second-factor/", &[]).await?;
    let first = code(&secret, 0)?;
    let fields = [("code", first.as_str())];
    let confirmed = owner.submit(Side::Palisade, "/second-factor/confirm/", &fields);
    assert_eq!(confirmed.await?, "asked for from now on");
    for side in Side::EACH {
        assert_eq!(owner.who(side).await?, name, "who has added it stays logged in");
    }
    Ok((name, secret))
}

/// Gives the password alone.
async fn begin(traveller: &mut Traveller, name: &str) -> Result<String> {
    let fields = [("username", name), ("password", PASSWORD)];
    traveller.submit(Side::Palisade, "/login/", &fields).await
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_login_is_nobody_at_either_side_until_the_code_is_given() -> Result<()> {
    on_each_database(async |pair| {
        let (name, secret) = with_second_factor(pair, "ann").await?;
        let mut ann = pair.traveller();
        ann.submit(Side::Django, "/session/", &[("key", "cart"), ("value", "1")])
            .await?;
        assert_eq!(begin(&mut ann, &name).await?, "and the code");
        for side in Side::EACH {
            assert_eq!(ann.who(side).await?, "nobody");
            // Each has read this session, and not passed it by.
            let session = ann.read(side, "/session/").await?.replace(' ', "");
            assert_eq!(session, r#"{"cart":1}"#, "at {side:?}");
        }
        let mut thief = ann.clone();
        assert_eq!(
            ann.submit(Side::Palisade, "/login/second/", &[("code", &code(&secret, 30)?)])
                .await?,
            "in"
        );
        for side in Side::EACH {
            assert_eq!(ann.who(side).await?, name);
            assert_eq!(thief.who(side).await?, "nobody", "the key of the half login");
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_login_ends_the_login_of_whoever_was_there_at_both_sides() -> Result<()> {
    on_each_database(async |pair| {
        let (name, _) = with_second_factor(pair, "ann").await?;
        let bob = enrol(pair, "bob")?;
        let mut browser = pair.traveller();
        browser.log_in(Side::Django, &bob, PASSWORD).await?;
        let mut before = browser.clone();
        assert_eq!(before.who(Side::Palisade).await?, bob);
        assert_eq!(begin(&mut browser, &name).await?, "and the code");
        for side in Side::EACH {
            assert_eq!(browser.who(side).await?, "nobody");
            assert_eq!(before.who(side).await?, "nobody");
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn logout_at_django_ends_half_a_login() -> Result<()> {
    on_each_database(async |pair| {
        let (name, secret) = with_second_factor(pair, "ann").await?;
        let mut ann = pair.traveller();
        assert_eq!(begin(&mut ann, &name).await?, "and the code");
        ann.submit(Side::Django, "/logout/", &[]).await?;
        let code = code(&secret, 30)?;
        let fields = [("code", code.as_str())];
        let late = ann.submit(Side::Palisade, "/login/second/", &fields);
        assert_eq!(late.await?, "log in anew");
        for side in Side::EACH {
            assert_eq!(ann.who(side).await?, "nobody");
        }
        Ok(())
    })
    .await
}
