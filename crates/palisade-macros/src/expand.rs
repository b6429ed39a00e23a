//! Writes the implementations.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Data, DeriveInput, Error, Fields, Ident, LitStr, Result, Type};

use crate::attributes::{FieldAttributes, FormAttributes};

/// One field of the form.
struct Declared<'input> {
    ident: &'input Ident,
    ty: &'input Type,
    name: LitStr,
    attributes: FieldAttributes,
}

pub(crate) fn form(input: &DeriveInput) -> Result<TokenStream> {
    let attributes = FormAttributes::read(&input.attrs)?;
    if let Some(model) = &attributes.model {
        return Err(Error::new(
            model.span(),
            "a form with a model is derived by `ModelForm`",
        ));
    }
    if let Some((span, _)) = &attributes.fields {
        return Err(Error::new(
            *span,
            "`fields(…)` lists what goes to a model: derive `ModelForm`, with `model = …`",
        ));
    }
    Ok(form_impl(input, &attributes, &declared(input)?))
}

pub(crate) fn model_form(input: &DeriveInput) -> Result<TokenStream> {
    let attributes = FormAttributes::read(&input.attrs)?;
    let fields = declared(input)?;
    let form = form_impl(input, &attributes, &fields);
    let model = model_impl(input, &attributes, &fields)?;
    Ok(quote!(#form #model))
}

fn declared(input: &DeriveInput) -> Result<Vec<Declared<'_>>> {
    if !input.generics.params.is_empty() {
        return Err(Error::new(
            input.generics.span(),
            "a form owns its values: no type parameters, no lifetimes",
        ));
    }
    let Data::Struct(data) = &input.data else {
        return Err(Error::new(
            input.ident.span(),
            "a form is a struct with named fields",
        ));
    };
    let Fields::Named(named) = &data.fields else {
        return Err(Error::new(
            input.ident.span(),
            "a form is a struct with named fields",
        ));
    };
    let mut fields: Vec<Declared<'_>> = Vec::new();
    for field in &named.named {
        let Some(ident) = &field.ident else { continue };
        let attributes = FieldAttributes::read(field)?;
        let name = match &attributes.name {
            Some(name) => name.clone(),
            None => LitStr::new(&ident.unraw().to_string(), ident.span()),
        };
        if fields.iter().any(|other| other.name.value() == name.value()) {
            return Err(Error::new(
                name.span(),
                format!("two fields are called `{}`", name.value()),
            ));
        }
        fields.push(Declared {
            ident,
            ty: &field.ty,
            name,
            attributes,
        });
    }
    Ok(fields)
}

fn form_impl(input: &DeriveInput, attributes: &FormAttributes, fields: &[Declared<'_>]) -> TokenStream {
    let form = &input.ident;
    let specs = fields.iter().map(
        |Declared {
             ty, name, attributes, ..
         }| {
            let rules = &attributes.rules;
            quote_spanned!(ty.span()=> ::palisade::form::FieldSpec::of::<#ty>(#name) #rules .complete())
        },
    );
    let secrecy = fields.iter().fold(
        quote!(::palisade::form::CarriesNoSecret),
        |sum, Declared { ty, .. }| {
            let one = quote_spanned!(ty.span()=> <#ty as ::palisade::form::Field>::Secrecy);
            quote!(<#sum as ::palisade::form::Secrecy>::With<#one>)
        },
    );
    let cleaned: Vec<_> = (0..fields.len())
        .map(|index| format_ident!("__field_{index}"))
        .collect();
    let steps = fields.iter().zip(&cleaned).enumerate().map(|(index, (Declared { ty, attributes, .. }, cleaned))| {
        let checks = attributes.validators.iter().map(|validator| {
            quote_spanned!(validator.span()=> __cleaning.check::<#ty, _>(#index, #cleaned.as_ref(), #validator);)
        });
        quote!(let #cleaned = __cleaning.field::<#ty>(#index); #(#checks)*)
    });
    let idents = fields.iter().map(|field| field.ident);
    let ignore = &attributes.ignore;
    let clean = attributes
        .clean
        .as_ref()
        .map(|path| quote_spanned!(path.span()=> #path(&mut __form, __cleaning.errors());));
    let mutable = clean.as_ref().map(|_| quote!(mut));
    quote! {
        #[automatically_derived]
        impl ::palisade::form::Form for #form {
            type Secrecy = #secrecy;
            const FIELDS: &'static [::palisade::form::FieldSpec] = &[#(#specs),*];
            const IGNORED: &'static [&'static str] = &[#(#ignore),*];
            fn clean(
                __cleaning: &mut ::palisade::form::Cleaning<'_>,
            ) -> ::core::option::Option<Self> {
                #(#steps)*
                if __cleaning.has_errors() {
                    return ::core::option::Option::None;
                }
                let #mutable __form = Self { #(#idents: #cleaned?),* };
                #clean
                ::core::option::Option::Some(__form)
            }
        }
        // Rules that do not fit their type are errors here, not at the first request.
        const _: &[::palisade::form::FieldSpec] = <#form as ::palisade::form::Form>::FIELDS;
    }
}

fn model_impl(
    input: &DeriveInput,
    attributes: &FormAttributes,
    fields: &[Declared<'_>],
) -> Result<TokenStream> {
    let form = &input.ident;
    let Some(model) = &attributes.model else {
        return Err(Error::new(
            form.span(),
            "a model form names its model: `#[form(model = Note, fields(title, body))]`",
        ));
    };
    let Some((span, listed)) = &attributes.fields else {
        return Err(Error::new(
            form.span(),
            "a model form lists what a request may set: `#[form(model = Note, fields(title, body))]`; there is no \
             `exclude` and no `__all__`",
        ));
    };
    if listed.is_empty() {
        return Err(Error::new(
            *span,
            "`fields()` lists nothing: derive `Form` if the form writes to no model",
        ));
    }
    let listed = listed
        .iter()
        .map(|ident| known(form, ident, fields))
        .collect::<Result<Vec<_>>>()?;
    let names: Vec<_> = listed.iter().map(|(_, field)| &field.name).collect();
    let changed = listed.iter().map(|(ident, Declared { ty, name, .. })| {
        quote_spanned!(ident.span()=>
        if !<#ty as ::palisade::form::Field>::same(&self.#ident, &__model.#ident) {
            __changed.push(#name);
        })
    });
    let writes = listed
        .iter()
        .map(|(ident, _)| quote_spanned!(ident.span()=> __model.#ident = self.#ident;));
    let initial = listed.iter().map(|(ident, Declared { ty, name, .. })| {
        quote_spanned!(ident.span()=>
            let __bound = __bound.with_initial(#name, <#ty as ::palisade::form::Field>::texts(&__model.#ident));)
    });
    Ok(quote! {
        #[automatically_derived]
        impl ::palisade::form::ModelForm for #form {
            type Model = #model;
            const MODEL_FIELDS: &'static [&'static str] = &[#(#names),*];
            fn changed(&self, __model: &#model) -> ::std::vec::Vec<&'static str> {
                let mut __changed = ::std::vec::Vec::new();
                #(#changed)*
                __changed
            }
            fn apply(self, __model: &mut #model) -> ::std::vec::Vec<&'static str> {
                let __changed = <Self as ::palisade::form::ModelForm>::changed(&self, __model);
                #(#writes)*
                __changed
            }
            fn of(__model: &#model) -> ::palisade::form::Bound<Self> {
                let __bound = <Self as ::palisade::form::Form>::blank();
                #(#initial)*
                __bound
            }
        }
    })
}

/// The listed name with its declaration.
fn known<'f, 'i>(
    form: &Ident,
    listed: &'f Ident,
    fields: &'f [Declared<'i>],
) -> Result<(&'f Ident, &'f Declared<'i>)> {
    if let Some(field) = fields.iter().find(|field| field.ident == listed) {
        return Ok((listed, field));
    }
    let declared: Vec<_> = fields.iter().map(|field| format!("`{}`", field.ident)).collect();
    Err(Error::new(
        listed.span(),
        format!(
            "`{listed}` is listed in `fields(…)`, but `{form}` declares no such field; it declares {}",
            declared.join(", ")
        ),
    ))
}
