//! The links of one's own row: making them, listing them, taking them back.

use std::time::{Duration, SystemTime};

use palisade_core::token::{Alphabet, random_string};

use super::OwnedRow;
use super::asker::Asker;
use super::database::RowError;
use super::link::{IssuedLink, Link, LinkError, LinkTerms, MOST_LINKS};
use super::owned::Owned;
use super::statements::{Given, LinkGiven};
use super::value::{Cell, Kind, Seconds, Value};
use crate::rejection::Rejection;

/// What has ended is listed for so long, and then swept.
const KEPT_AFTER_END: Duration = Duration::from_hours(30 * 24);
/// The letters of a link's id: it opens nothing, and need only be another's of nobody.
const ID_LETTERS: usize = 16;

impl<T: OwnedRow> Owned<T> {
    /// Makes a link that opens the row for whoever holds it, to read, until its end or until it is taken back.
    ///
    /// A route with [`Policies::linked`](crate::Policies::linked) answers it, with a handler that asks for [`Linked<T>`](super::Linked).
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use axum::routing::{get, post};
    /// use palisade::rows::{LinkError, LinkTerms, Linked, Owned};
    /// use palisade::{Policies, Router};
    ///
    /// #[derive(Owned)]
    /// #[owned(table = "document", id = "id", owner = "owner", name = "document")]
    /// struct Document {
    ///     id: i64,
    ///     title: String,
    /// }
    ///
    /// async fn make(document: Owned<Document>) -> Result<String, LinkError> {
    ///     let end = SystemTime::now() + Duration::from_hours(7 * 24);
    ///     let link = document.link(LinkTerms::until(end).label("for the bank")).await?;
    ///     Ok(link.address("https://vault.example/d/{token}/").expose().clone())
    /// }
    ///
    /// async fn open(document: Linked<Document>) -> String {
    ///     document.title.clone()
    /// }
    ///
    /// let _: Router = Router::new()
    ///     .route("/documents/{id}/link/", post(make).owned::<Document>())
    ///     .route("/d/{token}/", get(open).linked::<Document>());
    /// ```
    ///
    /// # Errors
    ///
    /// [`LinkError`]: the terms, a hundred links already ([`RowError::Full`]), a row that is gone, or a database that cannot answer.
    pub async fn link(&self, terms: LinkTerms) -> Result<IssuedLink, LinkError> {
        self.asker().make_link::<T>(self.id(), terms).await
    }

    /// Lists the links, the newest first; also what has ended within the last thirty days.
    ///
    /// # Errors
    ///
    /// When the database cannot answer.
    pub async fn links(&self) -> Result<Vec<Link>, RowError> {
        self.asker().links::<T>(self.id()).await
    }

    /// Takes the link of this id back, at once: whoever opens it later finds nothing. Says whether there was one.
    ///
    /// # Errors
    ///
    /// When the database cannot answer.
    pub async fn revoke_link(&self, id: &str) -> Result<bool, RowError> {
        let asker = self.asker();
        let given = Given {
            link: LinkGiven {
                id: id.to_owned(),
                ..LinkGiven::default()
            },
            ..asker.given_about::<T>(self.id())
        };
        let asked = asker.statements::<T>().link.revoke.with(&given);
        Ok(asker.database().change(asked, Vec::new()).await? > 0)
    }

    /// Takes all links of the row back, at once, and says how many there were.
    ///
    /// # Errors
    ///
    /// When the database cannot answer.
    pub async fn revoke_links(&self) -> Result<u64, RowError> {
        let asker = self.asker();
        let given = asker.given_about::<T>(self.id());
        let asked = asker.statements::<T>().link.revoke_all.with(&given);
        asker.database().change(asked, Vec::new()).await
    }
}

impl Asker {
    async fn make_link<T: OwnedRow>(&self, id: &T::Id, terms: LinkTerms) -> Result<IssuedLink, LinkError> {
        let now = self.context.clock().now();
        terms.judge(now)?;
        let bound_to = match &terms.bound_name {
            Some(name) => self.account_of(name).await?,
            None => None,
        };
        let new = self.context.link_tokens().make(T::TABLE.name, terms.until);
        let link = LinkGiven {
            id: random_string(ID_LETTERS, Alphabet::Base36),
            digest: new.digest,
            label: terms.label,
            bound_name: terms.bound_name,
        };
        let given = Given {
            link,
            grantee: bound_to,
            ends: Some(Seconds::number(new.end)),
            at_most: i64::from(MOST_LINKS),
            ..self.given_about::<T>(id)
        };
        let statements = &self.statements::<T>().link;
        let made = statements.make.with(&given);
        let swept = statements.sweep.with(&Given {
            ends: Some(Seconds::number(
                now.checked_sub(KEPT_AFTER_END).unwrap_or(SystemTime::UNIX_EPOCH),
            )),
            ..Given::over(T::TABLE.name)
        });
        if self.database().change(made, vec![swept]).await? > 0 {
            return Ok(IssuedLink {
                id: given.link.id,
                token: new.token,
                until: new.end,
            });
        }
        let live = self.number(statements.count.with(&given)).await?;
        if live >= u64::from(MOST_LINKS) {
            return Err(RowError::Full { most: MOST_LINKS }.into());
        }
        Err(LinkError::Gone)
    }

    /// Whose account it is now. A name that nobody has is kept as one that somebody has.
    async fn account_of(&self, name: &str) -> Result<Option<i64>, LinkError> {
        let out_of_reach = |rejection: Rejection| RowError::Refused(Box::new(rejection));
        let users = self.context.users().map_err(out_of_reach)?;
        let named = users.store().by_username(name).await?;
        Ok(named.filter(|user| user.is_active).map(|user| user.id))
    }

    async fn links<T: OwnedRow>(&self, id: &T::Id) -> Result<Vec<Link>, RowError> {
        let asked = self.statements::<T>().link.list.with(&self.given_about::<T>(id));
        let (text, number) = (Kind::Text, Kind::Number);
        let kinds = vec![text, text, text, number, number, number];
        let rows = self.database().all(asked, kinds).await?;
        let link = |values: Vec<Value>| {
            let [id, label, bound_to, ends, made, opened] = <[Value; 6]>::try_from(values).ok()?;
            Some(Link {
                id: Cell::from_value(id)?,
                label: Cell::from_value(label)?,
                bound_to: Cell::from_value(bound_to)?,
                until: Seconds::of_number(i64::from_value(ends)?),
                made: Seconds::of_number(i64::from_value(made)?),
                opened: Option::<i64>::from_value(opened)?.map(Seconds::of_number),
            })
        };
        Ok(rows.into_iter().filter_map(link).collect())
    }
}
