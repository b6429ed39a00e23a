//! Reads `#[form(…)]`, on the struct and on its fields.
//!
//! A misspelt attribute is an error that lists the known ones: a rule that is silently ignored is a hole.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt as _;
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned as _;
use syn::{
    Attribute, Error, Expr, Field, Ident, Lit, LitBool, LitStr, Path, Result, Token, UnOp, bracketed,
    parenthesized,
};

const NO_EXCLUDE: &str = "there is no `exclude`: list what a request may set in `fields(…)`, so that a field added to \
     the model later stays closed until somebody opens it";
const NO_ALL: &str = "there is no `__all__`: list what a request may set in `fields(…)`, so that a field added to the \
     model later stays closed until somebody opens it";
const WIDGETS: &[(&str, &str)] = &[
    ("text", "Text"),
    ("email", "Email"),
    ("password", "Password"),
    ("number", "Number"),
    ("checkbox", "Checkbox"),
    ("textarea", "Textarea"),
    ("select", "Select"),
    ("hidden", "Hidden"),
    ("url", "Url"),
    ("search", "Search"),
    ("tel", "Tel"),
    ("date", "Date"),
];

/// What stands on the struct.
#[derive(Default)]
pub(crate) struct FormAttributes {
    pub(crate) model: Option<Path>,
    pub(crate) fields: Option<(Span, Vec<Ident>)>,
    pub(crate) clean: Option<Path>,
    pub(crate) ignore: Vec<LitStr>,
}

impl FormAttributes {
    pub(crate) fn read(attributes: &[Attribute]) -> Result<Self> {
        let mut read = Self::default();
        for attribute in attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("form"))
        {
            attribute.parse_nested_meta(|meta| read.take(&meta))?;
        }
        Ok(read)
    }

    fn take(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        match name(meta)?.as_str() {
            "model" => once(&mut self.model, meta.value()?.parse()?, meta),
            "clean" => once(&mut self.clean, meta.value()?.parse()?, meta),
            "fields" => {
                let listed = listed_fields(meta)?;
                once(&mut self.fields, (meta.path.span(), listed), meta)
            }
            "ignore" => {
                let content;
                parenthesized!(content in meta.input);
                self.ignore
                    .extend(content.parse_terminated(<LitStr as syn::parse::Parse>::parse, Token![,])?);
                Ok(())
            }
            "exclude" => Err(meta.error(NO_EXCLUDE)),
            other => Err(meta.error(format!(
                "`{other}` is not known on a form; known are `model`, `fields(…)`, `clean` and `ignore(…)`"
            ))),
        }
    }
}

fn listed_fields(meta: &ParseNestedMeta<'_>) -> Result<Vec<Ident>> {
    if meta.input.peek(Token![=]) {
        let value: Expr = meta.value()?.parse()?;
        let all = matches!(&value, Expr::Lit(literal) if matches!(&literal.lit, Lit::Str(text) if text.value() == "__all__"));
        return Err(Error::new(
            value.span(),
            if all {
                NO_ALL
            } else {
                "write `fields(title, body)`"
            },
        ));
    }
    let content;
    parenthesized!(content in meta.input);
    let mut listed: Vec<Ident> = Vec::new();
    for ident in content.parse_terminated(Ident::parse_any, Token![,])? {
        if ident == "__all__" {
            return Err(Error::new(ident.span(), NO_ALL));
        }
        if listed.contains(&ident) {
            return Err(Error::new(ident.span(), format!("`{ident}` is listed twice")));
        }
        listed.push(ident);
    }
    Ok(listed)
}

/// What stands on one field, as the builder calls that make its `FieldSpec`.
#[derive(Default)]
pub(crate) struct FieldAttributes {
    pub(crate) name: Option<LitStr>,
    /// `.with_…(…)`, to be appended to `FieldSpec::of::<T>(name)`.
    pub(crate) rules: TokenStream,
    pub(crate) validators: Vec<Path>,
    seen: Vec<String>,
}

