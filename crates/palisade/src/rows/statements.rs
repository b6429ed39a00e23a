//! The questions that can be asked about rows of users. Each of them names the owner.
//!
//! They are put together once for each type and dialect, from names that were checked while compiling, and are kept for the life
//! of the process; values only ever travel beside them. They are written once for all databases, so that these cannot come to
//! differ in who may reach what.

mod draft;
mod link;

use std::any::TypeId;
use std::collections::BTreeMap;
use std::sync::{LazyLock, PoisonError, RwLock};

use super::dialect::Dialect;
use super::table::{Column, OwnedTable, Written};
use super::value::{Kind, Value};
use draft::{Draft, Terms};
pub(super) use link::LinkStatements;

/// What is asked about the rows of a table.
#[derive(Debug)]
pub(super) struct Statements {
    /// One's own row.
    pub(super) find: Statement,
    /// A row that is one's own or that one was granted, with its owner and the role.
    pub(super) reach: Statement,
    /// One's own rows, in each order: by each column, upwards and downwards.
    pub(super) lists: Vec<(&'static str, [Statement; 2])>,
    pub(super) count: Statement,
    /// Rows that others have granted.
    pub(super) shared: Statement,
    pub(super) delete: Statement,
    pub(super) grant: Statement,
    pub(super) grants: Statement,
    pub(super) count_grants: Statement,
    pub(super) revoke: Statement,
    pub(super) leave: Statement,
    /// All grants of a row that is no more, or is new.
    pub(super) forget: Statement,
    pub(super) link: LinkStatements,
}

/// How some columns are written.
#[derive(Debug)]
pub(super) struct Writing {
    pub(super) insert: Statement,
    /// Of one's own row.
    pub(super) update: Statement,
    /// Of a row that one was granted to change, or that is one's own.
    pub(super) update_reached: Statement,
}

/// A statement, and what its places are for, in their order.
#[derive(Debug)]
pub(super) struct Statement {
    sql: &'static str,
    places: Vec<Place>,
}

/// What a value in a statement is.
#[derive(Clone, Copy, Debug)]
enum Place {
    User,
    Id,
    Table,
    RowId,
    RowKey,
    Now,
    Role,
    Ends,
    GranteeName,
    Grantee,
    AtMost,
    From,
    LinkId,
    Digest,
    Label,
    /// The name that a link is bound to, if it is to one.
    BoundName,
    Written(usize, Kind),
}

/// What a statement is asked with; it takes what it has places for.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) table: &'static str,
    /// Who asks. There is no question without it.
    pub(super) user: i64,
    pub(super) now: i64,
    pub(super) id: Value,
    pub(super) key: (i64, String),
    pub(super) role: i64,
    pub(super) ends: Option<i64>,
    pub(super) grantee_name: String,
    pub(super) grantee: Option<i64>,
    pub(super) at_most: i64,
    pub(super) from: i64,
    pub(super) link: LinkGiven,
    pub(super) written: Vec<Value>,
}

/// What is asked about a link.
#[derive(Clone, Debug, Default)]
pub(super) struct LinkGiven {
    pub(super) id: String,
    pub(super) digest: String,
    pub(super) label: String,
    pub(super) bound_name: Option<String>,
}

/// A statement with its values.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) sql: &'static str,
    pub(super) values: Vec<Value>,
}

impl Given {
    /// A question about a table, by nobody and about nothing yet.
    pub(super) fn over(table: &'static str) -> Self {
        Self {
            table,
            user: 0,
            now: 0,
            id: Value::Null,
            key: (0, String::new()),
            role: 0,
            ends: None,
            grantee_name: String::new(),
            grantee: None,
            at_most: 0,
            from: 0,
            link: LinkGiven::default(),
            written: Vec::new(),
        }
    }

    /// A question about a row.
    pub(super) fn about(table: &'static str, id: &Value) -> Self {
        let key = match id {
            Value::Number(number) => (*number, String::new()),
            Value::Text(text) => (0, text.clone()),
            _ => (0, String::new()),
        };
        Self {
            id: id.clone(),
            key,
            ..Self::over(table)
        }
    }
}

impl Statement {
    /// Puts values into the places.
    pub(super) fn with(&self, given: &Given) -> Asked {
        let value = |place: &Place| match *place {
            Place::User => Value::Number(given.user),
            Place::Id => given.id.clone(),
            Place::Table => Value::Text(given.table.to_owned()),
            Place::RowId => Value::Number(given.key.0),
            Place::RowKey => Value::Text(given.key.1.clone()),
            Place::Now => Value::Number(given.now),
            Place::Role => Value::Number(given.role),
            Place::Ends => given.ends.map_or(Value::Null, Value::Number),
            Place::GranteeName => Value::Text(given.grantee_name.clone()),
            Place::Grantee => given.grantee.map_or(Value::Null, Value::Number),
            Place::AtMost => Value::Number(given.at_most),
            Place::From => Value::Number(given.from),
            Place::LinkId => Value::Text(given.link.id.clone()),
            Place::Digest => Value::Text(given.link.digest.clone()),
            Place::Label => Value::Text(given.link.label.clone()),
            Place::BoundName => given.link.bound_name.clone().map_or(Value::Null, Value::Text),
            Place::Written(column, _) => given.written.get(column).cloned().unwrap_or(Value::Null),
        };
        Asked {
            sql: self.sql,
            values: self.places.iter().map(value).collect(),
        }
    }
}

