//! What stands in for a database that the command was built without: the way to have it.

use std::future::ready;

use anyhow::{Result, anyhow};
use palisade::auth::{PasswordTable, UserTable};

pub(super) fn open(_: &str, _: &UserTable) -> impl Future<Output = Result<Box<dyn PasswordTable>>> {
    ready(Err(anyhow!(
        "this command was built without that database: build it with --features postgres,mysql"
    )))
}
