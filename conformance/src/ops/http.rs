//! `http.*`: hosts, addresses, dates, numbers, header values.

use palisade_core::header::{check_newlines, content_disposition};
use palisade_core::redirect::{self, DisallowedRedirect};
use palisade_core::signing::{base36, base64url};
use palisade_core::{host, http_date, query};

use crate::answer::{Answer, object};
use crate::call::{Call, Op};
use crate::failure::Failure;

/// The operations.
pub(crate) const OPS: &[(&str, Op)] = &[
    ("http.split_domain_port", split_domain_port),
    ("http.is_same_domain", is_same_domain),
    (
        "http.url_has_allowed_host_and_scheme",
        url_has_allowed_host_and_scheme,
    ),
    ("http.base36_encode", base36_encode),
    ("http.base36_decode", base36_decode),
    ("http.urlsafe_base64_encode", urlsafe_base64_encode),
    ("http.urlsafe_base64_decode", urlsafe_base64_decode),
    ("http.escape_leading_slashes", escape_leading_slashes),
    ("http.date", date),
    ("http.parse_date", parse_date),
    ("http.content_disposition", disposition),
    ("http.redirect", redirect_to),
    ("http.check_header", check_header),
    ("http.parse_query", parse_query),
];

fn value_error(error: impl std::fmt::Display) -> Failure {
    Failure::new("ValueError", error)
}

fn split_domain_port(call: &mut Call) -> Result<Answer, Failure> {
    let (domain, port) = host::split_domain_port(&call.args.text("host")?);
    Ok([domain, port].into_iter().collect())
}

fn is_same_domain(call: &mut Call) -> Result<Answer, Failure> {
    let pattern: Option<String> = call.args.get("pattern")?;
    Ok(host::is_same_domain(&call.args.text("host")?, &pattern.unwrap_or_default()).into())
}

fn url_has_allowed_host_and_scheme(call: &mut Call) -> Result<Answer, Failure> {
    let url: Option<String> = call.args.get("url")?;
    let hosts = call.args.texts_of("allowed_hosts")?;
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let https = call.args.truthy("require_https");
    Ok(redirect::url_has_allowed_host_and_scheme(&url.unwrap_or_default(), &hosts, https).into())
}

fn base36_encode(call: &mut Call) -> Result<Answer, Failure> {
    Ok(base36::encode(call.args.get("n")?).map_err(value_error)?.into())
}

fn base36_decode(call: &mut Call) -> Result<Answer, Failure> {
    Ok(base36::decode(&call.args.text("s")?).map_err(value_error)?.into())
}

fn urlsafe_base64_encode(call: &mut Call) -> Result<Answer, Failure> {
    Ok(base64url::encode(call.args.bytes("data")?).into())
}

fn urlsafe_base64_decode(call: &mut Call) -> Result<Answer, Failure> {
    let text = String::from_utf8(call.args.bytes("s")?).map_err(value_error)?;
    Ok(base64url::urlsafe_base64_decode(&text)
        .map_err(value_error)?
        .into())
}

fn escape_leading_slashes(call: &mut Call) -> Result<Answer, Failure> {
    Ok(redirect::escape_leading_slashes(&call.args.text("url")?)
        .as_ref()
        .into())
}

fn date(call: &mut Call) -> Result<Answer, Failure> {
    Ok(http_date::format(call.args.get("epoch_seconds")?)
        .map_err(value_error)?
        .into())
}

fn parse_date(call: &mut Call) -> Result<Answer, Failure> {
    Ok(http_date::parse(&call.args.text("date")?, call.now)
        .map_err(value_error)?
        .into())
}

fn disposition(call: &mut Call) -> Result<Answer, Failure> {
    let filename: Option<String> = call.args.get("filename")?;
    Ok(content_disposition(call.args.truthy("as_attachment"), filename.as_deref()).into())
}

fn redirect_to(call: &mut Call) -> Result<Answer, Failure> {
    let args = &call.args;
    let schemes = args.texts_of("allowed_schemes")?;
    let schemes: Vec<&str> = schemes.iter().map(String::as_str).collect();
    let to = args.text("to")?;
    let location = redirect::redirect_location_to(&to, &schemes).map_err(unsafe_redirect)?;
    let status = redirect::redirect_status(args.truthy("permanent"), args.truthy("preserve_request"));
    Ok(object([
        ("location", location.as_ref().into()),
        ("status", i64::from(status).into()),
    ]))
}

/// The error of an address that a redirect may not lead to.
pub(super) fn unsafe_redirect(error: DisallowedRedirect) -> Failure {
    match error {
        DisallowedRedirect::Invalid(error) => value_error(error),
        error => Failure::new("DisallowedRedirect", error),
    }
}

fn check_header(call: &mut Call) -> Result<Answer, Failure> {
    let checked = check_newlines(&call.args.text("name")?, &call.args.text("value")?);
    Ok(checked
        .map_err(|error| Failure::new("BadHeaderError", error))?
        .into())
}

fn parse_query(call: &mut Call) -> Result<Answer, Failure> {
    let text = query::text(call.args.bytes("query")?);
    let most = call.settings.get("DATA_UPLOAD_MAX_NUMBER_FIELDS")?;
    let fields = query::parse(&text, most).map_err(|error| Failure::new("TooManyFieldsSent", error))?;
    let pairs = query::grouped(fields).into_iter();
    Ok(pairs
        .map(|(name, value)| Answer::from_iter([name, value]))
        .collect())
}
