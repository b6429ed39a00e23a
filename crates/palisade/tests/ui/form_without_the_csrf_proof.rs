//! What was checked of a form comes from a request whose CSRF check has passed, and from nowhere else.

use palisade::Form;
use palisade::csrf::Proof;
use palisade::form::Checked;

#[derive(Form)]
struct NoteForm {
    title: String,
}

fn by_hand(form: NoteForm) -> Checked<NoteForm> {
    Checked(form)
}

fn proven() -> Proof {
    Proof(())
}

fn also_proven() -> Proof {
    Proof::default()
}

fn main() {}
