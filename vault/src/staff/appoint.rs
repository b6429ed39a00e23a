//! Making somebody a member of staff: `vault staff NAME`.
//!
//! There is no page for it: whoever may give staff away on a page is one stolen session away from giving it to anybody. Who can
//! start this program on this machine has the database anyway.

use std::io::{self, Write as _};

use anyhow::{Result, ensure};
use palisade::auth::SqliteUsers;
use palisade::sqlite::Sqlite;
use rusqlite::params;

use crate::cli::StaffOptions;
use crate::data::DataFolder;

/// Does what the command says, beside a running vault or without one. It counts from the person's next request on.
pub(crate) async fn run(data: &DataFolder, asked: &StaffOptions) -> Result<()> {
    let database = Sqlite::open(data.database())?;
    SqliteUsers::new(database.clone())?;
    let done = appoint(&database, &asked.username, !asked.remove).await;
    database.close().await?;
    ensure!(
        done?,
        "there is no account called {:?}: the person signs up first, and names are told apart by upper and lower case",
        asked.username
    );
    let name = &asked.username;
    let said = if asked.remove {
        format!("{name} is no member of staff any more.")
    } else {
        format!("{name} is a member of staff now, and finds the staff area at /staff/.")
    };
    Ok(writeln!(io::stdout(), "{said}")?)
}

/// Writes it down, and says whether there is such an account.
async fn appoint(
    database: &Sqlite,
    username: &str,
    is_staff: bool,
) -> Result<bool, palisade::sqlite::SqliteError> {
    let username = username.to_owned();
    let work = database.write(move |writer| {
        writer.execute(
            "UPDATE auth_user SET is_staff = ?2 WHERE username = ?1",
            params![username, is_staff],
        )
    });
    Ok(work.await? == 1)
}