impl Statements {
    /// The statements of a type, put together when they are first asked for.
    pub(super) fn of<T: 'static>(
        table: &'static OwnedTable,
        id: Kind,
        dialect: &'static Dialect,
    ) -> &'static Self {
        static KEPT: Kept<Statements> = LazyLock::new(RwLock::default);
        kept(&KEPT, (TypeId::of::<T>(), dialect.name), || {
            Self::over(&Terms { table, id, dialect })
        })
    }

    fn over(terms: &Terms) -> Self {
        let table = terms.table;
        let draft = || Draft::of(terms);
        let rows = || draft().say("SELECT ").columns().say(" FROM ").table();
        let list = |column: &'static Column, direction| {
            let own = rows()
                .say(" WHERE ")
                .own()
                .say(" ORDER BY ")
                .column(column.name)
                .say(direction);
            let by_id = if column.name == table.id {
                own
            } else {
                own.say(", ").column(table.id).say(direction)
            };
            by_id.page().kept()
        };
        let lists = table.columns.iter().filter(|column| can_order(column));
        let lists = lists.map(|column| (column.name, [list(column, " ASC"), list(column, " DESC")]));
        Self {
            find: rows().say(" WHERE ").this().say(" AND ").own().kept(),
            reach: draft().reach().kept(),
            lists: lists.collect(),
            count: draft()
                .say("SELECT count(*) FROM ")
                .table()
                .say(" WHERE ")
                .own()
                .kept(),
            shared: draft().shared().kept(),
            delete: draft()
                .say("DELETE FROM ")
                .table()
                .say(" WHERE ")
                .this()
                .say(" AND ")
                .own()
                .kept(),
            grant: draft().grant().kept(),
            grants: draft().grants().kept(),
            count_grants: draft()
                .say("SELECT count(*) FROM palisade_grant WHERE ")
                .of_this_row("")
                .say(" AND granted_by = ")
                .value(Place::User)
                .kept(),
            revoke: draft()
                .say("DELETE FROM palisade_grant WHERE ")
                .of_this_row("")
                .say(" AND granted_by = ")
                .value(Place::User)
                .say(" AND grantee_name = ")
                .value(Place::GranteeName)
                .kept(),
            leave: draft()
                .say("DELETE FROM palisade_grant WHERE ")
                .of_this_row("")
                .say(" AND grantee_id = ")
                .value(Place::User)
                .kept(),
            forget: draft()
                .say("DELETE FROM palisade_grant WHERE ")
                .of_this_row("")
                .kept(),
            link: LinkStatements::over(terms),
        }
    }
}

impl Writing {
    /// How the columns of a type are written, put together when they are first asked for.
    pub(super) fn of<W: 'static>(
        table: &'static OwnedTable,
        id: Kind,
        written: &'static Written,
        dialect: &'static Dialect,
    ) -> &'static Self {
        static KEPT: Kept<Writing> = LazyLock::new(RwLock::default);
        kept(&KEPT, (TypeId::of::<W>(), dialect.name), || {
            Self::over(&Terms { table, id, dialect }, written.columns)
        })
    }

    fn over(terms: &Terms, columns: &[Column]) -> Self {
        let draft = || Draft::of(terms);
        let update = || {
            draft()
                .say("UPDATE ")
                .table()
                .say(" SET ")
                .settings(columns)
                .say(" WHERE ")
                .this()
        };
        Self {
            insert: draft().insert(columns).kept(),
            update: update().say(" AND ").own().kept(),
            update_reached: update().say(" AND (").own().say(" OR ").may(true).say(")").kept(),
        }
    }
}

/// A list is ordered by what may be seen of it, and what has an order.
fn can_order(column: &Column) -> bool {
    !matches!(column.kind, Kind::Secret | Kind::Bytes)
}

