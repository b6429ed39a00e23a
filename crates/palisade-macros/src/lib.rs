//! The derives of palisade: `Form`, `ModelForm` and `Owned`.
//!
//! They write no decision of their own: each field becomes a value of `palisade::form::FieldSpec` and a call of
//! `palisade::form::Field::clean`, so that what is checked, and with which words, is read in the library. What can
//! only be known here is which fields there are, and that list is the defence: a name that is not declared can not be
//! set by a request.

use proc_macro::TokenStream;
use syn::DeriveInput;

mod attributes;
mod expand;
mod owned;

/// Derives `palisade::form::Form`: the declared fields, their rules and the cleaning of a request into this struct.
///
/// The attributes are explained at `palisade::form`.
#[proc_macro_derive(Form, attributes(form))]
pub fn derive_form(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as DeriveInput);
    expand::form(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Derives `palisade::form::ModelForm` (and `Form`): a form that writes exactly its listed fields to a model.
///
/// `#[form(model = Note, fields(title, body))]` is required; there is no `exclude` and no `__all__`.
#[proc_macro_derive(ModelForm, attributes(form))]
pub fn derive_model_form(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as DeriveInput);
    expand::model_form(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Derives `palisade::rows::OwnedRow`: a row that belongs to a user, and cannot be asked for without its owner.
///
/// The attributes are explained at `palisade::rows`.
#[proc_macro_derive(Owned, attributes(owned))]
pub fn derive_owned(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as DeriveInput);
    owned::owned(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
