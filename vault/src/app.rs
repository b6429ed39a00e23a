//! The site on one page: what keeps it, and every route with the exceptions that it makes.
//!
//! Each room says who may reach its routes, and a route that does not say so stops the start. There is one exception, in `widget`:
//! a page that other sites may frame. Everything else has the stack's defaults, which are the strict ones, and needs no word here.

use anyhow::Result;
use palisade::auth::{SqliteSecondFactors, SqliteUsers};
use palisade::clock::Clock;
use palisade::headers::csp_report::{self, CspReports};
use palisade::mail::Mailer;
use palisade::rows::SqliteRows;
use palisade::seal::SealKeys;
use palisade::session::SqliteSessions;
use palisade::sqlite::Sqlite;
use palisade::throttle::SqliteThrottle;
use palisade::{Palisade, Rejection, Router, Settings};

use crate::documents::DOCUMENTS;
use crate::notes::Notes;
use crate::pages::Templates;
use crate::reach::Reach;
use crate::staff::People;
use crate::{account, assets, documents, notes, pages, sessions, staff, widget};

/// Where browsers report what the content security policy has stopped; staff reads it at `/staff/csp/`.
const CSP_REPORT: &str = "/csp-report";

/// What handlers work with.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) notes: Notes,
    pub(crate) people: People,
    pub(crate) templates: Templates,
    pub(crate) clock: Clock,
    pub(crate) csp_reports: CspReports,
    /// Where the site is, for addresses that leave it; nothing, if nobody said.
    pub(crate) site: String,
}

/// Prepares what protects the site: sessions, users and counts of their wrong passwords in one database, and the site's own page for
/// what goes wrong.
///
/// # Errors
///
/// When the database cannot be brought up to date.
pub fn palisade(mut settings: Settings, database: &Sqlite, clock: Clock) -> Result<Palisade> {
    if settings.secure_csp_report_uri.is_none() {
        settings.secure_csp_report_uri = Some(CSP_REPORT.parse()?);
    }
    let templates = Templates::load(&settings)?;
    Ok(Palisade::new(settings)
        .with_clock(clock)
        .with_sessions(SqliteSessions::new(database.clone())?)
        .with_users(SqliteUsers::new(database.clone())?)
        .with_throttle(SqliteThrottle::new(database.clone())?)
        .with_rows(SqliteRows::new(database.clone())?)
        .with_error_page(pages::error_page(templates)))
}

/// Adds the ways back into an account, and the second factor, which the site keeps sealed under these keys.
///
/// # Errors
///
/// When the database cannot be brought up to date.
pub fn with_recovery(
    palisade: Palisade,
    database: &Sqlite,
    keys: SealKeys,
    mailer: Mailer,
) -> Result<Palisade> {
    Ok(palisade
        .with_second_factors(SqliteSecondFactors::new(database.clone())?, keys)
        .with_mailer(mailer))
}

/// Lists every route, each as far as it reaches.
///
/// # Errors
///
/// When the database cannot be brought up to date, or one of the origins is none.
pub fn routes(settings: &Settings, database: &Sqlite, clock: Clock, reach: &Reach) -> Result<Router> {
    database.migrate(DOCUMENTS)?;
    let app = App {
        notes: Notes::open(database.clone())?,
        people: People::of(database.clone()),
        site: settings
            .site_url
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        templates: Templates::load(settings)?,
        clock,
        csp_reports: CspReports::in_sqlite(database.clone())?,
    };
    let routes = Router::new()
        .merge(notes::routes())
        .merge(documents::routes())
        .merge(account::routes())
        .merge(sessions::routes())
        .merge(staff::routes(reach))
        .merge(widget::routes(&reach.widget_origins)?)
        .merge(assets::routes())
        .merge(csp_report::routes(CSP_REPORT, &app.csp_reports))
        .fallback(nothing_here);
    Ok(routes.with_state(app))
}

async fn nothing_here() -> Rejection {
    Rejection::not_found("no route has this path")
        .with_hint("There is no page at this address. It may have been mistyped.")
}
