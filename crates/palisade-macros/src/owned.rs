//! Writes `palisade::rows::OwnedRow`: names and kinds, and no word of SQL. The questions are the library's.

mod attributes;

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Data, DeriveInput, Error, Field, Fields, Ident, LitStr, Result, Type, Visibility};

use attributes::{Changed, OwnedAttributes, column_of, identifier};

/// One field of the row, and the column that keeps it.
struct Kept<'input> {
    ident: &'input Ident,
    vis: &'input Visibility,
    ty: &'input Type,
    docs: Vec<&'input syn::Attribute>,
    column: LitStr,
}

impl<'input> Kept<'input> {
    fn of(field: &'input Field, ident: &'input Ident) -> Result<Self> {
        let column = match column_of(field)? {
            Some(column) => column,
            None => identifier(LitStr::new(&ident.unraw().to_string(), ident.span()))?,
        };
        Ok(Self {
            ident,
            vis: &field.vis,
            ty: &field.ty,
            docs: field
                .attrs
                .iter()
                .filter(|attribute| attribute.path().is_ident("doc"))
                .collect(),
            column,
        })
    }

    fn is(&self, column: &LitStr) -> bool {
        self.column.value().eq_ignore_ascii_case(&column.value())
    }

    fn as_column(&self) -> TokenStream {
        let (column, ty) = (&self.column, self.ty);
        quote_spanned!(ty.span()=>
            ::palisade::rows::Column::new(#column, <#ty as ::palisade::rows::Cell>::KIND))
    }
}

pub(crate) fn owned(input: &DeriveInput) -> Result<TokenStream> {
    let attributes = OwnedAttributes::read(input)?;
    let fields = kept(input)?;
    let Some(id) = fields.iter().find(|field| field.is(&attributes.id)) else {
        return Err(Error::new(
            attributes.id.span(),
            format!(
                "no field holds the id: a field called `{0}`, or one with `#[owned(column = \"{0}\")]`",
                attributes.id.value()
            ),
        ));
    };
    let row = row_impl(input, &attributes, &fields, id);
    let new = attributes
        .new
        .as_ref()
        .map(|new| new_row(input, new, &attributes, &fields, id));
    let changes = attributes
        .changes
        .iter()
        .map(|changed| change(input, changed, &attributes, &fields))
        .collect::<Result<Vec<_>>>()?;
    Ok(quote!(#row #new #(#changes)*))
}

fn kept(input: &DeriveInput) -> Result<Vec<Kept<'_>>> {
    if !input.generics.params.is_empty() {
        return Err(Error::new(
            input.generics.span(),
            "a row owns its values: no type parameters, no lifetimes",
        ));
    }
    let Data::Struct(data) = &input.data else {
        return Err(Error::new(
            input.ident.span(),
            "a row is a struct with named fields",
        ));
    };
    let Fields::Named(named) = &data.fields else {
        return Err(Error::new(
            input.ident.span(),
            "a row is a struct with named fields",
        ));
    };
    let mut kept: Vec<Kept<'_>> = Vec::new();
    for field in &named.named {
        let Some(ident) = &field.ident else { continue };
        let one = Kept::of(field, ident)?;
        if kept.iter().any(|other| other.is(&one.column)) {
            return Err(Error::new(
                one.column.span(),
                format!("two fields are kept in the column `{}`", one.column.value()),
            ));
        }
        kept.push(one);
    }
    Ok(kept)
}

fn row_impl(
    input: &DeriveInput,
    attributes: &OwnedAttributes,
    fields: &[Kept<'_>],
    id: &Kept<'_>,
) -> TokenStream {
    let row = &input.ident;
    let OwnedAttributes {
        table,
        id: id_column,
        owner,
        name,
        parameter,
        ..
    } = attributes;
    let columns = fields.iter().map(Kept::as_column);
    let idents = fields.iter().map(|field| field.ident);
    let (id, of_type) = (id.ident, id.ty);
    quote! {
        #[automatically_derived]
        impl ::palisade::rows::OwnedRow for #row {
            type Id = #of_type;
            const TABLE: &'static ::palisade::rows::OwnedTable =
                &::palisade::rows::OwnedTable::new(#table, #id_column, #owner, &[#(#columns),*]);
            const NAME: &'static str = #name;
            const PARAMETER: &'static str = #parameter;
            fn id(&self) -> &Self::Id {
                &self.#id
            }
            fn read(
                __cells: &mut ::palisade::rows::Cells,
            ) -> ::core::result::Result<Self, ::palisade::rows::RowError> {
                ::core::result::Result::Ok(Self { #(#idents: __cells.take()?),* })
            }
        }
        // A name that is none is an error here, not at the first request.
        const _: &::palisade::rows::OwnedTable = <#row as ::palisade::rows::OwnedRow>::TABLE;
    }
}

/// The struct of a new row: all fields but the owner, and but the id if the database gives it.
fn new_row(
    input: &DeriveInput,
    new: &Ident,
    attributes: &OwnedAttributes,
    fields: &[Kept<'_>],
    id: &Kept<'_>,
) -> TokenStream {
    let row = &input.ident;
    let gives_id = !is_number(id.ty);
    let written: Vec<_> = fields
        .iter()
        .filter(|field| !field.is(&attributes.owner) && (gives_id || field.ident != id.ident))
        .collect();
    let doc = format!("What a new [`{row}`] is made of. Its owner is who adds it.");
    let written = written_struct(input, new, &doc, &written, gives_id);
    let id = id.ident;
    let given = if gives_id {
        quote!(::core::option::Option::Some(::core::clone::Clone::clone(&self.#id)))
    } else {
        quote!(::core::option::Option::None)
    };
    quote! {
        #written
        #[automatically_derived]
        impl ::palisade::rows::NewRow for #new {
            fn id(&self) -> ::core::option::Option<<#row as ::palisade::rows::OwnedRow>::Id> {
                #given
            }
        }
    }
}

fn change(
    input: &DeriveInput,
    Changed {
        ident,
        fields: listed,
    }: &Changed,
    attributes: &OwnedAttributes,
    fields: &[Kept<'_>],
) -> Result<TokenStream> {
    let row = &input.ident;
    let mut written = Vec::new();
    for name in listed {
        let Some(field) = fields.iter().find(|field| field.ident == name) else {
            return Err(Error::new(
                name.span(),
                format!("`{name}` is listed in `change`, but `{row}` has no such field"),
            ));
        };
        if field.is(&attributes.owner) {
            return Err(Error::new(
                name.span(),
                "the owner of a row is no field to change: it is who added it",
            ));
        }
        if field.is(&attributes.id) {
            return Err(Error::new(name.span(), "the id of a row never changes"));
        }
        written.push(field);
    }
    let doc = format!("A change of a [`{row}`].");
    let written = written_struct(input, ident, &doc, &written, false);
    Ok(quote! {
        #written
        #[automatically_derived]
        impl ::palisade::rows::RowChange for #ident {}
    })
}

fn written_struct(
    input: &DeriveInput,
    ident: &Ident,
    doc: &str,
    written: &[&Kept<'_>],
    gives_id: bool,
) -> TokenStream {
    let (vis, row) = (&input.vis, &input.ident);
    let declared = written.iter().map(
        |Kept {
             ident, vis, ty, docs, ..
         }| quote!(#(#docs)* #vis #ident: #ty),
    );
    let columns = written.iter().map(|field| field.as_column());
    let values = written.iter().map(|Kept { ident, ty, .. }| {
        quote_spanned!(ty.span()=> <#ty as ::palisade::rows::Cell>::into_value(self.#ident))
    });
    quote! {
        #[doc = #doc]
        #vis struct #ident {
            #(#declared),*
        }
        #[automatically_derived]
        impl ::palisade::rows::Writes for #ident {
            type Row = #row;
            const WRITTEN: &'static ::palisade::rows::Written = &::palisade::rows::Written::new(
                <#row as ::palisade::rows::OwnedRow>::TABLE,
                &[#(#columns),*],
                #gives_id,
            );
            fn into_values(self) -> ::std::vec::Vec<::palisade::rows::Value> {
                ::std::vec![#(#values),*]
            }
        }
        const _: &::palisade::rows::Written = <#ident as ::palisade::rows::Writes>::WRITTEN;
    }
}

/// Whether the database gives the id.
fn is_number(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "i64"))
}
