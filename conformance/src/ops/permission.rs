//! `auth.permissions` and its sisters: who may do what.

use palisade_core::permission::{Granted, Holder, Origin, PermissionName, Permissions};

use crate::answer::{Answer, object};
use crate::call::{Call, Op};
use crate::failure::Failure;

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
    let permissions = permissions(call, granted)?;
    Ok(permissions.granted().map(ToString::to_string).collect())
}

fn perm(call: &mut Call) -> Result<Answer, Failure> {
    let permissions = permissions(call, Granted::All)?;
    // What names no permission was granted to nobody.
    let name = call.args.text("perm")?.parse();
    Ok(name.is_ok_and(|name| permissions.has_perm(&name)).into())
}

fn module_perms(call: &mut Call) -> Result<Answer, Failure> {
    let permissions = permissions(call, Granted::All)?;
    Ok(permissions.has_module_perms(&call.args.text("app_label")?).into())
}

/// What the user may do, by the lists of the host.
fn permissions(call: &Call, granted: Granted) -> Result<Permissions, Failure> {
    Permissions::listed(holder(call)?, granted, with_object(call)?, |origin| {
        let kind = match origin {
            Origin::User => "user",
            Origin::Group => "group",
            Origin::Every => "every",
        };
        let listed = call
            .host
            .call("permissions.load", object([("kind", kind.into())]))?;
        let names: Vec<String> = serde_json::from_str(&listed).map_err(Failure::internal)?;
        let parsed = names.iter().map(|name| name.parse::<PermissionName>());
        parsed.collect::<Result<Vec<_>, _>>().map_err(Failure::internal)
    })
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
