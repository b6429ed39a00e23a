//! Pages: templates, what every page knows of its visitor, and the page for what goes wrong.
//!
//! Templates are part of the program, and escape whatever they print; the only exception is the HTML that Palisade has
//! written, escaped or sanitised itself (form controls, the CSRF field, Markdown). Each template is read at start, and one that puts a value where it
//! could become script stops it. A `Sensitive` value has no way into a template: it cannot be serialised. What is made for who is logged in the
//! stack marks `no-store`, so that the next person at the machine does not find it with the back button.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::header::RETRY_AFTER;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{Html, IntoResponse as _, Response};
use minijinja::value::Value;
use minijinja::{Environment, context};
use palisade::auth::{LoggedIn, Next, login_redirect};
use palisade::csrf::CsrfToken;
use palisade::errors::{ErrorPage, Trouble};
use palisade::form::{Bound, Form};
use palisade::session::{Session, SessionError};
use palisade::templates::{self, TemplateError};
use palisade::{Rejection, Settings};

use crate::app::App;
use crate::assets::{ICON, STYLE};

pub(crate) mod moment;

/// Where a sentence for the next page waits in the session.
const NOTICE: &str = "vault_notice";

const TEMPLATES: &[(&str, &str)] = &[
    ("base.html", include_str!("../templates/base.html")),
    ("fields.html", include_str!("../templates/fields.html")),
    ("welcome.html", include_str!("../templates/welcome.html")),
    ("notes.html", include_str!("../templates/notes.html")),
    ("write.html", include_str!("../templates/write.html")),
    ("shown.html", include_str!("../templates/shown.html")),
    ("note.html", include_str!("../templates/note.html")),
    ("edit.html", include_str!("../templates/edit.html")),
    ("share.html", include_str!("../templates/share.html")),
    ("shared.html", include_str!("../templates/shared.html")),
    ("documents.html", include_str!("../templates/documents.html")),
    ("document.html", include_str!("../templates/document.html")),
    ("keep.html", include_str!("../templates/keep.html")),
    ("links.html", include_str!("../templates/links.html")),
    ("linked.html", include_str!("../templates/linked.html")),
    ("sign_up.html", include_str!("../templates/sign_up.html")),
    ("logged_out.html", include_str!("../templates/logged_out.html")),
    ("log_in.html", include_str!("../templates/log_in.html")),
    ("second_step.html", include_str!("../templates/second_step.html")),
    (
        "second_step_ended.html",
        include_str!("../templates/second_step_ended.html"),
    ),
    ("confirm.html", include_str!("../templates/confirm.html")),
    ("forgotten.html", include_str!("../templates/forgotten.html")),
    (
        "forgotten_sent.html",
        include_str!("../templates/forgotten_sent.html"),
    ),
    ("reset.html", include_str!("../templates/reset.html")),
    (
        "reset_useless.html",
        include_str!("../templates/reset_useless.html"),
    ),
    ("reset_done.html", include_str!("../templates/reset_done.html")),
    (
        "second_factor.html",
        include_str!("../templates/second_factor.html"),
    ),
    (
        "second_factor_begun.html",
        include_str!("../templates/second_factor_begun.html"),
    ),
    (
        "recovery_codes.html",
        include_str!("../templates/recovery_codes.html"),
    ),
    ("profile.html", include_str!("../templates/profile.html")),
    ("password.html", include_str!("../templates/password.html")),
    ("sessions.html", include_str!("../templates/sessions.html")),
    ("throttle.html", include_str!("../templates/throttle.html")),
    ("csp.html", include_str!("../templates/csp.html")),
    ("staff.html", include_str!("../templates/staff.html")),
    ("widget.html", include_str!("../templates/widget.html")),
    ("error.html", include_str!("../templates/error.html")),
];

/// All templates, compiled. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Templates(Arc<Environment<'static>>);

impl Templates {
    /// Compiles the templates, so that one that is broken stops the start and not a visitor.
    pub(crate) fn load(settings: &Settings) -> Result<Self, TemplateError> {
        let mut environment = templates::environment();
        environment.add_global("style", STYLE.path());
        environment.add_global("icon", ICON.path());
        environment.add_global("password_length", password_length(settings));
        templates::load(&mut environment, TEMPLATES)?;
        Ok(Self(Arc::new(environment)))
    }

    pub(crate) fn render(&self, name: &str, about: Value) -> Result<String, Rejection> {
        let rendered = self
            .0
            .get_template(name)
            .and_then(|template| template.render(about));
        rendered.map_err(|error| Rejection::internal(error.to_string()))
    }
}

/// A page for one visitor: an extractor.
pub(crate) struct Page {
    templates: Templates,
    user: Option<LoggedIn>,
    csrf: CsrfToken,
    notice: Option<String>,
    path: String,
    next: Option<String>,
}

impl FromRequestParts<App> for Page {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Rejection> {
        let user = <LoggedIn as OptionalFromRequestParts<App>>::from_request_parts(parts, app).await?;
        let session = <Session as FromRequestParts<App>>::from_request_parts(parts, app).await?;
        let notice = if user.is_some() {
            session.take(NOTICE).await?
        } else {
            None
        };
        Ok(Self {
            templates: app.templates.clone(),
            user,
            csrf: CsrfToken::from_request_parts(parts, app).await?,
            notice,
            path: parts.uri.path().to_owned(),
            next: Next::from_request_parts(parts, app)
                .await?
                .queried()
                .map(str::to_owned),
        })
    }
}

