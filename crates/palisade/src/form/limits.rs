//! How much of a form is read, and what happens to what was not asked for.
//!
//! The limits are Django's, with its names and defaults. They stand in a request extension (`Arc<FormPolicy>`), so that
//! the stack can set them once from the settings; without one the defaults hold.

use std::sync::Arc;

use palisade_core::Settings;
pub use palisade_core::settings::UnknownFields;

use crate::stack::StackContext;

/// Limits what one form may cost. `None` lifts a limit, as in Django.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(clippy::struct_field_names, reason = "the names are those of the settings")]
pub struct FormLimits {
    /// The most bytes of a body, without files: `DATA_UPLOAD_MAX_MEMORY_SIZE`.
    pub max_memory_size: Option<usize>,
    /// The most fields: `DATA_UPLOAD_MAX_NUMBER_FIELDS`.
    pub max_number_fields: Option<usize>,
    /// The most file parts: `DATA_UPLOAD_MAX_NUMBER_FILES`.
    pub max_number_files: Option<usize>,
    /// The most bytes of one field's value.
    pub max_field_size: Option<usize>,
}

impl Default for FormLimits {
    fn default() -> Self {
        Self {
            max_memory_size: Some(2_621_440),
            max_number_fields: Some(1000),
            max_number_files: Some(100),
            max_field_size: Some(1_048_576),
        }
    }
}

impl FormLimits {
    /// Sets the most bytes of a body, without files.
    #[must_use]
    pub fn with_max_memory_size(mut self, bytes: Option<usize>) -> Self {
        self.max_memory_size = bytes;
        self
    }

    /// Sets the most fields.
    #[must_use]
    pub fn with_max_number_fields(mut self, fields: Option<usize>) -> Self {
        self.max_number_fields = fields;
        self
    }

    /// Sets the most file parts.
    #[must_use]
    pub fn with_max_number_files(mut self, files: Option<usize>) -> Self {
        self.max_number_files = files;
        self
    }

    /// Sets the most bytes of one field's value.
    #[must_use]
    pub fn with_max_field_size(mut self, bytes: Option<usize>) -> Self {
        self.max_field_size = bytes;
        self
    }
}

/// Says what happens to the file parts of a multipart form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FileParts {
    /// The request is refused (400): a form of this kind takes no files.
    #[default]
    Refuse,
    /// They are read past and dropped.
    Skip,
}

/// Holds what holds for every form of a site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FormPolicy {
    /// How much is read.
    pub limits: FormLimits,
    /// What happens to fields that were not asked for.
    pub unknown_fields: UnknownFields,
    /// What happens to files.
    pub files: FileParts,
}

impl FormPolicy {
    /// Takes what the settings say.
    pub fn from_settings(settings: &Settings) -> Self {
        let limits = FormLimits::default()
            .with_max_memory_size(Some(settings.data_upload_max_memory_size))
            .with_max_number_fields(Some(settings.data_upload_max_number_fields))
            .with_max_number_files(Some(settings.data_upload_max_number_files));
        Self::default()
            .with_limits(limits)
            .with_unknown_fields(settings.form_unknown_fields)
    }

    /// Sets how much is read.
    #[must_use]
    pub fn with_limits(mut self, limits: FormLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets what happens to fields that were not asked for.
    #[must_use]
    pub fn with_unknown_fields(mut self, unknown_fields: UnknownFields) -> Self {
        self.unknown_fields = unknown_fields;
        self
    }

    /// Sets what happens to files.
    #[must_use]
    pub fn with_files(mut self, files: FileParts) -> Self {
        self.files = files;
        self
    }

    /// Takes the policy that stands in the request (`Arc<FormPolicy>`), else the stack's, else the defaults.
    pub fn of(extensions: &http::Extensions) -> Arc<Self> {
        let own = extensions.get::<Arc<Self>>().cloned();
        own.or_else(|| Some(StackContext::of(extensions).ok()?.forms()))
            .unwrap_or_default()
    }
}
