//! A new key with the old one as a fallback: nobody is logged out, and nothing that was signed is lost.

use anyhow::Result;
use gauntlet::beside::{Agreement, Pair, Side};
use serde_json::json;

const PASSWORD: &str = "a boat in a blue bottle";

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_key_logs_nobody_out_at_either_side() -> Result<()> {
    let pair = Pair::start(Agreement::new()).await?;
    let mut people = Vec::new();
    for ((first, second), name) in Side::BOTH_WAYS.into_iter().zip(["ann", "bob"]) {
        pair.oracle()
            .ask(json!({"username": name, "password": PASSWORD}), "make_user")?;
        let mut ann = pair.traveller();
        ann.log_in(first, name, PASSWORD).await?;
        ann.submit(first, "/session/", &[("key", "cart"), ("value", "1")])
            .await?;
        ann.submit(first, "/greeting/", &[("value", "welcome")]).await?;
        let signed = ann.submit(first, "/sign/", &[("value", "[1]")]).await?;
        let reset = ann.submit(first, "/reset/", &[("username", name)]).await?;
        people.push((ann, name, first, second, signed, reset));
    }
    let rotated = pair.agreement().rotated();
    let pair = pair.restarted(rotated).await?;
    for (ann, name, first, second, signed, reset) in &people {
        let mut ann = pair.recognise(ann);
        let old = ann.cookie("sessionid").map(str::to_owned);
        // The side that did not begin the session meets the old signature first.
        assert_eq!(ann.who(*second).await?, *name, "begun at {first:?}");
        assert_ne!(
            ann.cookie("sessionid").map(str::to_owned),
            old,
            "signed again under a new key"
        );
        assert_eq!(ann.who(*first).await?, *name);
        assert_eq!(
            ann.read(*first, "/session/").await?.replace(' ', ""),
            r#"{"cart":1}"#
        );
        assert_eq!(ann.read(*second, "/greeting/").await?, "welcome");
        assert_eq!(
            ann.submit(*second, "/unsign/", &[("signed", signed)]).await?,
            "[1]"
        );
        let fields = [("username", *name), ("token", reset.as_str())];
        assert_eq!(ann.submit(*second, "/reset/check/", &fields).await?, "valid");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_dropped_ends_what_it_signed_at_both() -> Result<()> {
    let pair = Pair::start(Agreement::new()).await?;
    pair.oracle()
        .ask(json!({"username": "ann", "password": PASSWORD}), "make_user")?;
    let mut ann = pair.traveller();
    ann.log_in(Side::Django, "ann", PASSWORD).await?;
    let pair = pair.restarted(Agreement::new()).await?;
    let ann = pair.recognise(&ann);
    for side in [Side::Palisade, Side::Django] {
        assert_eq!(ann.clone().who(side).await?, "nobody");
    }
    Ok(())
}
