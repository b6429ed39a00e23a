//! A row that a link opens, as an extractor, and the rule of a route that takes links.
//!
//! 1. The signature and the end are looked at first: whoever makes tokens up, or alters one, asks the database nothing.
//! 2. One query then finds the link, that it was not taken back, the row, that the row still is theirs who made the link, and that they may
//!    still log in.
//! 3. Whatever is wrong is one and the same 404. Whoever holds a good link that is bound to a user, and is not logged in, is sent to log in.
//! 4. What is answered is kept out of caches, search engines and `Referer`, whatever it is.

use std::any::TypeId;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams};
use futures_util::future::{BoxFuture, FutureExt};
use http::header::{CACHE_CONTROL, REFERRER_POLICY};
use http::{HeaderName, HeaderValue, Response, request};
use palisade_core::Threat;

use super::OwnedRow;
use super::asker::Cells;
use super::statements::{Given, LinkGiven, Statements};
use super::value::{Cell, Kind, Seconds, Value};
use crate::auth::LoggedIn;
use crate::rejection::Rejection;
use crate::stack::StackContext;

/// What the address's parameter is called that holds a link's token. Its name keeps it out of logs.
const PARAMETER: &str = "token";
/// What is read of a link beside the columns of its row: the owner, the link's id, to whom it is bound by name and number, and when it was
/// last opened.
pub(super) const OPENED: [Kind; 5] = [Kind::Number, Kind::Text, Kind::Text, Kind::Number, Kind::Number];
/// That a link was opened is written at most so often.
const NOTED_EVERY: Duration = Duration::from_hours(1);

const X_ROBOTS_TAG: HeaderName = HeaderName::from_static("x-robots-tag");

/// The row that the link in the address opens, to read.
///
/// Its route says [`Policies::linked`](crate::Policies::linked), and has `{token}` in its path. Nobody has to be logged in, unless
/// the link is bound to a user. There are no methods that change: a link is to read.
///
/// # Example
///
/// ```
/// use axum::routing::get;
/// use palisade::rows::{Linked, Owned};
/// use palisade::{Policies, Router};
///
/// #[derive(Owned)]
/// #[owned(table = "document", id = "id", owner = "owner", name = "document")]
/// struct Document {
///     id: i64,
///     title: String,
/// }
///
/// async fn open(document: Linked<Document>) -> String {
///     document.title.clone()
/// }
/// # let _: Router = Router::new().route("/d/{token}/", get(open).linked::<Document>());
/// ```
///
/// Whoever holds a link changes nothing:
///
/// ```compile_fail,E0599
/// # use palisade::rows::{Linked, OwnedRow, RowChange};
/// async fn change<T: OwnedRow, C: RowChange<Row = T>>(row: Linked<T>, change: C) {
///     row.update(change).await;
/// }
/// ```
#[derive(Debug)]
pub struct Linked<T> {
    row: T,
    owner: i64,
    link: String,
    bound_to: Option<i64>,
    until: SystemTime,
}

impl<T> Deref for Linked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.row
    }
}

impl<T> Linked<T> {
    /// The row itself.
    pub fn into_row(self) -> T {
        self.row
    }

    /// The number of the user who owns the row.
    pub fn owner_id(&self) -> i64 {
        self.owner
    }

    /// The link's id, as its owner sees it: for a log.
    pub fn link_id(&self) -> &str {
        &self.link
    }

    /// Says whether the link is bound to a user, who is the one logged in.
    pub fn is_bound(&self) -> bool {
        self.bound_to.is_some()
    }

    /// When the link ends.
    pub fn until(&self) -> SystemTime {
        self.until
    }
}

/// Says that a route's rule has taken a link to this table, so that its answer is kept out of caches.
#[derive(Clone, Copy)]
struct Ruled(&'static str);

/// What the rule has found, for the handler's extractor. Taken out once; whoever asks again asks the database.
struct Held<T>(Arc<Mutex<Option<Linked<T>>>>);

impl<T> Clone for Held<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: OwnedRow, S: Sync> FromRequestParts<S> for Linked<T> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut request::Parts, _state: &S) -> Result<Self, Rejection> {
        if !matches!(parts.extensions.get(), Some(Ruled(table)) if *table == T::TABLE.name) {
            return Err(Rejection::internal(format!(
                "a handler asks for what a link to {0} opens, and its route does not say .linked::<T>() of {0}",
                T::TABLE.name
            )));
        }
        let held = parts.extensions.get::<Held<T>>();
        let held = held.and_then(|held| held.0.lock().unwrap_or_else(PoisonError::into_inner).take());
        match held {
            Some(found) => Ok(found),
            None => open(parts).await,
        }
    }
}

/// Of what table a link has to be: made by [`Policies::linked`](crate::Policies::linked).
#[derive(Clone, Copy)]
pub struct LinkRule {
    row: TypeId,
    table: &'static str,
    ask: for<'a> fn(&'a mut request::Parts) -> BoxFuture<'a, Result<(), Rejection>>,
}

impl LinkRule {
    /// A link to a row of this table.
    pub fn of<T: OwnedRow>() -> Self {
        Self {
            row: TypeId::of::<T>(),
            table: T::TABLE.name,
            ask: |parts| ask::<T>(parts).boxed(),
        }
    }

