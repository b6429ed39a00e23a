//! A statement in the making: the words that every question is said in, and the conditions under which a row is one's own or was
//! granted.
//!
//! What gets into the text is a literal of this program, a name that was checked while compiling, or the place of a value: there is no
//! method that takes anything else.

use super::Place;
use crate::rows::dialect::Dialect;
use crate::rows::table::OwnedTable;
use crate::rows::value::Kind;

/// Over what, and for whom, a statement is written.
#[derive(Debug)]
pub(super) struct Terms {
    pub(super) table: &'static OwnedTable,
    pub(super) id: Kind,
    pub(super) dialect: &'static Dialect,
}

/// A statement in the making. What is said in it is literal, a checked name, or a place for a value.
#[derive(Debug)]
pub(super) struct Draft<'t> {
    pub(super) terms: &'t Terms,
    pub(super) sql: String,
    pub(super) places: Vec<Place>,
}

impl<'t> Draft<'t> {
    pub(super) fn of(terms: &'t Terms) -> Self {
        Self {
            terms,
            sql: String::new(),
            places: Vec::new(),
        }
    }

    pub(super) fn say(mut self, text: &'static str) -> Self {
        self.sql.push_str(text);
        self
    }

    pub(super) fn name(mut self, checked: &'static str) -> Self {
        self.sql.push(self.terms.dialect.quote);
        self.sql.push_str(checked);
        self.sql.push(self.terms.dialect.quote);
        self
    }

    pub(super) fn table(self) -> Self {
        let name = self.terms.table.name;
        self.name(name)
    }

    /// A column of the table, told apart from those of the grants.
    pub(super) fn column(self, name: &'static str) -> Self {
        self.table().say(".").name(name)
    }

    pub(super) fn value(mut self, place: Place) -> Self {
        self.places.push(place);
        self.sql.push(self.terms.dialect.place);
        if self.terms.dialect.numbered {
            self.sql.push_str(&self.places.len().to_string());
        }
        let kind = match place {
            Place::Id => self.terms.id,
            Place::Table
            | Place::RowKey
            | Place::GranteeName
            | Place::LinkId
            | Place::Digest
            | Place::Label
            | Place::BoundName => Kind::Text,
            Place::Written(_, kind) => kind,
            _ => Kind::Number,
        };
        let cast = (self.terms.dialect.cast)(kind);
        self.say(cast)
    }

    pub(super) fn list<T>(mut self, items: &[T], each: impl Fn(Self, usize, &T) -> Self) -> Self {
        for (n, item) in items.iter().enumerate() {
            self = each(if n == 0 { self } else { self.say(", ") }, n, item);
        }
        self
    }

    /// The columns of a row, in the order in which they are read.
    pub(super) fn columns(self) -> Self {
        let columns = self.terms.table.columns;
        self.list(columns, |draft, _, column| {
            let cast = (draft.terms.dialect.cast)(column.kind);
            draft.column(column.name).say(cast)
        })
    }

    /// The row that was asked for. A text is that text to the letter, also where a collation holds others to be equal.
    pub(super) fn this(self) -> Self {
        let (id, kind) = (self.terms.table.id, self.terms.id);
        let this = self.column(id).say(" = ").value(Place::Id);
        match this.terms.dialect.exact {
            Some([before, after]) if kind != Kind::Number => {
                let column = this.say(" AND ").say(before).column(id).say(after);
                column.say(" = ").say(before).value(Place::Id).say(after)
            }
            _ => this,
        }
    }

    /// Who asks is the owner.
    pub(super) fn own(self) -> Self {
        let owner = self.terms.table.owner;
        self.column(owner).say(" = ").value(Place::User)
    }

    pub(super) fn page(self) -> Self {
        self.say(" LIMIT ")
            .value(Place::AtMost)
            .say(" OFFSET ")
            .value(Place::From)
    }

    /// The row that a grant or a link is of. A text is that text to the letter.
    pub(super) fn row_of(self, of: &'static str) -> Self {
        let id = self.terms.table.id;
        match (self.terms.id, self.terms.dialect.exact) {
            (Kind::Number, _) => self.column(id).say(" = ").say(of).say("row_id"),
            (_, None) => self.column(id).say(" = ").say(of).say("row_key"),
            (_, Some([before, after])) => {
                let column = self.say(before).column(id).say(after).say(" = ");
                column.say(before).say(of).say("row_key").say(after)
            }
        }
    }

    /// The grants, or links, of the row that was asked for.
    pub(super) fn of_this_row(self, of: &'static str) -> Self {
        let table = self.say(of).say("table_name = ").value(Place::Table);
        let id = table.say(" AND ").say(of).say("row_id = ").value(Place::RowId);
        id.say(" AND ").say(of).say("row_key = ").value(Place::RowKey)
    }

    /// The grants to who asks that count now. One that another owner gave counts no more.
    pub(super) fn counting(self) -> Self {
        let owner = self.terms.table.owner;
        let granted = self.say("g.grantee_id = ").value(Place::User);
        let by_owner = granted.say(" AND g.granted_by = ").column(owner);
        by_owner
            .say(" AND (g.ends IS NULL OR g.ends > ")
            .value(Place::Now)
            .say(")")
    }

    /// Who asks was granted the role. `hold` makes it wait for whoever takes it away at this moment.
    pub(super) fn may(self, hold: bool) -> Self {
        let grants = self
            .say("EXISTS (SELECT 1 FROM palisade_grant g WHERE ")
            .of_this_row("g.");
        let counting = grants
            .say(" AND ")
            .counting()
            .say(" AND g.role >= ")
            .value(Place::Role);
        let hold = if hold { counting.terms.dialect.hold } else { "" };
        counting.say(hold).say(")")
    }
}
