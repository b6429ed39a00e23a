//! A secret in a query string, and a form taken past the CSRF check.

use palisade::core::secret::Sensitive;
use palisade::csrf::Proof;
use palisade::form::{Form, QueryForm};

#[derive(Form)]
struct Login {
    username: String,
    password: Option<Sensitive<String>>,
}

async fn login(form: QueryForm<Login>) {
    let _ = form.validate();
}

fn main() {
    let _ = login;
    let _ = Proof(());
}
