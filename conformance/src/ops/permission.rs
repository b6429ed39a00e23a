//! `auth.permissions` and its sisters: who may do what.

use std::collections::BTreeSet;

use palisade_core::permission::lists::{Granted, Holder, Origin, has_module_perms, has_perm, permissions};

use crate::answer::{Answer, object};
use crate::call::{Call, Op};
use crate::failure::Failure;
use crate::host::Host;

pub(crate) const OPS: &[(&str, Op)] = &[
    ("auth.permissions", list),
    ("auth.has_perm", perm),
    ("auth.has_module_perms", module_perms),
];

fn list(call: &mut Call) -> Result<Answer, Failure> {
    let granted = match call.args.text("kind")?.as_str() {
        "user" => Granted::User,
        "group" => Granted::Group,
        _ => Granted::All,
    };
    let found = permissions(
        holder(call)?,
        granted,
        with_object(call)?,
        lists(call.host.clone()),
    )?;
    Ok(found.into_iter().collect())
}

fn perm(call: &mut Call) -> Result<Answer, Failure> {
    let perm = call.args.text("perm")?;
    Ok(has_perm(holder(call)?, &perm, with_object(call)?, lists(call.host.clone()))?.into())
}

fn module_perms(call: &mut Call) -> Result<Answer, Failure> {
    let app_label = call.args.text("app_label")?;
    Ok(has_module_perms(holder(call)?, &app_label, lists(call.host.clone()))?.into())
}

fn holder(call: &Call) -> Result<Holder, Failure> {
    let user = call.args.object("user")?;
    Ok(Holder {
        is_active: user.get("is_active")?,
        is_anonymous: user.get("is_anonymous")?,
        is_superuser: user.get("is_superuser")?,
    })
}

fn with_object(call: &Call) -> Result<bool, Failure> {
    Ok(call.args.get::<Option<bool>>("with_object")?.unwrap_or_default())
}

fn lists(host: Host) -> impl FnMut(Origin) -> Result<BTreeSet<String>, Failure> {
    move |origin| {
        let kind = match origin {
            Origin::User => "user",
            Origin::Group => "group",
            Origin::Every => "every",
        };
        let listed = host.call("permissions.load", object([("kind", kind.into())]))?;
        serde_json::from_str(&listed).map_err(Failure::internal)
    }
}
