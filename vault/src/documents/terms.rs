//! In which form a document is shared: to be seen and fetched, never to be changed.

use palisade::form::Form;
use palisade::rows::Role;

use super::store::Document;
use crate::share::{Shareable, Terms};

/// With whom, until when.
#[derive(Form)]
pub(crate) struct DocumentTerms {
    #[form(
        label = "Name of the person",
        max_length = 150,
        autocomplete = "off",
        autocapitalize = "none",
        help = "The name they log in with. Whether somebody has it is not told here. They can see the document and save it."
    )]
    username: String,
    #[form(
        label = "Until",
        optional,
        regex = r"^\d{4}-\d{2}-\d{2}$",
        max_length = 10,
        widget = date,
        autocomplete = "off",
        help = "The last day (UTC). Empty: until you take it back."
    )]
    until: String,
}

impl Terms for DocumentTerms {
    fn username(&self) -> &str {
        &self.username
    }

    fn role(&self) -> Role {
        Role::Viewer
    }

    fn until(&self) -> &str {
        &self.until
    }
}

impl Shareable for Document {
    type Terms = DocumentTerms;
    const THING: &'static str = "document";

    fn title(&self) -> &str {
        &self.title
    }

    fn place(&self) -> String {
        format!("/documents/{}/", self.id)
    }
}
