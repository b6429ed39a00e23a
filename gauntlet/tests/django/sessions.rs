//! Sessions wherever Django can keep them: in its database, its cache, both, a folder, or the cookie.

use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use gauntlet::beside::{Agreement, Database, Keeper, Oracle, Pair, SessionEngine, Side};
use palisade::SecretKey;
use palisade::core::KeyRing;
use palisade::core::session::{SessionCodec, SessionData};
use palisade::session::SessionKey;
use palisade::session::store::Updated;
use proptest::prelude::*;
use serde_json::json;

use crate::answers::{compare, fails, json_text};
use crate::everywhere::with_each;
use crate::logins::{self, PASSWORD, enrol};

const HOUR: Duration = Duration::from_hours(1);

/// Where sessions can be kept but in a cookie, each on a database where that makes a difference.
const STORES: [(SessionEngine, Database); 7] = [
    (SessionEngine::Db, Database::Sqlite),
    (SessionEngine::Db, Database::Postgres),
    (SessionEngine::Db, Database::MariaDb),
    (SessionEngine::Cache, Database::Sqlite),
    (SessionEngine::CachedDb, Database::Sqlite),
    (SessionEngine::CachedDb, Database::Postgres),
    (SessionEngine::File, Database::Sqlite),
];

/// JSON of every kind of value, as a session may have it: each text is how JSON, and how Python, shows it.
const VALUES: [(&str, &str, &str); 12] = [
    ("text", r#""\u00e9\ud83d\ude00\u0000\"\\""#, r#"'é😀\x00"\\'"#),
    ("half", r#""\ud800""#, r"'\ud800'"),
    ("none", "null", "None"),
    ("yes", "true", "True"),
    ("no", "false", "False"),
    ("one", "1", "1"),
    ("float", "1.0", "1.0"),
    ("tiny", "-5e-324", "-5e-324"),
    ("large", "1e+16", "1e+16"),
    (
        "big",
        "-1606938044258990275541962092341162602522202993782792835301376",
        "-1606938044258990275541962092341162602522202993782792835301376",
    ),
    (
        "nested",
        r#"[1,[2.5,null,true,{"":{},"a":[[]]}]]"#,
        "[1, [2.5, None, True, {'': {}, 'a': [[]]}]]",
    ),
    ("_auth_user_id", r#""7""#, "'7'"),
];

fn all_values() -> String {
    let members = VALUES.map(|(name, json, _)| format!("{name:?}:{json}"));
    format!("{{{}}}", members.join(","))
}

/// Waits in a test that proptest runs and not the runtime.
fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(work))
}

fn python(keeper: &Keeper, key: &SessionKey) -> Result<String> {
    let said = keeper
        .oracle()
        .ask(json!({"key": key.expose()}), "read_session")?;
    Ok(said[0].as_str().context("no text")?.to_owned())
}

fn begin_at_django(keeper: &Keeper, json: &str, age: Option<i64>) -> Result<SessionKey> {
    let question = json!({"text": json, "age": age});
    let key = keeper.oracle().text(question, "begin_session")?;
    SessionKey::parse(&key).context("Django's key is none")
}

fn set_at_django(keeper: &Keeper, key: &SessionKey, json: &str) -> Result<()> {
    let question = json!({"key": key.expose(), "text": json});
    keeper.oracle().ask(question, "set_in_session")?;
    Ok(())
}

fn end_at_django(keeper: &Keeper, key: &SessionKey) -> Result<()> {
    keeper.oracle().ask(json!({"key": key.expose()}), "end_session")?;
    Ok(())
}

/// The values that both sides must see, whoever wrote them.
async fn holds_all_values(keeper: &Keeper, key: &SessionKey) -> Result<()> {
    let (here, there) = (keeper.read(key).await?.unwrap_or_default(), python(keeper, key)?);
    for (name, json, python) in VALUES {
        let part = format!("\"{name}\":{json}");
        assert!(here.contains(&part), "Palisade misses {part}: {here}");
        let part = format!("'{name}': {python}");
        assert!(there.contains(&part), "Django misses {part}: {there}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_value_that_one_side_keeps_is_there_at_the_other_and_stays_when_it_changes_another()
-> Result<()> {
    with_each(STORES, async |agreement| {
        let keeper = Keeper::start(&agreement).await?;
        let ours = keeper.begin(&all_values(), HOUR).await?;
        let theirs = begin_at_django(&keeper, &all_values(), None)?;
        for key in [ours, theirs] {
            holds_all_values(&keeper, &key).await?;
            assert_eq!(keeper.set(&key, "here", "[1.5]").await?, Updated::Saved);
            holds_all_values(&keeper, &key).await?;
            set_at_django(&keeper, &key, r#"{"there": [2.5]}"#)?;
            holds_all_values(&keeper, &key).await?;
            let both = python(&keeper, &key)?;
            assert!(
                both.contains("'here': [1.5]") && both.contains("'there': [2.5]"),
                "{both}"
            );
            let both = keeper.read(&key).await?.unwrap_or_default();
            assert!(
                both.contains(r#""here":[1.5]"#) && both.contains(r#""there":[2.5]"#),
                "{both}"
            );
        }
        let long = format!("{{\"long\":{:?},\"many\":{:?}}}", "x".repeat(70_000), [7; 3000]).replace(' ', "");
        let key = begin_at_django(&keeper, &long, None)?;
        assert_eq!(keeper.read(&key).await?.unwrap_or_default(), long);
        let key = keeper.begin(&long, HOUR).await?;
        assert_eq!(
            python(&keeper, &key)?.replace([' '], "").replace('\'', "\""),
            long
        );
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_one_side_ends_or_moves_is_gone_at_the_other() -> Result<()> {
    with_each(STORES, async |agreement| {
        let keeper = Keeper::start(&agreement).await?;
        let ours = keeper.begin(r#"{"n":1}"#, HOUR).await?;
        let theirs = begin_at_django(&keeper, r#"{"n":1}"#, None)?;
        for key in [ours, theirs] {
            assert_eq!(python(&keeper, &key)?, "{'n': 1}");
            let moved = keeper.cycle(&key).await?;
            assert_eq!(
                python(&keeper, &key)?,
                "{}",
                "the old key is nobody's at Django, too"
            );
            assert_eq!(python(&keeper, &moved)?, "{'n': 1}");
            end_at_django(&keeper, &moved)?;
            assert_eq!(keeper.read(&moved).await?, None);
            assert_eq!(
                keeper.set(&moved, "n", "3").await?,
                Updated::Gone,
                "who logged out at Django is logged out here"
            );
            assert_eq!(python(&keeper, &moved)?, "{}", "and does not come back");
        }
        let ours = keeper.begin(r#"{"n":1}"#, HOUR).await?;
        let theirs = begin_at_django(&keeper, r#"{"n":1}"#, None)?;
        for key in [ours, theirs] {
            assert_eq!(python(&keeper, &key)?, "{'n': 1}");
            keeper.store().delete(&key).await?;
            assert_eq!(python(&keeper, &key)?, "{}");
            let raised = set_at_django(&keeper, &key, r#"{"n": 2}"#).is_err();
            assert!(
                raised || keeper.read(&key).await?.is_none(),
                "it does not come back"
            );
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_at_the_same_time_at_both() -> Result<()> {
    with_each(STORES, async |agreement| {
        let keeper = Keeper::start(&agreement).await?;
        let ours = keeper.begin(r#"{"n":1}"#, HOUR).await?;
        let age = keeper
            .oracle()
            .ask(json!({"key": ours.expose()}), "session_age")?;
        let age = age.as_f64().context("no number")?;
        assert!((3500.0..=3600.0).contains(&age), "Django says {age}");
        let theirs = begin_at_django(&keeper, r#"{"n":1}"#, Some(3600))?;
        let age = keeper.ends_in(&theirs).await?.as_secs();
        assert!((3500..=3600).contains(&age), "Palisade says {age}");

        let ended = begin_at_django(&keeper, r#"{"n":1}"#, Some(-5))?;
        assert_eq!(keeper.read(&ended).await?, None);
        let ended = keeper.begin_ended(r#"{"n":1}"#).await?;
        assert_eq!(python(&keeper, &ended)?, "{}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn any_dictionary_goes_through_any_store_unharmed() -> Result<()> {
    let stores = [
        (SessionEngine::Db, Database::Postgres),
        (SessionEngine::Cache, Database::Sqlite),
        (SessionEngine::CachedDb, Database::Sqlite),
        (SessionEngine::File, Database::Sqlite),
    ];
    with_each(stores, async |agreement| {
        let keeper = Keeper::start(&agreement).await?;
        compare(60, &json_text(), |text| {
            let at_django = |key: &SessionKey| {
                let question = json!({"key": key.expose()});
                let said = keeper.oracle().ask(question, "read_session").map_err(fails)?;
                Ok::<_, TestCaseError>(said[1].as_str().map(str::to_owned))
            };
            let theirs = begin_at_django(&keeper, &text, None).map_err(fails)?;
            let expected = at_django(&theirs)?;
            let read = wait(keeper.read(&theirs)).map_err(fails)?;
            prop_assert_eq!(&read, &expected, "read what Django wrote");
            // Changed here, and back as it was.
            wait(keeper.set(&theirs, " ours", "1")).map_err(fails)?;
            wait(keeper.remove(&theirs, " ours")).map_err(fails)?;
            prop_assert_eq!(at_django(&theirs)?, expected.clone(), "changed here");
            let ours = wait(keeper.begin(&text, HOUR)).map_err(fails)?;
            prop_assert_eq!(at_django(&ours)?, expected, "begun here");
            Ok(())
        });
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_plain_data_in_djangos_cache_is_refused_by_name() -> Result<()> {
    let agreement = Agreement {
        sessions: SessionEngine::Cache,
        ..Agreement::new()
    };
    let keeper = Keeper::start(&agreement).await?;
    let key = keeper.oracle().text(json!({}), "begin_session_with_a_date")?;
    let key = SessionKey::parse(&key).context("Django's key is none")?;
    let refused = keeper
        .store()
        .load(&key, SystemTime::now())
        .await
        .err()
        .context("read")?;
    let why = std::error::Error::source(&refused)
        .context("no reason")?
        .to_string();
    assert!(why.contains("datetime.datetime"), "{why}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_login_holds_with_each_of_djangos_session_engines() -> Result<()> {
    let engines = [
        (SessionEngine::Cache, Database::Sqlite),
        (SessionEngine::CachedDb, Database::Postgres),
        (SessionEngine::File, Database::Sqlite),
        (SessionEngine::SignedCookies, Database::Sqlite),
    ];
    with_each(engines, async |agreement| {
        let in_cookies = agreement.sessions == SessionEngine::SignedCookies;
        let pair = Pair::start(agreement).await?;
        logins::login_is_known(&pair).await?;
        logins::session_is_shared(&pair).await?;
        logout_ends_both(&pair, in_cookies).await?;
        logins::new_password_ends_others(&pair).await
    })
    .await
}

/// A logout ends the session at both sides, but not a copy of a session that is in the cookie, at neither.
async fn logout_ends_both(pair: &Pair, in_cookies: bool) -> Result<()> {
    let name = enrol(pair, "ann")?;
    for (first, second) in Side::BOTH_WAYS {
        let mut ann = pair.traveller();
        ann.log_in(first, &name, PASSWORD).await?;
        let mut copy = ann.clone();
        assert_eq!(ann.submit(second, "/logout/", &[]).await?, "out");
        for side in [first, second] {
            assert_eq!(ann.who(side).await?, "nobody");
            let kept = if in_cookies { &*name } else { "nobody" };
            assert_eq!(copy.who(side).await?, kept, "logged out at {second:?}");
        }
    }
    Ok(())
}

fn cookie_codec(agreement: &Agreement) -> SessionCodec {
    let keys = KeyRing::new(SecretKey::new(agreement.key.clone()));
    SessionCodec::with_salt(&keys, "django.contrib.sessions.backends.signed_cookies")
}

#[test]
fn any_dictionary_goes_through_the_cookie_unharmed() {
    let agreement = Agreement {
        sessions: SessionEngine::SignedCookies,
        ..Agreement::new()
    };
    let (oracle, codec) = (Oracle::alone(&agreement).unwrap(), cookie_codec(&agreement));
    compare(150, &json_text(), |text| {
        let theirs = oracle
            .text(json!({"text": text}), "begin_session")
            .map_err(fails)?;
        let said = oracle
            .ask(json!({"key": theirs}), "read_session")
            .map_err(fails)?;
        let read = codec.decode(&theirs).map_err(fails)?;
        prop_assert_eq!(
            Some(&**read.to_json()),
            said[1].as_str(),
            "read what Django wrote"
        );
        let ours = SessionData::from_json(text).map_err(fails)?;
        let ours = codec.encode(&ours, SystemTime::now());
        let back = oracle.ask(json!({"key": ours}), "read_session").map_err(fails)?;
        prop_assert_eq!(&back[1], &said[1], "Django read what we wrote");
        Ok(())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_cookie_that_is_too_old_or_not_signed_is_nobodys_at_both() -> Result<()> {
    let agreement = Agreement {
        sessions: SessionEngine::SignedCookies,
        ..Agreement::new()
    };
    let codec = cookie_codec(&agreement);
    let pair = Pair::start(agreement).await?;
    let data = SessionData::from_json(r#"{"cart":1}"#.to_owned())?;
    let now = SystemTime::now();
    let young = codec.encode(&data, now - 13 * 24 * HOUR);
    let old = codec.encode(&data, now - 15 * 24 * HOUR);
    let forged = young.replacen(':', "x:", 1);
    for side in Side::EACH {
        for (cookie, expected) in [(&young, r#"{"cart":1}"#), (&old, "{}"), (&forged, "{}")] {
            let mut ann = pair.traveller().with_cookie("sessionid", cookie);
            let shown = ann.read(side, "/session/").await?.replace(' ', "");
            assert_eq!(shown, expected, "{cookie} at {side:?}");
        }
    }
    Ok(())
}
