//! Files as values of a form: Django's `FileField`, which here says what kinds of files it takes, and how large ones.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::field::{CarriesNoSecret, Field, Input};
use super::spec::{Kind, Widget};
use super::{ErrorList, FieldSpec, ValidationError};
use crate::media::{Came, Takes, Upload};

/// A file that came under a field's name, until the field takes it.
pub(crate) struct FileSlot(Mutex<Option<Came>>);

impl FileSlot {
    pub(crate) fn new(came: Came) -> Self {
        Self(Mutex::new(Some(came)))
    }

    fn take(&self) -> Option<Came> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl fmt::Debug for FileSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileSlot")
    }
}

impl Field for Upload {
    type Value = Self;
    type Secrecy = CarriesNoSecret;
    const KIND: Kind = Kind::File;
    const WIDGET: Widget = Widget::File;

    fn clean(input: Input<'_>, spec: &FieldSpec) -> Result<Self, ErrorList> {
        let file = match input.files() {
            [] => return Err(ValidationError::required().into()),
            [file] => file,
            // Only one of them would be looked at (CVE-2023-31047).
            _ => return Err(ValidationError::too_many_files(1).into()),
        };
        match file.take() {
            Some(Came::Here(upload)) => Ok(*upload),
            Some(Came::Empty) => Err(ValidationError::empty_file().into()),
            Some(Came::TooMany) => Err(ValidationError::too_many_files(spec.most_files()).into()),
            Some(Came::TooLarge) => Err(ValidationError::too_large_file(spec.max_size).into()),
            Some(Came::Unacceptable(why)) => Err(ValidationError::unacceptable_file(why).into()),
            None => Err(ValidationError::required().into()),
        }
    }

    fn is_blank(input: Input<'_>, _: &FieldSpec) -> bool {
        input.files().is_empty()
    }

    fn present(&self) -> Option<&Self> {
        Some(self)
    }

    /// A file is not shown again: a browser lets no page choose one.
    fn texts(&self) -> Vec<String> {
        Vec::new()
    }

    fn same(&self, other: &Self) -> bool {
        self.digest() == other.digest()
    }
}

impl FieldSpec {
    /// What the field says of its files, if it takes any.
    pub(crate) fn takes_files(&self) -> Option<Takes> {
        (self.kind == Kind::File).then_some(Takes {
            accept: self.accept,
            max_size: self.max_size,
            images: self.images,
        })
    }

    /// How many files may come under the name.
    pub(crate) fn most_files(&self) -> usize {
        if self.multiple { self.max_files } else { 1 }
    }
}
