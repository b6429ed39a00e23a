//! In which form a note is shared: to be seen, or to be edited, too.

use palisade::form::Form;
use palisade::rows::Role;

use super::store::Note;
use crate::share::{Shareable, Terms};

/// With whom, what for, until when.
#[derive(Form)]
pub(crate) struct NoteTerms {
    #[form(
        label = "Name of the person",
        max_length = 150,
        autocomplete = "off",
        autocapitalize = "none",
        help = "The name they log in with. Whether somebody has it is not told here."
    )]
    username: String,
    #[form(label = "They may", initial = "viewer", choices = [("viewer", "see it"), ("editor", "see and edit it")])]
    role: String,
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

impl Terms for NoteTerms {
    fn username(&self) -> &str {
        &self.username
    }

    fn role(&self) -> Role {
        Role::of_name(&self.role).unwrap_or(Role::Viewer)
    }

    fn until(&self) -> &str {
        &self.until
    }
}

impl Shareable for Note {
    type Terms = NoteTerms;
    const THING: &'static str = "note";

    fn title(&self) -> &str {
        &self.title
    }

    fn place(&self) -> String {
        format!("/secret/{}/", self.id)
    }
}