impl FieldAttributes {
    pub(crate) fn read(field: &Field) -> Result<Self> {
        let mut read = Self::default();
        for attribute in field
            .attrs
            .iter()
            .filter(|attribute| attribute.path().is_ident("form"))
        {
            attribute.parse_nested_meta(|meta| read.take(&meta))?;
        }
        Ok(read)
    }

    fn take(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        let name = name(meta)?;
        if name != "validate" {
            if self.seen.contains(&name) {
                return Err(meta.error(format!("`{name}` stands here twice")));
            }
            self.seen.push(name.clone());
        }
        match name.as_str() {
            "name" => {
                self.name = Some(meta.value()?.parse()?);
                Ok(())
            }
            "validate" => {
                self.validators.push(meta.value()?.parse()?);
                Ok(())
            }
            _ => {
                let rule = rule(&name, meta)?;
                self.rules.extend(rule);
                Ok(())
            }
        }
    }
}

fn rule(name: &str, meta: &ParseNestedMeta<'_>) -> Result<TokenStream> {
    Ok(match name {
        "label" => text_rule(meta, "with_label")?,
        "help" => text_rule(meta, "with_help")?,
        "initial" => text_rule(meta, "with_initial")?,
        "autocomplete" => text_rule(meta, "with_autocomplete")?,
        "autocapitalize" => text_rule(meta, "with_autocapitalize")?,
        "inputmode" => text_rule(meta, "with_inputmode")?,
        "max_length" => length_rule(meta, "with_max_length")?,
        "min_length" => length_rule(meta, "with_min_length")?,
        "min" => limit_rule(meta, "with_min")?,
        "max" => limit_rule(meta, "with_max")?,
        "required" => quote!(.required()),
        "optional" => quote!(.optional()),
        "email" => quote!(.email()),
        "username" => quote!(.username()),
        "strip" => {
            let strip: LitBool = meta.value()?.parse()?;
            quote!(.with_strip(#strip))
        }
        "regex" => pattern_rule(meta)?,
        "choices" => choices_rule(meta)?,
        "widget" => widget_rule(meta)?,
        "accept" => accept_rule(meta)?,
        "max_size" => length_rule(meta, "with_max_size")?,
        "max_files" => length_rule(meta, "with_max_files")?,
        "images" => images_rule(meta)?,
        "exclude" => return Err(meta.error(NO_EXCLUDE)),
        other => {
            return Err(meta.error(format!(
                "`{other}` is not known on a field; known are `label`, `help`, `initial`, `autocomplete`, \
                 `autocapitalize`, `inputmode`, `name`, `max_length`, `min_length`, `min`, `max`, `required`, `optional`, `email`, `username`, `strip`, \
                 `regex`, `choices`, `accept`, `max_size`, `max_files`, `images`, `widget` and `validate`"
            )));
        }
    })
}

fn text_rule(meta: &ParseNestedMeta<'_>, method: &str) -> Result<TokenStream> {
    let text: LitStr = meta.value()?.parse()?;
    let method = Ident::new(method, meta.path.span());
    Ok(quote!(.#method(#text)))
}

fn length_rule(meta: &ParseNestedMeta<'_>, method: &str) -> Result<TokenStream> {
    let length: Expr = meta.value()?.parse()?;
    let method = Ident::new(method, meta.path.span());
    Ok(quote!(.#method(#length)))
}

fn limit_rule(meta: &ParseNestedMeta<'_>, method: &str) -> Result<TokenStream> {
    let limit: Expr = meta.value()?.parse()?;
    let number = match &limit {
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => &*unary.expr,
        other => other,
    };
    let method = Ident::new(method, meta.path.span());
    match number {
        Expr::Lit(literal) if matches!(literal.lit, Lit::Int(_)) => {
            Ok(quote!(.#method(::palisade::form::Limit::Whole(#limit))))
        }
        Expr::Lit(literal) if matches!(literal.lit, Lit::Float(_)) => {
            Ok(quote!(.#method(::palisade::form::Limit::Real(#limit))))
        }
        _ => Err(Error::new(
            limit.span(),
            "write the number itself, as in `min = 0` or `max = 9.5`",
        )),
    }
}

fn pattern_rule(meta: &ParseNestedMeta<'_>) -> Result<TokenStream> {
    let pattern: LitStr = meta.value()?.parse()?;
    if let Err(error) = regex::Regex::new(&pattern.value()) {
        return Err(Error::new(pattern.span(), error.to_string()));
    }
    Ok(quote!(.with_pattern({
        fn pattern() -> &'static ::palisade::form::Pattern {
            static PATTERN: ::palisade::form::Pattern = ::palisade::form::Pattern::new(#pattern);
            &PATTERN
        }
        pattern
    })))
}

/// `choices = ["a", "b"]`, `choices = [("a", "An a"), …]` or the path of a constant.
fn choices_rule(meta: &ParseNestedMeta<'_>) -> Result<TokenStream> {
    let input = meta.value()?;
    if !input.peek(syn::token::Bracket) {
        let path: Path = input.parse()?;
        return Ok(quote!(.with_choices(#path)));
    }
    let content;
    bracketed!(content in input);
    let mut choices = TokenStream::new();
    while !content.is_empty() {
        if content.peek(LitStr) {
            let value: LitStr = content.parse()?;
            choices.extend(quote!((#value, #value),));
        } else {
            let pair;
            parenthesized!(pair in content);
            let value: LitStr = pair.parse()?;
            pair.parse::<Token![,]>()?;
            let label: LitStr = pair.parse()?;
            choices.extend(quote!((#value, #label),));
        }
        if !content.is_empty() {
            content.parse::<Token![,]>()?;
        }
    }
    Ok(quote!(.with_choices(&[#choices])))
}

/// `accept = [Pdf, Png]`, or the path of a constant.
fn accept_rule(meta: &ParseNestedMeta<'_>) -> Result<TokenStream> {
    let input = meta.value()?;
    if !input.peek(syn::token::Bracket) {
        let path: Path = input.parse()?;
        return Ok(quote!(.with_accept(#path)));
    }
    let content;
    bracketed!(content in input);
    let kinds = content.parse_terminated(Ident::parse_any, Token![,])?;
    let kinds = kinds.iter();
    Ok(quote!(.with_accept(&[#(::palisade::media::MediaType::#kinds),*])))
}

/// `images = strip_metadata` or `images = re_encode`.
fn images_rule(meta: &ParseNestedMeta<'_>) -> Result<TokenStream> {
    let word = meta.value()?.call(Ident::parse_any)?;
    let handling = match word.to_string().as_str() {
        "as_is" => quote!(AsIs),
        "strip_metadata" => quote!(StripMetadata),
        "re_encode" => quote!(ReEncode),
        other => {
            return Err(Error::new(
                word.span(),
                format!(
                    "`{other}` is nothing that is done with pictures; known are `as_is`, `strip_metadata` and `re_encode`"
                ),
            ));
        }
    };
    Ok(quote!(.with_images(::palisade::media::ImageHandling::#handling)))
}

fn widget_rule(meta: &ParseNestedMeta<'_>) -> Result<TokenStream> {
    let input = meta.value()?;
    let (span, word) = if input.peek(LitStr) {
        let text: LitStr = input.parse()?;
        (text.span(), text.value())
    } else {
        let ident = input.call(Ident::parse_any)?;
        (ident.span(), ident.to_string())
    };
    let Some((_, variant)) = WIDGETS.iter().find(|(known, _)| *known == word) else {
        let known: Vec<_> = WIDGETS.iter().map(|(known, _)| format!("`{known}`")).collect();
        return Err(Error::new(
            span,
            format!("`{word}` is not a widget; known are {}", known.join(", ")),
        ));
    };
    let variant = Ident::new(variant, span);
    Ok(quote!(.with_widget(::palisade::form::Widget::#variant)))
}

fn name(meta: &ParseNestedMeta<'_>) -> Result<String> {
    meta.path
        .get_ident()
        .map(ToString::to_string)
        .ok_or_else(|| meta.error("a single word is expected here"))
}

fn once<T>(place: &mut Option<T>, value: T, meta: &ParseNestedMeta<'_>) -> Result<()> {
    if place.is_some() {
        return Err(meta.error("this stands here twice"));
    }
    *place = Some(value);
    Ok(())
}
