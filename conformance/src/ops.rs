//! The operations, by name.

use crate::answer::{Answer, object};
use crate::call::{Call, Op};
use crate::failure::Failure;

mod check;
mod cookie;
mod crypto;
mod csrf;
mod debug;
mod files;
mod html;
mod http;
mod login;
mod password;
mod permission;
mod request;
mod security;
mod session;
mod signing;
mod upload;
mod validator;

/// The operations of each module, one a line so that two people can add one each.
#[rustfmt::skip]
const MODULES: &[&[(&str, Op)]] = &[
    OPS,
    crypto::OPS,
    signing::OPS,
    cookie::OPS,
    request::OPS,
    http::OPS,
    security::OPS,
    csrf::OPS,
    session::OPS,
    session::KEYLESS_OPS,
    password::OPS,
    validator::OPS,
    login::OPS,
    permission::OPS,
    check::OPS,
    files::OPS,
    upload::OPS,
    html::OPS,
    debug::OPS,
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
