//! A listed field that the form does not declare: a typing error must not become an open or a dead door.

use palisade::form::ModelForm;

struct Note {
    title: String,
}

#[derive(ModelForm)]
#[form(model = Note, fields(titel))]
struct NoteForm {
    title: String,
}

fn main() {}