    /// The parameter of the path that holds the token, of whichever table the link is.
    pub fn parameter() -> &'static str {
        PARAMETER
    }

    pub(crate) async fn admit(&self, parts: &mut request::Parts) -> Result<(), Rejection> {
        (self.ask)(parts).await
    }

    /// Keeps what is answered to a link's holder, or to somebody who tries one, where it is.
    pub(crate) fn keep_in(response: &mut Response<Body>) {
        let headers = response.headers_mut();
        // Whatever the handler said: the address is the key.
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(
            X_ROBOTS_TAG,
            HeaderValue::from_static("noindex, nofollow, noarchive"),
        );
    }
}

/// Opens the link, and keeps what it opens for the handler's extractor.
async fn ask<T: OwnedRow>(parts: &mut request::Parts) -> Result<(), Rejection> {
    let linked = open::<T>(parts).await?;
    parts.extensions.insert(Ruled(T::TABLE.name));
    parts.extensions.insert(Held(Arc::new(Mutex::new(Some(linked)))));
    Ok(())
}

async fn open<T: OwnedRow>(parts: &mut request::Parts) -> Result<Linked<T>, Rejection> {
    let context = StackContext::of(&parts.extensions)?;
    let parameters = RawPathParams::from_request_parts(parts, &()).await;
    // What is not even text is no token.
    let parameters = parameters.map_err(|_| nothing::<T>("the address is no text"))?;
    let named = parameters.iter().find(|(name, _)| *name == PARAMETER);
    let (_, token) = named.ok_or_else(|| {
        Rejection::internal(format!(
            "the route has no parameter {{{PARAMETER}}}, which holds the link's token"
        ))
    })?;
    let now = context.clock().now();
    let claim = context.link_tokens().read(T::TABLE.name, token, now);
    let claim = claim.map_err(|bad| nothing::<T>(&bad.to_string()))?;

    let database = &*context.rows()?.0;
    let statements = Statements::of::<T>(T::TABLE, <T::Id as Cell>::KIND, database.dialect());
    let given = Given {
        now: Seconds::number(now),
        link: LinkGiven {
            digest: claim.digest,
            ..LinkGiven::default()
        },
        ..Given::over(T::TABLE.name)
    };
    let columns = T::TABLE.columns;
    let kinds = columns.iter().map(|column| column.kind).chain(OPENED).collect();
    let found = database.all(statements.link.open.with(&given), kinds).await?;
    let gone = "the link was taken back, or its row is gone, or who made it has it no more or is not active";
    let mut values = found.into_iter().next().ok_or_else(|| nothing::<T>(gone))?;
    let beside = values.split_off(columns.len().min(values.len()));
    let row = T::read(&mut Cells::of::<T>(values))?;
    let kept =
        Kept::read(beside).ok_or_else(|| Rejection::internal("palisade_link holds what no link is"))?;

    if kept.is_bound {
        let user = <LoggedIn as FromRequestParts<()>>::from_request_parts(parts, &()).await?;
        if kept.bound_to != Some(user.id) {
            return Err(nothing::<T>("the link is bound to another user"));
        }
    }
    let is_noted = |at: SystemTime| now.duration_since(at).is_ok_and(|since| since < NOTED_EVERY);
    if !kept.opened.is_some_and(is_noted) {
        let noted = statements.link.note.with(&Given {
            link: LinkGiven {
                id: kept.link.clone(),
                ..LinkGiven::default()
            },
            ..given
        });
        if let Err(error) = database.change(noted, Vec::new()).await {
            tracing::warn!(target: "palisade::rows", link = kept.link, "it is not noted that a link was opened: {error}");
        }
    }
    Ok(Linked {
        row,
        owner: kept.owner,
        link: kept.link,
        bound_to: kept.bound_to,
        until: claim.end,
    })
}

/// What is kept of a link.
struct Kept {
    owner: i64,
    link: String,
    /// To a name, which is not to say to somebody.
    is_bound: bool,
    bound_to: Option<i64>,
    opened: Option<SystemTime>,
}

impl Kept {
    fn read(values: Vec<Value>) -> Option<Self> {
        let [owner, link, bound_name, bound_to, opened] = <[Value; 5]>::try_from(values).ok()?;
        let bound_name: Option<String> = Cell::from_value(bound_name)?;
        let bound_to: Option<i64> = Cell::from_value(bound_to)?;
        Some(Self {
            owner: Cell::from_value(owner)?,
            link: Cell::from_value(link)?,
            is_bound: bound_name.is_some() || bound_to.is_some(),
            bound_to,
            opened: Option::<i64>::from_value(opened)?.map(Seconds::of_number),
        })
    }
}

/// The one answer to every link that opens nothing. Why is for the log.
fn nothing<T: OwnedRow>(why: &str) -> Rejection {
    Rejection::not_found(format!("no link to a row of {}: {why}", T::TABLE.name))
        .with_threat(Threat::BrokenAccessControl)
        .with_hint("This link leads nowhere: it has ended, was taken back, or is not whole. Ask who gave it to you for another.")
}

impl PartialEq for LinkRule {
    fn eq(&self, other: &Self) -> bool {
        self.row == other.row
    }
}

impl Eq for LinkRule {}

impl fmt::Debug for LinkRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LinkRule").field(&format_args!("{self}")).finish()
    }
}

impl fmt::Display for LinkRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "link to {}", self.table)
    }
}