impl Page {
    /// Shows a page.
    pub(crate) fn show(&self, template: &str, about: Value) -> Result<Response, Rejection> {
        let known = context! {
            user => self.user.as_ref().map(|user| user.username.as_str()),
            staff => self.user.as_ref().is_some_and(|user| user.is_staff),
            csrf => templates::csrf(&self.csrf),
            notice => self.notice.as_deref(),
            path => self.path.as_str(),
            next => self.next.as_deref(),
            onward => self.onward(),
            ..about
        };
        let html = Html(self.templates.render(template, known)?);
        Ok(html.into_response())
    }

    /// The query that lets the login page and the sign-up page lead to the same place.
    fn onward(&self) -> String {
        let next = self.next.as_deref().and_then(|next| next.parse::<Uri>().ok());
        let query = next.and_then(|next| login_redirect("", &next));
        query
            .and_then(|query| query.to_str().map(str::to_owned).ok())
            .unwrap_or_default()
    }

    /// Whether the visitor is logged in.
    pub(crate) fn knows_its_visitor(&self) -> bool {
        self.user.is_some()
    }

    /// Shows a page with a form to be filled in.
    pub(crate) fn ask<F: Form>(&self, template: &str, form: &Bound<F>) -> Result<Response, Rejection> {
        self.show(template, context! { form => templates::form(form) })
    }

    /// Shows the form again with what is wrong with it, and says so to programs, too: the status is 422.
    pub(crate) fn ask_again<F: Form>(&self, template: &str, form: &Bound<F>) -> Result<Response, Rejection> {
        self.show_again(template, context! { form => templates::form(form) })
    }

    /// Shows a page whose form is not right yet: the status is 422.
    pub(crate) fn show_again(&self, template: &str, about: Value) -> Result<Response, Rejection> {
        Ok(unprocessable(self.show(template, about)?))
    }

    /// Shows the form again, with the sentence that says when to come back.
    pub(crate) fn ask_later<F: Form>(
        &self,
        template: &str,
        form: &Bound<F>,
        wait: Duration,
    ) -> Result<Response, Rejection> {
        let about = context! { form => templates::form(form), later => true };
        Ok(later(self.show(template, about)?, wait))
    }
}

/// Says to programs, too, when to come back: the status is 429.
pub(crate) fn later(mut response: Response, wait: Duration) -> Response {
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    let headers = response.headers_mut();
    headers.insert(RETRY_AFTER, HeaderValue::from(seconds(wait)));
    response
}

/// A wait in whole seconds, never too short.
pub(crate) fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// Says to programs, too, that what was sent is not right: the status is 422.
pub(crate) fn unprocessable(mut response: Response) -> Response {
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    response
}

/// The rule that the site's owner sets, as a form says it.
fn password_length(settings: &Settings) -> String {
    match settings.password_min_length {
        1 => "At least 1 character.".to_owned(),
        least => format!("At least {least} characters."),
    }
}

/// Leaves a sentence for the next page that this visitor sees.
pub(crate) async fn leave_notice(session: &Session, sentence: &str) -> Result<(), SessionError> {
    session.insert(NOTICE, sentence).await
}

/// The site's own page for what goes wrong. It knows nobody: it is shown where even the session may be out of reach.
pub(crate) fn error_page(templates: Templates) -> ErrorPage {
    ErrorPage::new(move |trouble| {
        let about = context! {
            status => trouble.status.as_u16(),
            headline => headline(trouble),
            hint => trouble.hint(),
            id => trouble.id.as_str(),
        };
        templates
            .render("error.html", about)
            .unwrap_or_else(|_| format!("<h1>{}</h1>", trouble.title()))
    })
}

fn headline(trouble: &Trouble<'_>) -> &'static str {
    match trouble.status.as_u16() {
        404 => "There is nothing here",
        403 => "That was not let through",
        405 => "That is not how this page is asked",
        413 => "That is too much at once",
        429 => "Not so fast, please",
        503 => "One moment, please",
        500..=599 => "Something broke on our side",
        _ => "That did not work",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use palisade::SecretKey;

    #[test]
    fn no_page_has_inline_script_or_style_or_loads_from_elsewhere() {
        for (name, source) in TEMPLATES {
            for bad in [
                "<script",
                "<style",
                " style=",
                " onclick=",
                "src=\"http",
                "javascript:",
            ] {
                assert!(!source.contains(bad), "{name} contains {bad}");
            }
        }
    }

    fn settings() -> Settings {
        Settings::new(SecretKey::new("x".repeat(64)), ["localhost"])
    }

    #[test]
    fn values_are_escaped() {
        let templates = Templates::load(&settings()).unwrap();
        let about = context! { status => 500, headline => "<b>", hint => "\"><script>", id => "x" };
        let html = templates.render("error.html", about).unwrap();
        assert!(html.contains("&lt;b&gt;") && !html.contains("<script>"));
    }
}
