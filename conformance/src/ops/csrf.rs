//! `csrf.*`: secrets and tokens, and what the middleware does before, around and after a view.

use palisade_core::csrf::{self, CsrfSecret};
use palisade_core::django::{CsrfSettings, CsrfState, Decision, FormToken, Kept, ProcessView, Secret};
use palisade_core::header::patch_vary;

use super::request::{request, unhosted};
use crate::answer::{Answer, object};
use crate::call::{Call, Op};
use crate::failure::Failure;

/// The operations.
pub(crate) const OPS: &[(&str, Op)] = &[
    ("csrf.mask", mask),
    ("csrf.unmask", unmask),
    ("csrf.check_token_format", check_token_format),
    ("csrf.token_matches", token_matches),
    ("csrf.get_token", get_token),
    ("csrf.rotate_token", rotate_token),
    ("csrf.trusted_origins", trusted_origins),
    ("csrf.check_origin", check_origin),
    ("csrf.check_referer", check_referer),
    ("csrf.process_request", process_request),
    ("csrf.process_view", process_view),
    ("csrf.process_response", process_response),
];

fn state(call: &Call) -> Result<CsrfState, Failure> {
    let state = call.args.object("state")?;
    Ok(CsrfState {
        secret: state.get("secret")?,
        needs_update: state.get("needs_update")?,
        done: state.get("done")?,
    })
}

fn state_answer(state: CsrfState) -> Answer {
    object([
        ("secret", state.secret.into()),
        ("needs_update", state.needs_update.into()),
        ("done", state.done.into()),
    ])
}

fn kept(call: &Call) -> Result<Kept, Failure> {
    if !call.settings.truthy("CSRF_USE_SESSIONS") {
        return Ok(Kept::Cookie);
    }
    if matches!(call.args.raw("session"), None | Some("null")) {
        return Ok(Kept::NoSession);
    }
    let session = call.args.object("session")?;
    Ok(if session.get("present")? {
        Kept::Session(session.get("token")?)
    } else {
        Kept::NoSession
    })
}

fn invalid_secret(error: Secret) -> Failure {
    let kind = match error {
        Secret::Length => "AssertionError",
        _ => "ValueError",
    };
    Failure::new(kind, error)
}

fn unprocessed(error: ProcessView) -> Failure {
    match error {
        ProcessView::Settings(error) => Failure::new("ImproperlyConfigured", error),
        ProcessView::Form => Failure::new("FormReadError", ""),
        ProcessView::Host(error) => unhosted(error),
        ProcessView::Secret(error) => invalid_secret(error),
        error => Failure::internal(error),
    }
}

fn parsed(token: &str) -> Result<CsrfSecret, Failure> {
    CsrfSecret::parse(token).map_err(|error| Failure::new("ValueError", error))
}

fn mask(call: &mut Call) -> Result<Answer, Failure> {
    Ok(parsed(&call.args.text("secret")?)?.mask().into())
}

fn unmask(call: &mut Call) -> Result<Answer, Failure> {
    Ok(parsed(&call.args.text("token")?)?.as_str().into())
}

fn check_token_format(call: &mut Call) -> Result<Answer, Failure> {
    let checked = csrf::check_token_format(&call.args.text("token")?);
    Ok(checked
        .map_err(|error| Failure::new("InvalidTokenFormat", error))?
        .into())
}

fn token_matches(call: &mut Call) -> Result<Answer, Failure> {
    let matches = CsrfSettings::matches(&call.args.text("token")?, &call.args.text("secret")?);
    Ok(matches.map_err(invalid_secret)?.into())
}

fn get_token(call: &mut Call) -> Result<Answer, Failure> {
    let mut state = state(call)?;
    let token = state.token().map_err(invalid_secret)?;
    Ok(object([("token", token.into()), ("state", state_answer(state))]))
}

fn rotate_token(call: &mut Call) -> Result<Answer, Failure> {
    let mut state = state(call)?;
    state.rotate();
    Ok(object([("state", state_answer(state))]))
}

