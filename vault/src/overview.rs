//! What the site is made of, for the person who runs it: printed without a start.

use std::io::{self, Write as _};

use anyhow::Result;
use palisade::SecretKey;
use palisade::clock::Clock;
use palisade::core::token::{Alphabet, random_string};
use palisade::sqlite::Sqlite;

use crate::app;
use crate::cli::{Options, RoutesOptions};
use crate::start::settings;

/// Prints the routes as they would be served. Nothing is made, and no data folder opened.
pub(crate) fn routes(options: &Options, asked: &RoutesOptions) -> Result<()> {
    // Nothing is signed with it.
    let key = SecretKey::new(random_string(64, Alphabet::Base62));
    let settings = settings(options.config.as_deref(), key)?;
    let (database, clock) = (Sqlite::in_memory()?, Clock::system());
    let routes = app::routes(&settings, &database, clock.clone(), &options.widget_origins)?;
    let site = app::palisade(settings, &database, clock)?.protect(routes)?;
    let report = site.routes_report();
    let mut out = io::stdout();
    if asked.json {
        Ok(writeln!(out, "{:#}", report.to_json())?)
    } else {
        Ok(write!(out, "{report}")?)
    }
}
