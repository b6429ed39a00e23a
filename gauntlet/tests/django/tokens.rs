//! CSRF tokens, signed values, signed cookies and reset tokens of one side at the other.

use anyhow::Result;
use gauntlet::beside::Side;
use http::StatusCode;
use serde_json::{Value, json};

use crate::everywhere::on_each_database;
use crate::logins::{PASSWORD, enrol};

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_one_side_is_taken_by_the_other() -> Result<()> {
    on_each_database(async |pair| {
        for (first, second) in Side::BOTH_WAYS {
            let mut ann = pair.traveller();
            let token = ann.token(first).await?;
            let fields = [("note", "hello")];
            let reply = ann.send(second, "/form/", &fields, &token).await?;
            assert_eq!(
                (reply.status, reply.text().as_str()),
                (StatusCode::OK, "read hello")
            );
            // The cookie of the first is kept: the token of the second goes with it, too.
            let cookie = ann.cookie("csrftoken").map(str::to_owned);
            let again = ann.token(second).await?;
            assert_eq!(ann.cookie("csrftoken").map(str::to_owned), cookie);
            assert_ne!(again, token, "tokens are masked anew");
            assert_eq!(
                ann.send(first, "/form/", &fields, &again).await?.status,
                StatusCode::OK
            );
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_with_somebody_elses_token_is_refused_by_both() -> Result<()> {
    on_each_database(async |pair| {
        for (first, second) in Side::BOTH_WAYS {
            let stolen = pair.traveller().token(first).await?;
            let mut ann = pair.traveller();
            ann.token(first).await?;
            for side in [first, second] {
                let reply = ann.send(side, "/form/", &[("note", "hello")], &stolen).await?;
                assert_eq!(reply.status, StatusCode::FORBIDDEN, "{side:?}");
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_without_its_token_or_its_cookie_is_refused_by_both() -> Result<()> {
    on_each_database(async |pair| {
        for side in Side::EACH {
            let mut ann = pair.traveller();
            let token = ann.token(Side::Django).await?;
            let fields = [("note", "hello")];
            let without_token = ann.send(side, "/form/", &fields, "").await?;
            let without_cookie = pair.traveller().send(side, "/form/", &fields, &token).await?;
            for reply in [without_token, without_cookie] {
                assert_eq!(reply.status, StatusCode::FORBIDDEN, "{side:?}: {}", reply.text());
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_from_before_the_login_is_refused_by_both_after_it() -> Result<()> {
    on_each_database(async |pair| {
        let name = enrol(pair, "ann")?;
        for (first, second) in Side::BOTH_WAYS {
            let mut ann = pair.traveller();
            let before = ann.token(first).await?;
            ann.log_in(second, &name, PASSWORD).await?;
            for side in [first, second] {
                let reply = ann.send(side, "/form/", &[("note", "hello")], &before).await?;
                assert_eq!(reply.status, StatusCode::FORBIDDEN, "{side:?}");
            }
            let after = ann.token(second).await?;
            let reply = ann.send(first, "/form/", &[("note", "hello")], &after).await?;
            assert_eq!(reply.status, StatusCode::OK);
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_signed_at_one_side_is_read_at_the_other() -> Result<()> {
    on_each_database(async |pair| {
        let value = json!({"id": 7, "text": "größer ☃".repeat(40), "list": [0.5, null, true]});
        let text = value.to_string();
        for (first, second) in Side::BOTH_WAYS {
            let mut ann = pair.traveller();
            let signed = ann.submit(first, "/sign/", &[("value", &text)]).await?;
            let read = ann.submit(second, "/unsign/", &[("signed", &signed)]).await?;
            assert_eq!(serde_json::from_str::<Value>(&read)?, value);
            let token = ann.token(second).await?;
            let forged = format!("{signed}x");
            let reply = ann
                .send(second, "/unsign/", &[("signed", &forged)], &token)
                .await?;
            assert_eq!(reply.status, StatusCode::FORBIDDEN);
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_cookie_of_one_side_is_read_at_the_other() -> Result<()> {
    on_each_database(async |pair| {
        for (first, second) in Side::BOTH_WAYS {
            let mut ann = pair.traveller();
            ann.submit(first, "/greeting/", &[("value", "welcome, Ann; come in")])
                .await?;
            assert_eq!(ann.read(second, "/greeting/").await?, "welcome, Ann; come in");
            assert_eq!(ann.read(first, "/greeting/").await?, "welcome, Ann; come in");
            let signed = ann.cookie("greeting").unwrap().to_owned();
            let mut forger = ann.with_cookie("greeting", &signed.replacen("Ann", "Eve", 1));
            for side in [first, second] {
                assert_eq!(forger.read(side, "/greeting/").await?, "none");
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_token_of_one_side_is_valid_at_the_other_until_it_is_used() -> Result<()> {
    on_each_database(async |pair| {
        let (name, other) = (enrol(pair, "ann")?, enrol(pair, "bob")?);
        for (first, second) in Side::BOTH_WAYS {
            // Tokens know the last login to the second: it must not be this one.
            let long_ago = json!({"username": name, "last_login": "2020-01-02T03:04:05.678901Z"});
            pair.oracle().ask(long_ago, "set_user")?;
            let mut ann = pair.traveller();
            let token = ann
                .submit(first, "/reset/", &[("username", name.as_str())])
                .await?;
            let fields = [("username", name.as_str()), ("token", token.as_str())];
            assert_eq!(ann.submit(second, "/reset/check/", &fields).await?, "valid");
            assert_eq!(ann.submit(first, "/reset/check/", &fields).await?, "valid");
            let changed = format!("{token}0");
            for side in [first, second] {
                for forged in [
                    [("username", other.as_str()), ("token", token.as_str())],
                    [("username", name.as_str()), ("token", changed.as_str())],
                ] {
                    let answer = ann.submit(side, "/reset/check/", &forged).await?;
                    assert_eq!(answer, "invalid", "{forged:?} at {side:?}");
                }
            }
            // A login at the other side is use enough.
            ann.log_in(second, &name, PASSWORD).await?;
            for side in [first, second] {
                assert_eq!(
                    ann.submit(side, "/reset/check/", &fields).await?,
                    "invalid",
                    "{side:?}"
                );
            }
        }
        Ok(())
    })
    .await
}
