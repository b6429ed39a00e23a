//! A form to be shown: with what was sent, and with what is wrong with it.
//!
//! Nothing of it comes back that must not: a `Sensitive` value never enters a [`Bound`], so no template can print it.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::{Serialize, Serializer};

use super::{FieldSpec, Form, FormErrors, Kind, Widget, html};

/// Holds a form to be shown: empty, filled in from a model, or with what a request sent and what is wrong with it.
///
/// In a template it is a [`FormView`]: `{{ form.html|safe }}`, or field by field `form.field.title.html|safe`,
/// `form.field.title.value`, `form.field.title.errors`.
pub struct Bound<F> {
    values: Vec<Vec<String>>,
    errors: FormErrors,
    is_sent: bool,
    form: PhantomData<fn() -> F>,
}

impl<F: Form> Bound<F> {
    pub(super) fn blank() -> Self {
        let values = F::FIELDS
            .iter()
            .map(|spec| spec.initial.map(str::to_owned).into_iter().collect())
            .collect();
        Self {
            values,
            errors: FormErrors::of(F::FIELDS),
            is_sent: false,
            form: PhantomData,
        }
    }

    pub(super) fn sent(values: Vec<Vec<String>>, errors: FormErrors) -> Self {
        Self {
            values,
            errors,
            is_sent: true,
            form: PhantomData,
        }
    }

    pub(super) fn errors_mut(&mut self) -> &mut FormErrors {
        &mut self.errors
    }

    /// Fills in a field of a form that is shown for the first time. A secret is not filled in.
    #[must_use]
    pub fn with_initial<V: Into<String>>(mut self, field: &str, values: impl IntoIterator<Item = V>) -> Self {
        let place = F::FIELDS
            .iter()
            .zip(&mut self.values)
            .find(|(spec, _)| spec.name == field && !spec.sensitive);
        if let Some((_, place)) = place {
            *place = values.into_iter().map(Into::into).collect();
        }
        self
    }

    /// Shows what is wrong.
    pub fn errors(&self) -> &FormErrors {
        &self.errors
    }

    /// Gives the value of a field as it would be shown.
    pub fn value(&self, field: &str) -> Option<&str> {
        let (_, values) = F::FIELDS
            .iter()
            .zip(&self.values)
            .find(|(spec, _)| spec.name == field)?;
        values.last().map(String::as_str)
    }

    /// Shows one field, for a template.
    pub fn field(&self, name: &str) -> Option<FieldView> {
        let (spec, values) = F::FIELDS
            .iter()
            .zip(&self.values)
            .find(|(spec, _)| spec.name == name)?;
        Some(self.field_view(spec, values))
    }

    /// Shows the form, for a template.
    pub fn view(&self) -> FormView {
        let fields: Vec<FieldView> = F::FIELDS
            .iter()
            .zip(&self.values)
            .map(|(spec, values)| self.field_view(spec, values))
            .collect();
        let errors: Vec<String> = self.errors.form().messages().map(str::to_owned).collect();
        FormView {
            is_bound: self.is_sent,
            is_multipart: F::FIELDS.iter().any(|spec| spec.kind == Kind::File),
            html: html::form(&errors, &fields),
            field: fields.iter().map(|field| (field.name, field.clone())).collect(),
            fields,
            non_field_errors: errors,
        }
    }

    /// Writes all fields as HTML, with labels, help and errors.
    pub fn html(&self) -> String {
        self.view().html
    }

    fn field_view(&self, spec: &FieldSpec, values: &[String]) -> FieldView {
        let errors = self
            .errors
            .field(spec.name)
            .map(|list| list.messages().map(str::to_owned).collect());
        let mut view = FieldView::of(spec, values, errors.unwrap_or_default());
        view.html = html::field(&view);
        view.input = html::input(&view);
        view
    }
}

impl<F: Form> Serialize for Bound<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.view().serialize(serializer)
    }
}

/// Shows the errors, and none of the values.
impl<F> fmt::Debug for Bound<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound")
            .field("errors", &self.errors)
            .finish_non_exhaustive()
    }
}

/// Shows a form to a template.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct FormView {
    /// Whether the form was sent.
    pub is_bound: bool,
    /// Whether it takes files, so that the page's `form` needs `enctype="multipart/form-data"`.
    pub is_multipart: bool,
    /// The errors that belong to no single field.
    pub non_field_errors: Vec<String>,
    /// The fields in their order.
    pub fields: Vec<FieldView>,
    /// The fields by name.
    pub field: BTreeMap<&'static str, FieldView>,
    /// The whole form as HTML; escaped already.
    pub html: String,
}

