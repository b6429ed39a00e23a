//! The questions about links. Those of the owner name the owner; the one of a link's holder names the link, and asks whether the row is
//! still theirs who made it, and they still may.

use super::draft::{Draft, Terms};
use super::{Place, Statement};
use crate::rows::value::Kind;

/// What is asked about the links of a table's rows.
#[derive(Debug)]
pub(in crate::rows) struct LinkStatements {
    /// The row that a link opens now, with its owner and what is kept of the link.
    pub(in crate::rows) open: Statement,
    /// Notes when a link was opened.
    pub(in crate::rows) note: Statement,
    pub(in crate::rows) make: Statement,
    /// Takes away what has ended before a time, of whichever row.
    pub(in crate::rows) sweep: Statement,
    pub(in crate::rows) list: Statement,
    /// Those of a row that have not ended.
    pub(in crate::rows) count: Statement,
    pub(in crate::rows) revoke: Statement,
    pub(in crate::rows) revoke_all: Statement,
    /// All links of a row that is no more, or is new.
    pub(in crate::rows) forget: Statement,
}

impl LinkStatements {
    pub(super) fn over(terms: &Terms) -> Self {
        let draft = || Draft::of(terms);
        let mine = || {
            let row = draft().say("DELETE FROM palisade_link WHERE ").of_this_row("");
            row.say(" AND made_by = ").value(Place::User)
        };
        Self {
            open: draft().open_link().kept(),
            note: draft()
                .say("UPDATE palisade_link SET opened = ")
                .value(Place::Now)
                .say(" WHERE id = ")
                .value(Place::LinkId)
                .kept(),
            make: draft().make_link().kept(),
            sweep: draft()
                .say("DELETE FROM palisade_link WHERE ends < ")
                .value(Place::Ends)
                .kept(),
            list: draft().list_links().kept(),
            count: draft()
                .say("SELECT count(*) FROM palisade_link WHERE ")
                .live_of_this_row("")
                .kept(),
            revoke: mine().say(" AND id = ").value(Place::LinkId).kept(),
            revoke_all: mine().kept(),
            forget: draft()
                .say("DELETE FROM palisade_link WHERE ")
                .of_this_row("")
                .kept(),
        }
    }
}

impl Draft<'_> {
    /// The links of who asks that have not ended.
    fn live_of_this_row(self, of: &'static str) -> Self {
        let mine = self.of_this_row(of).say(" AND ").say(of);
        let mine = mine.say("made_by = ").value(Place::User);
        mine.say(" AND ").say(of).say("ends > ").value(Place::Now)
    }

    fn open_link(self) -> Self {
        let owner = self.terms.table.owner;
        let number = (self.terms.dialect.cast)(Kind::Number);
        let text = (self.terms.dialect.cast)(Kind::Text);
        let row = self.say("SELECT ").columns().say(", ").column(owner).say(number);
        let link = row.say(", l.id").say(text).say(", l.bound_name").say(text);
        let link = link.say(", l.bound_to").say(number).say(", l.opened").say(number);
        let joined = link.say(" FROM palisade_link l JOIN ").table().say(" ON ");
        let joined = joined.row_of("l.").say(" AND ").column(owner).say(" = l.made_by");
        let joined = joined.say(" JOIN auth_user u ON u.id = l.made_by AND u.is_active");
        let this = joined.say(" WHERE l.digest = ").value(Place::Digest);
        let this = this.say(" AND l.table_name = ").value(Place::Table);
        this.say(" AND l.ends > ").value(Place::Now)
    }

    /// Taken from the row, if it is the user's: whoever is not its owner makes no link to it.
    fn make_link(self) -> Self {
        let owner = self.terms.table.owner;
        let into = self.say(
            "INSERT INTO palisade_link (id, digest, table_name, row_id, row_key, bound_name, bound_to, made_by, ends, made, label) \
             SELECT ",
        );
        let before = [
            Place::LinkId,
            Place::Digest,
            Place::Table,
            Place::RowId,
            Place::RowKey,
            Place::BoundName,
            Place::Grantee,
        ];
        let made = into.list(&before, |draft, _, place| draft.value(*place));
        let made = made.say(", ").column(owner).say(", ");
        let after = [Place::Ends, Place::Now, Place::Label];
        let made = made.list(&after, |draft, _, place| draft.value(*place));
        let own = made
            .say(" FROM ")
            .table()
            .say(" WHERE ")
            .this()
            .say(" AND ")
            .own();
        let few = own.say(" AND (SELECT count(*) FROM palisade_link h WHERE ");
        let few = few.live_of_this_row("h.").say(") < ").value(Place::AtMost);
        let hold = few.terms.dialect.hold;
        few.say(hold)
    }

    fn list_links(self) -> Self {
        let owner = self.terms.table.owner;
        let number = (self.terms.dialect.cast)(Kind::Number);
        let text = (self.terms.dialect.cast)(Kind::Text);
        let link = self.say("SELECT l.id").say(text).say(", l.label").say(text);
        let link = link.say(", l.bound_name").say(text).say(", l.ends").say(number);
        let link = link.say(", l.made").say(number).say(", l.opened").say(number);
        let of = link.say(" FROM palisade_link l, ").table().say(" WHERE ").this();
        let of = of.say(" AND ").own().say(" AND ").of_this_row("l.");
        let of = of.say(" AND l.made_by = ").column(owner);
        of.say(" ORDER BY l.made DESC, l.id")
    }
}
