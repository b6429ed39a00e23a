//! A listed field that the model does not have.

use palisade::form::ModelForm;

struct Note {
    title: String,
}

#[derive(ModelForm)]
#[form(model = Note, fields(title, body))]
struct NoteForm {
    title: String,
    body: String,
}

fn main() {
    let Note { title: _ } = Note { title: String::new() };
}
