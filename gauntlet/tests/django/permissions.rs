//! Permissions granted in Django's admin hold here, and every user may the same at both sides.

use anyhow::Result;
use gauntlet::beside::{Pair, Side, Traveller};
use http::StatusCode;
use serde_json::{Value, json};

use crate::everywhere::on_each_database;
use crate::logins::{PASSWORD, named};

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

/// Makes an account with these flags: its name and its number.
fn make(pair: &Pair, name: &str, flags: &Value) -> Result<(String, Value)> {
    let username = named(name);
    let mut user = json!({"username": username, "password": PASSWORD});
    let fields = flags.as_object().cloned().unwrap_or_default();
    user.as_object_mut().unwrap().extend(fields);
    let id = pair.oracle().ask(user, "make_user")?;
    Ok((username, id))
}

/// Fills in a form of Django's admin.
async fn administer(root: &mut Traveller, path: &str, fields: &[(&str, &str)]) -> Result<()> {
    let token = root.token(Side::Palisade).await?;
    let reply = root.send(Side::Django, path, fields, &token).await?;
    anyhow::ensure!(reply.status == StatusCode::FOUND, "{path}: {}", reply.text());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_granted_and_taken_back_in_djangos_admin_holds_here_at_once() -> Result<()> {
    on_each_database(async |pair| {
        let (root, _) = make(pair, "root", &json!({"is_staff": true, "is_superuser": true}))?;
        let (name, id) = make(pair, "ann", &json!({}))?;
        let mut ann = log_in(pair, Side::Palisade, &name).await?;
        assert!(may(&mut ann, Side::Palisade).await?.is_empty());

        // Whoever logged in here is in the admin there.
        let mut root = log_in(pair, Side::Palisade, &root).await?;
        let number = |name: &str| pair.oracle().ask(json!({"name": name}), "permission_id");
        let helpers = named("helpers");
        let of_group = number("auth.view_user")?.to_string();
        let fields = [("name", helpers.as_str()), ("permissions", of_group.as_str())];
        administer(&mut root, "/admin/auth/group/add/", &fields).await?;
        let group = pair
            .oracle()
            .ask(json!({"name": helpers}), "group_id")?
            .to_string();

        let own = number("auth.change_group")?.to_string();
        let path = format!("/admin/auth/user/{id}/change/");
        let (own, group) = (("user_permissions", own.as_str()), ("groups", group.as_str()));
        let staff = ("is_staff", "on");
        for (ticked, expected) in [
            (vec![own], vec!["auth.change_group"]),
            (vec![own, group], vec!["auth.change_group", "auth.view_user"]),
            (vec![group], vec!["auth.view_user"]),
            (vec![staff], vec![]),
            (vec![("is_superuser", "on")], NAMES.to_vec()),
            (vec![], vec![]),
        ] {
            let fields = [
                ("username", name.as_str()),
                ("is_active", "on"),
                ("date_joined_0", "2026-01-02"),
                ("date_joined_1", "03:04:05"),
            ];
            administer(&mut root, &path, &[&fields[..], &ticked].concat()).await?;
            for side in [Side::Palisade, Side::Django] {
                assert_eq!(may(&mut ann, side).await?, expected, "{ticked:?} at {side:?}");
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_superusers_and_inactive_users_may_the_same_at_both() -> Result<()> {
    on_each_database(async |pair| {
        let oracle = pair.oracle();
        let (root, _) = make(pair, "root", &json!({"is_superuser": true}))?;
        let (staff, _) = make(pair, "staff", &json!({"is_staff": true}))?;
        let (member, _) = make(pair, "member", &json!({}))?;
        let helpers = named("helpers");
        for name in ["auth.view_user", "sessions.delete_session"] {
            oracle.ask(json!({"group": helpers, "name": name}), "grant_group")?;
        }
        oracle.ask(json!({"username": member, "group": helpers}), "join")?;
        oracle.ask(json!({"username": member, "name": "auth.view_user"}), "grant")?;
        for (username, expected) in [
            (&root, &NAMES[..]),
            (&staff, &[]),
            (&member, &["auth.view_user", "sessions.delete_session"]),
        ] {
            let mut who = log_in(pair, Side::Django, username).await?;
            for side in [Side::Palisade, Side::Django] {
                assert_eq!(may(&mut who, side).await?, expected, "{username} at {side:?}");
            }
        }
        let mut who = log_in(pair, Side::Palisade, &root).await?;
        oracle.ask(json!({"username": root, "is_active": false}), "set_user")?;
        for side in [Side::Palisade, Side::Django] {
            assert!(may(&mut who, side).await?.is_empty());
        }
        Ok(())
    })
    .await
}
