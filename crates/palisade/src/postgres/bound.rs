//! Values on their way into a statement: a text that PostgreSQL cannot keep is answered before it is sent.

use std::error::Error;

use bytes::BytesMut;
use tokio_postgres::types::{Format, IsNull, ToSql, Type};

/// The character that no text in PostgreSQL may hold.
#[derive(Debug, thiserror::Error)]
#[error("a text holds the character NUL")]
pub(super) struct HoldsNul;

#[derive(Debug)]
pub(super) struct Bound<'a>(&'a (dyn ToSql + Sync));

/// The values of a statement, each looked at when it is written.
pub(super) fn bound<'a>(values: &'a [&(dyn ToSql + Sync)]) -> impl ExactSizeIterator<Item = Bound<'a>> {
    values.iter().map(|value| Bound(*value))
}

impl ToSql for Bound<'_> {
    fn to_sql(&self, of_type: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.to_sql_checked(of_type, out)
    }

    fn accepts(_: &Type) -> bool {
        // The value itself says so when it is written.
        true
    }

    fn to_sql_checked(
        &self,
        of_type: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let before = out.len();
        let written = self.0.to_sql_checked(of_type, out)?;
        let text = out.get(before..).filter(|_| is_text(of_type)).unwrap_or_default();
        if text.contains(&0) {
            return Err(Box::new(HoldsNul));
        }
        Ok(written)
    }

    fn encode_format(&self, of_type: &Type) -> Format {
        self.0.encode_format(of_type)
    }
}

/// The types that are sent as their letters.
fn is_text(of_type: &Type) -> bool {
    [
        Type::TEXT,
        Type::VARCHAR,
        Type::BPCHAR,
        Type::NAME,
        Type::UNKNOWN,
        Type::JSON,
    ]
    .contains(of_type)
        || of_type.name() == "citext"
}
