//! People whom an attack needs: somebody with an account, logged in.

use anyhow::{Result, ensure};
use http::{Method, header};
use testkit::Visitor;
use testkit::visitor::{Reply, form};

use crate::{Person, Target};

/// What stands in a page that knows its visitor.
const KNOWN: &str = "data-user";

/// Signs somebody up, and in.
pub(super) async fn join(target: &Target, person: Person) -> Result<Visitor> {
    let mut visitor = target.visitor()?;
    let email = address(person);
    let fields = [
        ("username", person.username),
        ("email", email.as_str()),
        ("password1", person.password),
        ("password2", person.password),
    ];
    let reply = visitor.submit("/signup/", &fields).await?;
    ensure!(
        reply.status.is_redirection(),
        "sign-up was answered with {}",
        reply.status
    );
    if visitor.cookie("sessionid").is_none() {
        log_in(&mut visitor, person).await?;
    }
    ensure!(is_in(&mut visitor).await?, "{} is not logged in", person.username);
    Ok(visitor)
}

/// The address that somebody signs up with.
pub(super) fn address(person: Person) -> String {
    format!("{}@example.com", person.username)
}

/// Fills in the login.
pub(super) async fn log_in(visitor: &mut Visitor, person: Person) -> Result<Reply> {
    let fields = [("username", person.username), ("password", person.password)];
    visitor.submit("/login/", &fields).await
}

/// Whether the site knows who visits.
pub(super) async fn is_in(visitor: &mut Visitor) -> Result<bool> {
    Ok(visitor.open("/").await?.text().contains(KNOWN))
}

/// Whether this person's password opens the site.
pub(super) async fn opens(target: &Target, person: Person) -> Result<bool> {
    let mut visitor = target.visitor()?;
    log_in(&mut visitor, person).await?;
    is_in(&mut visitor).await
}

/// Writes a note, and returns the page on which it is shown.
pub(super) async fn keep(visitor: &mut Visitor, title: &str, body: &str) -> Result<String> {
    let reply = visitor
        .submit("/secret/", &[("title", title), ("body", body)])
        .await?;
    let shown = reply.header("location").to_owned();
    ensure!(!shown.is_empty(), "the note was answered with {}", reply.status);
    let page = visitor.open(&shown).await?;
    ensure!(page.status.is_success(), "the note is shown with {}", page.status);
    Ok(page.text())
}

/// Sends a form as its page would, with more headers, and without looking at what the page says of its method or type.
pub(super) async fn submit_with(
    visitor: &mut Visitor,
    path: &str,
    fields: &[(&str, &str)],
    headers: &[(&str, &str)],
) -> Result<Reply> {
    let token = visitor
        .open(path)
        .await?
        .field("csrfmiddlewaretoken")
        .unwrap_or_default();
    let fields = [fields, &[("csrfmiddlewaretoken", token.as_str())]].concat();
    let origin = visitor.origin();
    let mut request = visitor
        .request(Method::POST, path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ORIGIN, &origin)
        .header(header::REFERER, format!("{origin}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    visitor.send(request, form(&fields).into()).await
}
