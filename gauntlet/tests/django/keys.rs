//! A new key with the old one as a fallback: nobody is logged out, and nothing that was signed is lost.

use anyhow::Result;
use gauntlet::beside::{Agreement, HOST, Pair, Side};
use serde_json::{Value, json};

use crate::everywhere::alone_on_each_database;
use crate::logins::{PASSWORD, enrol};

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_key_logs_nobody_out_at_either_side() -> Result<()> {
    alone_on_each_database(Agreement::new(), async |pair| {
        let mut people = Vec::new();
        for ((first, second), name) in Side::BOTH_WAYS.into_iter().zip(["ann", "bob"]) {
            let name = enrol(&pair, name)?;
            let mut ann = pair.traveller();
            ann.log_in(first, &name, PASSWORD).await?;
            ann.submit(first, "/session/", &[("key", "cart"), ("value", "1")])
                .await?;
            ann.submit(first, "/greeting/", &[("value", "welcome")]).await?;
            let signed = ann.submit(first, "/sign/", &[("value", "[1]")]).await?;
            let reset = ann.submit(first, "/reset/", &[("username", &name)]).await?;
            people.push((ann, name, first, second, signed, reset));
        }
        let rotated = pair.agreement().rotated();
        let pair = pair.restarted(rotated).await?;
        let mut upgraded = Vec::new();
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
            let fields = [("username", name.as_str()), ("token", reset.as_str())];
            assert_eq!(ann.submit(*second, "/reset/check/", &fields).await?, "valid");
            upgraded.push((ann, name));
        }
        // Once everybody has been there, the old key can go.
        let finished = Agreement {
            fallbacks: Vec::new(),
            ..pair.agreement().clone()
        };
        let pair = pair.restarted(finished).await?;
        for (ann, name) in upgraded {
            let ann = pair.recognise(&ann);
            for side in Side::EACH {
                assert_eq!(ann.clone().who(side).await?, *name);
            }
        }
        Ok(())
    })
    .await
}

/// All these services are told what this command says, by the same script in a process that runs already.
#[tokio::test(flavor = "multi_thread")]
async fn the_command_of_the_readme_dumps_what_both_must_agree_about() -> Result<()> {
    let pair = Pair::start(Agreement::new().rotated()).await?;
    let dumped = pair.dumped_settings()?;
    assert_eq!(dumped, pair.oracle().settings()?);
    let dumped: Value = serde_json::from_str(&dumped)?;
    assert_eq!(dumped["SECRET_KEY"], json!(pair.agreement().key));
    assert_eq!(dumped["SECRET_KEY_FALLBACKS"], json!(pair.agreement().fallbacks));
    assert_eq!(dumped["ALLOWED_HOSTS"], json!([HOST]));
    assert_eq!(dumped.get("DATABASES"), None, "no more secrets than are needed");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_dropped_ends_what_it_signed_at_both() -> Result<()> {
    alone_on_each_database(Agreement::new(), async |pair| {
        let name = enrol(&pair, "ann")?;
        let mut ann = pair.traveller();
        ann.log_in(Side::Django, &name, PASSWORD).await?;
        let replaced = Agreement {
            key: Agreement::new().key,
            ..pair.agreement().clone()
        };
        let pair = pair.restarted(replaced).await?;
        let ann = pair.recognise(&ann);
        for side in [Side::Palisade, Side::Django] {
            assert_eq!(ann.clone().who(side).await?, "nobody");
        }
        Ok(())
    })
    .await
}