fn trusted_origins(call: &mut Call) -> Result<Answer, Failure> {
    let trusted = call.settings.csrf()?.trusted_origins;
    let mut subdomains: Vec<(String, Vec<&str>)> = Vec::new();
    for (scheme, location) in trusted.subdomains() {
        match subdomains.iter_mut().find(|(known, _)| known == scheme) {
            Some((_, locations)) => locations.push(location),
            None => subdomains.push((scheme.to_owned(), vec![location])),
        }
    }
    let subdomains = subdomains.into_iter();
    let subdomains = subdomains.map(|(scheme, locations)| (scheme, locations.into_iter().collect()));
    Ok(object([
        ("referer_hosts", trusted.referer_hosts().collect()),
        ("exact", trusted.exact().collect()),
        ("subdomains", Answer::Object(subdomains.collect())),
    ]))
}

fn check_origin(call: &mut Call) -> Result<Answer, Failure> {
    let request = request(call)?;
    let origin = request.meta("HTTP_ORIGIN");
    let origin = origin.ok_or_else(|| Failure::new("KeyError", "HTTP_ORIGIN"))?;
    let verified = call.settings.csrf()?.origin_is_verified(origin, &request);
    Ok(verified.map_err(unhosted)?.into())
}

fn check_referer(call: &mut Call) -> Result<Answer, Failure> {
    let reason = call
        .settings
        .csrf()?
        .bad_referer(&request(call)?)
        .map_err(unhosted)?;
    Ok(reason.map(|reason| reason.to_string()).into())
}

fn process_request(call: &mut Call) -> Result<Answer, Failure> {
    let mut state = state(call)?;
    let processed = call
        .settings
        .csrf()?
        .process_request(&request(call)?, &kept(call)?, &mut state);
    processed.map_err(unprocessed)?;
    Ok(object([("state", state_answer(state))]))
}

fn process_view(call: &mut Call) -> Result<Answer, Failure> {
    let mut state = state(call)?;
    let args = &call.args;
    let form = match args.raw("form") {
        None | Some("null") => FormToken::Sent(None),
        Some(_) => {
            let form = args.object("form")?;
            match form.get::<Option<String>>("error")?.as_deref() {
                None => FormToken::Sent(form.get("token")?),
                Some("unreadable") => FormToken::Unreadable,
                Some(_) => FormToken::Failed,
            }
        }
    };
    let waved_through = (args.truthy("exempt"), args.truthy("skip_checks"));
    let settings = call.settings.csrf()?;
    let decision = settings.process_view(&request(call)?, &kept(call)?, &mut state, waved_through, &form);
    let (decision, reason) = match decision.map_err(unprocessed)? {
        Decision::Pass => ("pass", None),
        Decision::Accept => ("accept", None),
        Decision::Reject(reason) => ("reject", Some(reason)),
    };
    Ok(object([
        ("state", state_answer(state)),
        ("decision", decision.into()),
        ("reason", reason.into()),
    ]))
}

fn process_response(call: &mut Call) -> Result<Answer, Failure> {
    let mut state = state(call)?;
    let (mut cookie, mut token, mut headers) = (Answer::Null, Answer::Null, Vec::new());
    if let Some(secret) = state.take_update() {
        match kept(call)? {
            Kept::Session(stored) if stored.as_ref() == Some(&secret) => {}
            Kept::Session(_) | Kept::NoSession => token = secret.into(),
            Kept::Cookie => {
                cookie = csrf_cookie(call, secret);
                let sent = call.args.texts("headers")?;
                let vary = sent.iter().find(|(name, _)| name.eq_ignore_ascii_case("vary"));
                let vary = patch_vary(vary.map(|(_, value)| value.as_str()), &["Cookie"]);
                headers.push(("Vary".to_owned(), vary.into()));
            }
        }
    }
    Ok(object([
        ("state", state_answer(state)),
        ("set_cookie", cookie),
        ("set_session_token", token),
        ("headers", Answer::Object(headers)),
    ]))
}

/// The arguments of the cookie, each as the settings have it.
fn csrf_cookie(call: &Call, secret: String) -> Answer {
    let setting = |name| Answer::Raw(call.settings.raw(name).to_owned());
    object([
        ("name", setting("CSRF_COOKIE_NAME")),
        ("value", secret.into()),
        ("max_age", setting("CSRF_COOKIE_AGE")),
        ("expires", Answer::Null),
        ("path", setting("CSRF_COOKIE_PATH")),
        ("domain", setting("CSRF_COOKIE_DOMAIN")),
        ("secure", setting("CSRF_COOKIE_SECURE")),
        ("httponly", setting("CSRF_COOKIE_HTTPONLY")),
        ("samesite", setting("CSRF_COOKIE_SAMESITE")),
    ])
}
