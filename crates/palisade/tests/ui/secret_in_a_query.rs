//! A secret in a query string.

use palisade::core::secret::Sensitive;
use palisade::form::{Form, QueryForm};

#[derive(Form)]
struct Login {
    username: String,
    password: Option<Sensitive<String>>,
}

async fn login(form: QueryForm<Login>) {
    let _ = form;
}

fn main() {
    let _ = login;
}
