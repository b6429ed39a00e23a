//! Login, session, logout and change of password at one side, as the other side sees them.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Result;
use gauntlet::beside::{Pair, Side};
use serde_json::{Value, json};

use crate::everywhere::on_each_database;

pub(crate) const PASSWORD: &str = "a boat in a blue bottle";
const NEW_PASSWORD: &str = "two boats in a green bottle";

/// A name that nobody else has.
pub(crate) fn named(name: &str) -> String {
    static PEOPLE: AtomicU32 = AtomicU32::new(1);
    format!("{name}{}", PEOPLE.fetch_add(1, Ordering::Relaxed))
}

/// Makes an account at Django, and says what its owner is called there.
pub(crate) fn enrol(pair: &Pair, name: &str) -> Result<String> {
    let name = named(name);
    let user = json!({"username": name, "password": PASSWORD});
    pair.oracle().ask(user, "make_user")?;
    Ok(name)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_logs_in_at_one_side_is_known_at_the_other() -> Result<()> {
    on_each_database(login_is_known).await
}

pub(crate) async fn login_is_known(pair: &Pair) -> Result<()> {
    let name = enrol(pair, "ann")?;
    for (first, second) in Side::BOTH_WAYS {
        let mut ann = pair.traveller();
        assert_eq!(ann.who(second).await?, "nobody");
        assert!(ann.log_in(first, &name, "a wrong one").await.is_err());
        assert_eq!(ann.who(second).await?, "nobody");
        ann.log_in(first, &name, PASSWORD).await?;
        assert_eq!(ann.who(second).await?, name, "logged in at {first:?}");
        assert_eq!(ann.who(first).await?, name);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_side_keeps_in_the_session_the_other_reads_and_changes() -> Result<()> {
    on_each_database(session_is_shared).await
}

pub(crate) async fn session_is_shared(pair: &Pair) -> Result<()> {
    let name = enrol(pair, "ann")?;
    // Long enough for either side to compress.
    let long = "größer und größer ☃ ".repeat(70);
    for (first, second) in Side::BOTH_WAYS {
        let mut ann = pair.traveller();
        ann.log_in(first, &name, PASSWORD).await?;
        for (side, key, value) in [
            (first, "cart", json!(["apple", {"weight": 0.1, "größe": null}])),
            (second, "seen", json!(7)),
            (second, "text", json!(long)),
            (first, "seen", json!(8)),
            (second, "cart", json!([])),
        ] {
            let text = value.to_string();
            assert_eq!(
                ann.submit(side, "/session/", &[("key", key), ("value", &text)])
                    .await?,
                "kept"
            );
            for reader in [first, second] {
                let shown: Value = serde_json::from_str(&ann.read(reader, "/session/").await?)?;
                assert_eq!(shown[key], value, "written at {side:?}, read at {reader:?}");
            }
        }
        assert_eq!(ann.who(first).await?, name);
        assert_eq!(ann.who(second).await?, name);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_rust_has_no_type_for_passes_through_unharmed() -> Result<()> {
    on_each_database(async |pair| {
        let mut ann = pair.traveller();
        let big = "123456789012345678901234567890";
        ann.submit(Side::Django, "/session/", &[("key", "big"), ("value", big)])
            .await?;
        ann.submit(Side::Palisade, "/session/", &[("key", "small"), ("value", "1")])
            .await?;
        let shown = ann.read(Side::Django, "/session/").await?;
        assert!(shown.contains(big) && shown.contains("small"), "{shown}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitors_session_survives_the_login_at_the_other_side_under_a_new_key() -> Result<()> {
    on_each_database(async |pair| {
        let name = enrol(pair, "ann")?;
        for (first, second) in Side::BOTH_WAYS {
            let mut ann = pair.traveller();
            ann.submit(first, "/session/", &[("key", "cart"), ("value", "1")])
                .await?;
            let before = ann.clone();
            assert!(before.cookie("sessionid").is_some());
            ann.log_in(second, &name, PASSWORD).await?;
            assert_ne!(ann.cookie("sessionid"), before.cookie("sessionid"));
            for side in [first, second] {
                let cart = ann.read(side, "/session/").await?.replace(' ', "");
                assert_eq!(cart, r#"{"cart":1}"#);
                // Whoever planted the old key, or read it, has nothing.
                let mut planted = before.clone();
                assert_eq!(planted.who(side).await?, "nobody");
                assert_eq!(planted.read(side, "/session/").await?, "{}");
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn logout_at_either_side_ends_both_also_for_who_kept_the_cookie() -> Result<()> {
    on_each_database(async |pair| {
        let name = enrol(pair, "ann")?;
        for (first, second) in Side::BOTH_WAYS {
            for logout in [first, second] {
                let mut ann = pair.traveller();
                ann.log_in(first, &name, PASSWORD).await?;
                let mut thief = ann.clone();
                assert_eq!(thief.who(first).await?, name);
                assert_eq!(ann.submit(logout, "/logout/", &[]).await?, "out");
                for side in [first, second] {
                    assert_eq!(ann.who(side).await?, "nobody");
                    assert_eq!(thief.who(side).await?, "nobody", "logged out at {logout:?}");
                }
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_password_at_either_side_ends_the_other_sessions_at_both() -> Result<()> {
    on_each_database(new_password_ends_others).await
}

pub(crate) async fn new_password_ends_others(pair: &Pair) -> Result<()> {
    let name = enrol(pair, "ann")?;
    let mut passwords = (PASSWORD, NEW_PASSWORD);
    for (first, second) in Side::BOTH_WAYS {
        let (mut here, mut there, mut third) = (pair.traveller(), pair.traveller(), pair.traveller());
        here.log_in(first, &name, passwords.0).await?;
        there.log_in(second, &name, passwords.0).await?;
        third.log_in(first, &name, passwords.0).await?;
        let fields = [("old", passwords.0), ("new", passwords.1)];
        for side in [second, first] {
            for who in [&mut here, &mut there, &mut third] {
                assert_eq!(who.who(side).await?, name);
            }
        }
        assert_eq!(here.submit(second, "/password/", &fields).await?, "changed");
        for side in [second, first] {
            assert_eq!(here.who(side).await?, name, "who changed it stays logged in");
            assert_eq!(there.who(side).await?, "nobody");
            assert_eq!(third.who(side).await?, "nobody");
            let old = pair.traveller().log_in(side, &name, passwords.0).await;
            assert!(old.is_err(), "the old password opens nothing at {side:?}");
        }
        passwords = (passwords.1, passwords.0);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inactive_user_is_nobody_at_both() -> Result<()> {
    on_each_database(async |pair| {
        let name = enrol(pair, "ann")?;
        let mut ann = pair.traveller();
        ann.log_in(Side::Django, &name, PASSWORD).await?;
        pair.oracle()
            .ask(json!({"username": name, "is_active": false}), "set_user")?;
        for side in Side::EACH {
            assert_eq!(ann.who(side).await?, "nobody");
            assert!(pair.traveller().log_in(side, &name, PASSWORD).await.is_err());
        }
        Ok(())
    })
    .await
}
