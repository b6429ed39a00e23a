//! Whoever writes the traits by hand may give other names, and still no question without an owner.

use palisade::rows::{Cells, Column, Kind, OwnedRow, OwnedTable, RowError, Written, Value, Writes};

struct Note(i64);

impl OwnedRow for Note {
    type Id = i64;
    const TABLE: &'static OwnedTable =
        &OwnedTable::new("note", "id", "owner", &[Column::new("id", Kind::Number)]);
    const NAME: &'static str = "note";
    const PARAMETER: &'static str = "id";

    fn id(&self) -> &i64 {
        &self.0
    }

    fn read(cells: &mut Cells) -> Result<Self, RowError> {
        Ok(Self(cells.take()?))
    }
}

struct GiveAway(i64);

impl Writes for GiveAway {
    type Row = Note;
    const WRITTEN: &'static Written =
        &Written::new(Note::TABLE, &[Column::new("owner", Kind::Number)], false);

    fn into_values(self) -> Vec<Value> {
        vec![Value::Number(self.0)]
    }
}

const _: &Written = GiveAway::WRITTEN;

const _: OwnedTable = OwnedTable::new("note\" --", "id", "owner", &[Column::new("id", Kind::Number)]);

fn main() {}
