//! CSRF tokens, signed values, signed cookies and reset tokens of one side at the other.

use anyhow::Result;
use gauntlet::beside::{Agreement, Pair, Side};
use http::StatusCode;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_one_side_is_taken_by_the_other() -> Result<()> {
    let pair = Pair::start(Agreement::new()).await?;
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
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_with_somebody_elses_token_is_refused_by_both() -> Result<()> {
    let pair = Pair::start(Agreement::new()).await?;
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
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_signed_at_one_side_is_read_at_the_other() -> Result<()> {
    let pair = Pair::start(Agreement::new()).await?;
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
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_cookie_of_one_side_is_read_at_the_other() -> Result<()> {
    let pair = Pair::start(Agreement::new()).await?;
    for (first, second) in Side::BOTH_WAYS {
        let mut ann = pair.traveller();
        ann.submit(first, "/greeting/", &[("value", "welcome, Ann; come in")])
            .await?;
        assert_eq!(ann.read(second, "/greeting/").await?, "welcome, Ann; come in");
        assert_eq!(ann.read(first, "/greeting/").await?, "welcome, Ann; come in");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_token_of_one_side_is_valid_at_the_other_until_it_is_used() -> Result<()> {
    let pair = Pair::start(Agreement::new()).await?;
    let password = "a boat in a blue bottle";
    pair.oracle()
        .ask(json!({"username": "ann", "password": password}), "make_user")?;
    for (first, second) in Side::BOTH_WAYS {
        // Tokens know the last login to the second: it must not be this one.
        let long_ago = json!({"username": "ann", "last_login": "2020-01-02T03:04:05.678901Z"});
        pair.oracle().ask(long_ago, "set_user")?;
        let mut ann = pair.traveller();
        let token = ann.submit(first, "/reset/", &[("username", "ann")]).await?;
        let fields = [("username", "ann"), ("token", token.as_str())];
        assert_eq!(ann.submit(second, "/reset/check/", &fields).await?, "valid");
        assert_eq!(ann.submit(first, "/reset/check/", &fields).await?, "valid");
        // A login at the other side is use enough.
        ann.log_in(second, "ann", password).await?;
        for side in [first, second] {
            assert_eq!(
                ann.submit(side, "/reset/check/", &fields).await?,
                "invalid",
                "{side:?}"
            );
        }
    }
    Ok(())
}
