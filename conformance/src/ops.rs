//! The operations, by name.

use crate::answer::{Answer, object};
use crate::call::{Call, Op};
use crate::failure::Failure;

mod check;
mod crypto;
mod debug;
mod files;
mod html;
mod login;
mod password;
mod permission;
mod session;
mod upload;
mod validator;

/// The operations of each module.
const MODULES: &[&[(&str, Op)]] = &[
    OPS,
    crypto::OPS,
    check::OPS,
    debug::OPS,
    login::OPS,
    validator::OPS,
    files::OPS,
    html::OPS,
    password::OPS,
    permission::OPS,
    session::OPS,
    session::KEYLESS_OPS,
    upload::OPS,
];

/// What tells about the program itself.
const OPS: &[(&str, Op)] = &[("hello", hello)];

/// Finds an operation.
pub(crate) fn find(name: &str) -> Result<Op, Failure> {
    let found = all().find(|(known, _)| *known == name);
    found
        .map(|(_, op)| op)
        .ok_or_else(|| Failure::new("unsupported_op", format!("{name} is not offered")))
}

fn all() -> impl Iterator<Item = (&'static str, Op)> {
    MODULES.iter().flat_map(|module| module.iter().copied())
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every operation may fail, and this one does not"
)]
fn hello(_: &mut Call) -> Result<Answer, Failure> {
    let mut names: Vec<&str> = all()
        .map(|(name, _)| name)
        .filter(|name| *name != "hello")
        .collect();
    names.sort_unstable();
    Ok(object([
        ("protocol", 1_i64.into()),
        (
            "implementation",
            concat!("palisade ", env!("CARGO_PKG_VERSION")).into(),
        ),
        ("ops", names.into_iter().collect()),
    ]))
}
