//! `request.*`: host, port and scheme of a request.

use palisade_core::django::{ProxyHeader, Request, Unhosted};

use crate::answer::Answer;
use crate::call::{Call, Op};
use crate::failure::Failure;
use crate::object::Object;

/// The operations.
pub(crate) const OPS: &[(&str, Op)] = &[
    ("request.get_host", get_host),
    ("request.get_port", get_port),
    ("request.scheme", scheme),
];

/// Reads a request from the arguments.
pub(super) fn request(call: &Call) -> Result<Request, Failure> {
    let request = call.args.object("request")?;
    let pairs = |name| -> Result<_, Failure> {
        Ok(match request.raw(name) {
            None | Some("null") => Vec::new(),
            Some(_) => request.texts(name)?,
        })
    };
    let text =
        |name| -> Result<String, Failure> { Ok(request.get::<Option<String>>(name)?.unwrap_or_default()) };
    let read = Request {
        method: request.get("method")?,
        path: text("path")?,
        query: text("query")?,
        headers: pairs("headers")?.into_iter().collect(),
        cookies: pairs("cookies")?.into_iter().collect(),
        server_name: request.get("server_name")?,
        server_port: port(&request)?,
        transport_scheme: text("transport_scheme")?,
        secure: request.get("secure")?,
    };
    // Where the caller has not said, the proxy or the transport does; a setting that says nothing is no fault here.
    let header = call.settings.proxy_header().unwrap_or_default();
    let secure = ProxyHeader::scheme(header.as_ref(), &read) == "https";
    Ok(Request {
        secure: read.secure.or(Some(secure)),
        ..read
    })
}

/// The port as text, also where it was written as a number.
fn port(request: &Object) -> Result<Option<String>, Failure> {
    match request.raw("server_port") {
        Some(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Some(number.to_owned())),
        _ => request.get("server_port"),
    }
}

/// The error of a request whose host is not allowed, or not known.
pub(super) fn unhosted(error: Unhosted) -> Failure {
    match error {
        Unhosted::Disallowed(error) => Failure::new("DisallowedHost", error),
        error => Failure::new("KeyError", error),
    }
}

fn get_host(call: &mut Call) -> Result<Answer, Failure> {
    let host = call.settings.hosts()?.host(&request(call)?);
    Ok(host.map_err(unhosted)?.into())
}

fn get_port(call: &mut Call) -> Result<Answer, Failure> {
    let request = request(call)?;
    let port = call
        .settings
        .hosts()?
        .port(&request)
        .map_err(unhosted)?
        .to_owned();
    Ok(port.into())
}

fn scheme(call: &mut Call) -> Result<Answer, Failure> {
    let header = call.settings.proxy_header()?;
    Ok(ProxyHeader::scheme(header.as_ref(), &request(call)?).into())
}
