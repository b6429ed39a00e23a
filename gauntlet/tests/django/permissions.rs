//! Permissions granted in Django's admin hold here, and every user may the same at both sides.

use anyhow::Result;
use gauntlet::beside::{Agreement, Pair, Side, Traveller};
use http::StatusCode;
use serde_json::{Value, json};

const PASSWORD: &str = "a boat in a blue bottle";
const NAMES: [&str; 3] = ["auth.change_group", "auth.view_user", "sessions.delete_session"];

async fn may(who: &mut Traveller, side: Side) -> Result<Vec<&'static str>> {
    let mut allowed = Vec::new();
    for name in NAMES {
        if who.submit(side, "/can/", &[("permission", name)]).await? == "yes" {
            allowed.push(name);
        }
    }
    Ok(allowed)
}

async fn log_in(pair: &Pair, side: Side, username: &str) -> Result<Traveller> {
    let mut who = pair.traveller();
    who.log_in(side, username, PASSWORD).await?;
    Ok(who)
}

fn make(pair: &Pair, username: &str, flags: &Value) -> Result<Value> {
    let mut user = json!({"username": username, "password": PASSWORD});
    let fields = flags.as_object().cloned().unwrap_or_default();
    user.as_object_mut().unwrap().extend(fields);
    pair.oracle().ask(user, "make_user")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_granted_in_djangos_admin_holds_here_at_once() -> Result<()> {
    let pair = Pair::start(Agreement::new()).await?;
    make(&pair, "root", &json!({"is_staff": true, "is_superuser": true}))?;
    let id = make(&pair, "ann", &json!({}))?;
    let mut ann = log_in(&pair, Side::Palisade, "ann").await?;
    assert!(may(&mut ann, Side::Palisade).await?.is_empty());

    // Whoever logged in here is in the admin there.
    let mut root = log_in(&pair, Side::Palisade, "root").await?;
    let permission = pair
        .oracle()
        .ask(json!({"name": "auth.change_group"}), "permission_id")?
        .to_string();
    let path = format!("/admin/auth/user/{id}/change/");
    let fields = [
        ("username", "ann"),
        ("is_active", "on"),
        ("user_permissions", permission.as_str()),
        ("date_joined_0", "2026-01-02"),
        ("date_joined_1", "03:04:05"),
    ];
    let token = root.token(Side::Palisade).await?;
    let reply = root.send(Side::Django, &path, &fields, &token).await?;
    assert_eq!(reply.status, StatusCode::FOUND, "{}", reply.text());

    for side in [Side::Palisade, Side::Django] {
        assert_eq!(may(&mut ann, side).await?, ["auth.change_group"], "{side:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_superusers_and_inactive_users_may_the_same_at_both() -> Result<()> {
    let pair = Pair::start(Agreement::new()).await?;
    let oracle = pair.oracle();
    make(&pair, "root", &json!({"is_superuser": true}))?;
    make(&pair, "staff", &json!({"is_staff": true}))?;
    make(&pair, "member", &json!({}))?;
    for name in ["auth.view_user", "sessions.delete_session"] {
        oracle.ask(json!({"group": "helpers", "name": name}), "grant_group")?;
    }
    oracle.ask(json!({"username": "member", "group": "helpers"}), "join")?;
    oracle.ask(json!({"username": "member", "name": "auth.view_user"}), "grant")?;
    for (username, expected) in [
        ("root", &NAMES[..]),
        ("staff", &[]),
        ("member", &["auth.view_user", "sessions.delete_session"]),
    ] {
        let mut who = log_in(&pair, Side::Django, username).await?;
        for side in [Side::Palisade, Side::Django] {
            assert_eq!(may(&mut who, side).await?, expected, "{username} at {side:?}");
        }
    }
    let mut root = log_in(&pair, Side::Palisade, "root").await?;
    oracle.ask(json!({"username": "root", "is_active": false}), "set_user")?;
    for side in [Side::Palisade, Side::Django] {
        assert!(may(&mut root, side).await?.is_empty());
    }
    Ok(())
}
