//! Rules that do not fit their type, and rules that are misspelt.

use palisade::form::Form;

#[derive(Form)]
struct Aged {
    #[form(max_length = 3)]
    age: u8,
}

#[derive(Form)]
struct Misspelt {
    #[form(max_lenght = 3)]
    title: String,
}

fn main() {}
