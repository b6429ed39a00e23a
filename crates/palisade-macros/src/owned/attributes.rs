//! Reads `#[owned(…)]`, on the struct and on its fields.

use syn::ext::IdentExt as _;
use syn::meta::ParseNestedMeta;
use syn::{DeriveInput, Error, Field, Ident, LitStr, Result, Token, parenthesized};

const KNOWN: &str = "known are `table`, `id`, `owner`, `name`, `parameter`, `new` and `change`";

/// What stands on the struct.
pub(super) struct OwnedAttributes {
    pub(super) table: LitStr,
    pub(super) id: LitStr,
    pub(super) owner: LitStr,
    pub(super) name: LitStr,
    pub(super) parameter: LitStr,
    pub(super) new: Option<Ident>,
    pub(super) changes: Vec<Changed>,
}

/// `change = EditNote(title, body)`.
pub(super) struct Changed {
    pub(super) ident: Ident,
    pub(super) fields: Vec<Ident>,
}

#[derive(Default)]
struct Read {
    table: Option<LitStr>,
    id: Option<LitStr>,
    owner: Option<LitStr>,
    name: Option<LitStr>,
    parameter: Option<LitStr>,
    new: Option<Ident>,
    changes: Vec<Changed>,
}

impl OwnedAttributes {
    pub(super) fn read(input: &DeriveInput) -> Result<Self> {
        let mut read = Read::default();
        for attribute in input
            .attrs
            .iter()
            .filter(|attribute| attribute.path().is_ident("owned"))
        {
            attribute.parse_nested_meta(|meta| read.take(&meta))?;
        }
        let missing = |what: &str| {
            Error::new(
                input.ident.span(),
                format!(
                    "an owned row says `{what}`: `#[owned(table = \"note\", id = \"id\", owner = \"owner_id\")]`"
                ),
            )
        };
        let word = |text: &str| LitStr::new(text, input.ident.span());
        Ok(Self {
            table: read.table.ok_or_else(|| missing("table"))?,
            id: read.id.ok_or_else(|| missing("id"))?,
            owner: read.owner.ok_or_else(|| missing("owner"))?,
            name: read.name.unwrap_or_else(|| word("thing")),
            parameter: read.parameter.unwrap_or_else(|| word("id")),
            new: read.new,
            changes: read.changes,
        })
    }
}

impl Read {
    fn take(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        let word = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
        let place = match word.as_str() {
            "table" => &mut self.table,
            "id" => &mut self.id,
            "owner" => &mut self.owner,
            "name" => &mut self.name,
            "parameter" => &mut self.parameter,
            "new" => {
                if self.new.is_some() {
                    return Err(meta.error("this stands here twice"));
                }
                self.new = Some(meta.value()?.parse()?);
                return Ok(());
            }
            "change" => {
                let changed = changed(meta)?;
                self.changes.push(changed);
                return Ok(());
            }
            other => return Err(meta.error(format!("`{other}` is not known on an owned row; {KNOWN}"))),
        };
        if place.is_some() {
            return Err(meta.error("this stands here twice"));
        }
        let text: LitStr = meta.value()?.parse()?;
        *place = Some(if matches!(word.as_str(), "table" | "id" | "owner") {
            identifier(text)?
        } else {
            text
        });
        Ok(())
    }
}

fn changed(meta: &ParseNestedMeta<'_>) -> Result<Changed> {
    let input = meta.value()?;
    let ident: Ident = input.parse()?;
    let content;
    parenthesized!(content in input);
    let mut fields: Vec<Ident> = Vec::new();
    for field in content.parse_terminated(Ident::parse_any, Token![,])? {
        if fields.contains(&field) {
            return Err(Error::new(field.span(), format!("`{field}` is listed twice")));
        }
        fields.push(field);
    }
    if fields.is_empty() {
        return Err(Error::new(
            ident.span(),
            "a change lists its fields: `change = EditNote(title, body)`",
        ));
    }
    Ok(Changed { ident, fields })
}

/// `#[owned(column = "…")]` of a field.
pub(super) fn column_of(field: &Field) -> Result<Option<LitStr>> {
    let mut column = None;
    for attribute in field
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("owned"))
    {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("column") {
                return Err(meta.error("on a field, only `column` is known"));
            }
            if column.is_some() {
                return Err(meta.error("this stands here twice"));
            }
            column = Some(identifier(meta.value()?.parse()?)?);
            Ok(())
        })?;
    }
    Ok(column)
}

/// A name that means nothing else in any dialect, quoted or not.
pub(super) fn identifier(text: LitStr) -> Result<LitStr> {
    let name = text.value();
    let is_one = (1..=63).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with(|first: char| first.is_ascii_digit());
    if is_one {
        Ok(text)
    } else {
        Err(Error::new(
            text.span(),
            format!(
                "{name:?} is no name: a letter or underscore, then letters, digits and underscores, 63 at most"
            ),
        ))
    }
}
