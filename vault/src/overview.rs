//! What the site is made of, for the person who runs it: printed without a start.

use std::io::{self, Write as _};

use anyhow::{Result, ensure};
use palisade::SecretKey;
use palisade::check::{Finding, Level, Report};
use palisade::clock::Clock;
use palisade::core::Threat;
use palisade::core::token::{Alphabet, random_string};
use palisade::sqlite::Sqlite;

use crate::app;
use crate::cli::{CheckOptions, Options, RoutesOptions};
use crate::data::DataFolder;
use crate::reach::Reach;
use crate::start::{Asked, config, load, own_settings, readably, settings, variables, with_mail};

/// Prints the routes as they would be served. Nothing is made, and no data folder opened.
pub(crate) fn routes(options: &Options, asked: &RoutesOptions) -> Result<()> {
    // Nothing is signed with it.
    let key = SecretKey::new(random_string(64, Alphabet::Base62));
    let settings = settings(options.config.as_deref(), own_settings(key))?;
    let (database, clock) = (Sqlite::in_memory()?, Clock::system());
    let routes = app::routes(&settings, &database, clock.clone(), &Reach::of(options)?)?;
    let site = app::palisade(settings, &database, clock)?.protect(routes)?;
    let report = site.routes_report();
    let mut out = io::stdout();
    if asked.json {
        Ok(writeln!(out, "{:#}", report.to_json())?)
    } else {
        Ok(write!(out, "{report}")?)
    }
}

/// Prints everything that is wrong with the settings and the files of the data folder, which is left as it is.
pub(crate) fn check(options: &Options, asked: &CheckOptions) -> Result<()> {
    // The vault makes its own key, and refuses a bad one by itself: none is judged here in its place.
    let own = own_settings(SecretKey::new(random_string(64, Alphabet::Base62)));
    let mut report = match config(options.config.as_deref()) {
        Some(path) => Report::read(own, path, variables()).map_err(readably)?,
        None => match own.overlaid(None, variables()) {
            Ok(settings) => Report::of(&settings),
            Err(refused) => Report::of_refused(&refused),
        },
    };
    // What cannot be loaded is in the report already.
    let own = own_settings(SecretKey::new(random_string(64, Alphabet::Base62)));
    if let Ok(settings) = load(options.config.as_deref(), own) {
        let folder = DataFolder::mail_in(&options.data);
        if let Some(key) = options
            .key
            .as_ref()
            .filter(|_| !settings.dangerous_readable_secrets)
        {
            report.add_secret_file("certificate_key", key);
        }
        report.add_mail(&with_mail(settings, &folder, Asked::of(options)?.https)?);
    }
    for (setting, file) in DataFolder::secret_files(&options.data) {
        report.add_secret_file(setting, &file);
    }
    for (setting, fault) in DataFolder::faults(&options.data) {
        let (what, advice) = fault.split_once(": ").unwrap_or((&fault, "see `vault --help`"));
        report.add(Finding::error(setting, Threat::SessionHijacking, what, advice));
    }
    let mut out = io::stdout();
    if asked.json {
        writeln!(out, "{:#}", report.to_json())?;
    } else {
        write!(out, "{report}")?;
    }
    let (least, found) = if asked.strict {
        (Level::Warning, "something was found")
    } else {
        (Level::Error, "the vault does not start so")
    };
    ensure!(!report.has(least), found);
    Ok(())
}
