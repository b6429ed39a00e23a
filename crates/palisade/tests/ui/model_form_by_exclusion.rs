//! What a request may set is listed. Django's two other ways open every field that is added later.

use palisade::form::ModelForm;

struct Note {
    title: String,
    owner: u64,
}

#[derive(ModelForm)]
#[form(model = Note, exclude(owner))]
struct Excluding {
    title: String,
}

#[derive(ModelForm)]
#[form(model = Note, fields = "__all__")]
struct All {
    title: String,
}

#[derive(ModelForm)]
#[form(model = Note)]
struct Nothing {
    title: String,
}

fn main() {}
