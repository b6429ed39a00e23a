//! `security.*` and `clickjacking.*`: redirects to TLS, and the headers of responses.

use palisade_core::django::{Decoration, SecuritySettings, Unredirected, x_frame_options};

use super::http::unsafe_redirect;
use super::request::{request, unhosted};
use crate::answer::{Answer, object};
use crate::call::{Call, Op};
use crate::failure::Failure;

/// The operations.
pub(crate) const OPS: &[(&str, Op)] = &[
    ("security.process_request", process_request),
    ("security.process_response", process_response),
    ("clickjacking.process_response", frame_options),
    ("clickjacking.decorate", decorate),
];

/// The names of the headers that a response has already.
fn present(call: &Call) -> Result<Vec<String>, Failure> {
    let headers = call.args.object("headers")?;
    Ok(headers.members().map(|(name, _)| name.to_owned()).collect())
}

fn has(present: &[String], name: &str) -> bool {
    present.iter().any(|header| header.eq_ignore_ascii_case(name))
}

/// The headers to set, as an object.
fn headers(set: impl IntoIterator<Item = (&'static str, String)>) -> Answer {
    let members = set
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()));
    Answer::Object(members.collect())
}

fn process_request(call: &mut Call) -> Result<Answer, Failure> {
    let settings: SecuritySettings = call.settings.security()?;
    let address = settings.redirect(&request(call)?, &call.settings.hosts()?);
    let address = address.map_err(|error| match error {
        Unredirected::Host(error) => unhosted(error),
        Unredirected::Redirect(error) => unsafe_redirect(error),
        error => Failure::internal(error),
    })?;
    let to = ("redirect_to", address.clone().into());
    Ok(match address {
        Some(_) => object([to, ("status", 301_i64.into())]),
        None => object([to]),
    })
}

fn process_response(call: &mut Call) -> Result<Answer, Failure> {
    let present = present(call)?;
    let secure = request(call)?.is_secure();
    let set = call
        .settings
        .security()?
        .headers(secure, |name| has(&present, name));
    Ok(object([("headers", headers(set))]))
}

fn frame_options(call: &mut Call) -> Result<Answer, Failure> {
    let computed: Option<String> = call.args.get("value")?;
    let present = has(&present(call)?, "X-Frame-Options");
    let exempt = call.args.truthy("exempt");
    let value = match computed {
        // What an application computes is taken as it is.
        Some(value) => (!present && !exempt).then_some(value),
        None => x_frame_options(&call.settings.text_or_repr("X_FRAME_OPTIONS"), present, exempt),
    };
    let set = value.map(|value| ("X-Frame-Options", value));
    Ok(object([("headers", headers(set))]))
}

fn decorate(call: &mut Call) -> Result<Answer, Failure> {
    let mode = match call.args.text("mode")?.as_str() {
        "deny" => Decoration::Deny,
        "sameorigin" => Decoration::SameOrigin,
        "exempt" => Decoration::Exempt,
        other => return Err(Failure::internal(format!("there is no mode {other}"))),
    };
    let value = mode.value(has(&present(call)?, "X-Frame-Options"));
    let set = value.map(|value| ("X-Frame-Options", value.to_owned()));
    Ok(object([
        ("headers", headers(set)),
        ("exempt", mode.exempts().into()),
    ]))
}