/// Shows one field to a template.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct FieldView {
    /// The name in HTML.
    pub name: &'static str,
    /// The `id` of the control, for a label.
    pub id_for_label: String,
    /// The label.
    pub label: String,
    /// The help text.
    pub help: &'static str,
    /// What to show as the value: what was sent, or what the form began with. Never a secret.
    pub value: String,
    /// All values of a repeated name.
    pub values: Vec<String>,
    /// Whether a checkbox is ticked.
    pub checked: bool,
    /// What is wrong.
    pub errors: Vec<String>,
    /// Whether a value is asked for.
    pub required: bool,
    /// Whether the name may be repeated.
    pub multiple: bool,
    /// The most characters.
    pub max_length: Option<usize>,
    /// The least characters.
    pub min_length: Option<usize>,
    /// The smallest number.
    pub min: Option<String>,
    /// The largest number.
    pub max: Option<String>,
    /// `any` where fractions are allowed.
    pub step: Option<&'static str>,
    /// What may be chosen.
    pub choices: Vec<ChoiceView>,
    /// Which kinds of files a browser offers, as HTML's `accept` has it.
    pub accept: Option<String>,
    /// The HTML control.
    pub widget: &'static str,
    /// What browsers may fill in.
    pub autocomplete: Option<&'static str>,
    /// What phones write with a capital by themselves.
    pub autocapitalize: Option<&'static str>,
    /// Which keys phones show.
    pub inputmode: Option<&'static str>,
    /// The ids of help and errors, for `aria-describedby`.
    pub described_by: Option<String>,
    /// The control as HTML; escaped already.
    pub input: String,
    /// Label, help, errors and control as HTML; escaped already.
    pub html: String,
}

/// Shows one choice to a template.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ChoiceView {
    /// What is sent.
    pub value: &'static str,
    /// What is read.
    pub label: &'static str,
    /// Whether it is chosen.
    pub selected: bool,
}

impl FieldView {
    fn of(spec: &FieldSpec, values: &[String], errors: Vec<String>) -> Self {
        let id = format!("id_{}", spec.name);
        let help = (!spec.help.is_empty()).then(|| format!("{id}_helptext"));
        let wrong = (!errors.is_empty()).then(|| format!("{id}_error"));
        let described_by: Vec<String> = help.into_iter().chain(wrong).collect();
        let value = values.last().cloned().unwrap_or_default();
        let is_text = spec.kind == Kind::Text;
        Self {
            name: spec.name,
            label: spec.label(),
            help: spec.help,
            checked: !(value.is_empty() || value == "0" || value.eq_ignore_ascii_case("false")),
            value,
            values: values.to_vec(),
            errors,
            required: spec.required,
            multiple: spec.multiple,
            max_length: spec.max_length.filter(|_| is_text),
            min_length: spec.min_length.filter(|_| is_text),
            min: spec.min.map(|limit| limit.to_string()),
            max: spec.max.map(|limit| limit.to_string()),
            step: (spec.kind == Kind::Real && spec.widget == Widget::Number).then_some("any"),
            choices: choices(spec, values),
            accept: accept(spec),
            widget: spec.widget.name(),
            autocomplete: spec.autocomplete,
            autocapitalize: spec.autocapitalize,
            inputmode: spec.inputmode,
            described_by: (!described_by.is_empty()).then(|| described_by.join(" ")),
            id_for_label: id,
            input: String::new(),
            html: String::new(),
        }
    }
}

/// The extensions and media types of what is taken: systems know the one or the other.
fn accept(spec: &FieldSpec) -> Option<String> {
    let kinds = spec.accept.iter();
    let words: Vec<&str> = kinds
        .flat_map(|kind| {
            [
                kind.extension(),
                kind.mime().split(';').next().unwrap_or_default(),
            ]
        })
        .collect();
    (!words.is_empty()).then(|| words.join(","))
}

/// The choices; a single one begins with the empty choice, unless it has one or must be made and is made.
fn choices(spec: &FieldSpec, values: &[String]) -> Vec<ChoiceView> {
    let chosen = |value: &str| values.iter().any(|known| known == value);
    let listed = spec.choices.iter().map(|(value, label)| ChoiceView {
        value,
        label,
        selected: chosen(value),
    });
    let has_empty = spec.choices.iter().any(|(value, _)| value.is_empty());
    let is_made = spec.choices.iter().any(|(value, _)| chosen(value));
    let may_be_none = !spec.required || !is_made;
    let needs_empty = !spec.choices.is_empty() && !spec.multiple && !has_empty && may_be_none;
    let empty = needs_empty.then_some(ChoiceView {
        value: "",
        label: "---------",
        selected: !is_made,
    });
    empty.into_iter().chain(listed).collect()
}