/// The questions that are more than a line.
impl Draft<'_> {
    fn reach(self) -> Self {
        let owner = self.terms.table.owner;
        let number = (self.terms.dialect.cast)(Kind::Number);
        let row = self.say("SELECT ").columns().say(", ").column(owner).say(number);
        let role = row
            .say(", CASE WHEN ")
            .own()
            .say(" THEN 100 ELSE (SELECT max(g.role) FROM palisade_grant g WHERE ");
        let role = role
            .of_this_row("g.")
            .say(" AND ")
            .counting()
            .say(") END")
            .say(number);
        let role = role.say(" FROM ").table().say(" WHERE ").this();
        role.say(" AND (").own().say(" OR ").may(false).say(")")
    }

    fn shared(self) -> Self {
        let (owner, id) = (self.terms.table.owner, self.terms.table.id);
        let number = (self.terms.dialect.cast)(Kind::Number);
        let row = self.say("SELECT ").columns().say(", ").column(owner).say(number);
        let row = row.say(", g.role").say(number);
        let joined = row
            .say(" FROM palisade_grant g JOIN ")
            .table()
            .say(" ON ")
            .row_of("g.");
        let granted = joined
            .say(" WHERE g.table_name = ")
            .value(Place::Table)
            .say(" AND ")
            .counting();
        let others = granted.say(" AND ").column(owner).say(" <> ").value(Place::User);
        others
            .say(" ORDER BY g.granted DESC, ")
            .column(id)
            .say(" DESC")
            .page()
    }

    fn insert(self, columns: &[Column]) -> Self {
        let (owner, id) = (self.terms.table.owner, self.terms.table.id);
        let names = self.say("INSERT INTO ").table().say(" (").name(owner).say(", ");
        let names = names.list(columns, |draft, _, column| draft.name(column.name));
        let values = names.say(") VALUES (").value(Place::User).say(", ");
        let values = values.list(columns, |draft, n, column| {
            draft.value(Place::Written(n, column.kind))
        });
        let values = values.say(")");
        if values.terms.dialect.returning {
            let cast = (values.terms.dialect.cast)(values.terms.id);
            values.say(" RETURNING ").name(id).say(cast)
        } else {
            values
        }
    }

    fn settings(self, columns: &[Column]) -> Self {
        self.list(columns, |draft, n, column| {
            draft
                .name(column.name)
                .say(" = ")
                .value(Place::Written(n, column.kind))
        })
    }

    /// Taken from the row, if it is the user's: whoever is not its owner grants nothing.
    fn grant(self) -> Self {
        let owner = self.terms.table.owner;
        let into = self.say(
            "INSERT INTO palisade_grant (table_name, row_id, row_key, grantee_name, grantee_id, granted_by, role, ends, granted) \
             SELECT ",
        );
        let places = [
            Place::Table,
            Place::RowId,
            Place::RowKey,
            Place::GranteeName,
            Place::Grantee,
        ];
        let granted = into.list(&places, |draft, _, place| draft.value(*place));
        let granted = granted.say(", ").column(owner).say(", ");
        let granted = granted.list(&[Place::Role, Place::Ends, Place::Now], |draft, _, place| {
            draft.value(*place)
        });
        let own = granted
            .say(" FROM ")
            .table()
            .say(" WHERE ")
            .this()
            .say(" AND ")
            .own();
        let few = own
            .say(" AND (SELECT count(*) FROM palisade_grant h WHERE ")
            .of_this_row("h.");
        let few = few.say(" AND h.grantee_name <> ").value(Place::GranteeName);
        let few = few.say(") < ").value(Place::AtMost);
        let (hold, replace) = (few.terms.dialect.hold, few.terms.dialect.replace);
        few.say(hold).say(replace)
    }

    fn grants(self) -> Self {
        let owner = self.terms.table.owner;
        let number = (self.terms.dialect.cast)(Kind::Number);
        let text = (self.terms.dialect.cast)(Kind::Text);
        let grant = self
            .say("SELECT g.grantee_name")
            .say(text)
            .say(", g.role")
            .say(number);
        let grant = grant.say(", g.ends").say(number).say(", g.granted").say(number);
        let of = grant
            .say(" FROM palisade_grant g, ")
            .table()
            .say(" WHERE ")
            .this()
            .say(" AND ")
            .own();
        let of = of
            .say(" AND ")
            .of_this_row("g.")
            .say(" AND g.granted_by = ")
            .column(owner);
        of.say(" ORDER BY g.grantee_name")
    }

    fn kept(self) -> Statement {
        Statement {
            sql: self.sql.leak(),
            places: self.places,
        }
    }
}

type Kept<V> = LazyLock<RwLock<BTreeMap<(TypeId, &'static str), &'static V>>>;

/// Keeps what is made for the life of the process: once for a type and a dialect, however often it is asked for.
fn kept<V: Send + Sync>(all: &Kept<V>, key: (TypeId, &'static str), make: impl FnOnce() -> V) -> &'static V {
    if let Some(kept) = all.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return kept;
    }
    let mut all = all.write().unwrap_or_else(PoisonError::into_inner);
    all.entry(key).or_insert_with(|| Box::leak(Box::new(make())))
}
