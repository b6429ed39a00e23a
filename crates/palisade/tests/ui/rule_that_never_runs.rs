//! A rule that is misspelt, and so would never run.

use palisade::form::Form;

#[derive(Form)]
struct Misspelt {
    #[form(max_lenght = 3)]
    title: String,
}

fn main() {}
