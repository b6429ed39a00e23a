//! `cookie.*`: the request's header read, the response's written.

use palisade_core::cookie::{self, InvalidCookie};
use palisade_core::django::{CookieArguments, Expiry, InvalidArguments};

use crate::answer::Answer;
use crate::call::{self, Call, Op};
use crate::failure::Failure;

/// The operations.
pub(crate) const OPS: &[(&str, Op)] = &[
    ("cookie.parse", parse),
    ("cookie.build", build),
    ("cookie.build_delete", build_delete),
];

fn parse(call: &mut Call) -> Result<Answer, Failure> {
    let header = call.args.text("header")?;
    let cookies = cookie::parse(&header).into_iter();
    let cookies = cookies.map(|(name, value)| (name.into_owned(), value.into_owned().into()));
    Ok(Answer::Object(cookies.collect()))
}

fn build(call: &mut Call) -> Result<Answer, Failure> {
    let args = &call.args;
    let expires_at: Option<String> = args.get("expires_at")?;
    let expires = match expires_at {
        Some(date_time) => Some(Expiry::At(call::date_time(&date_time)?)),
        None => args.get::<Option<String>>("expires")?.map(Expiry::Text),
    };
    rendered(
        call,
        &CookieArguments {
            name: args.text("name")?,
            value: args.text("value")?,
            max_age: args.get("max_age")?,
            expires,
            path: args.get("path")?,
            domain: args.get("domain")?,
            secure: args.truthy("secure"),
            http_only: args.truthy("httponly"),
            same_site: args.text("samesite").ok(),
        },
    )
}

fn build_delete(call: &mut Call) -> Result<Answer, Failure> {
    let args = &call.args;
    let text = |name| args.get::<Option<String>>(name);
    let (path, domain, same_site) = (text("path")?, text("domain")?, args.text("samesite").ok());
    let gone = CookieArguments::deleting(
        &args.text("name")?,
        path.as_deref(),
        domain.as_deref(),
        same_site.as_deref(),
    );
    rendered(call, &gone)
}

fn rendered(call: &Call, cookie: &CookieArguments) -> Result<Answer, Failure> {
    Ok(cookie.render_at(call.now).map_err(unset)?.into())
}

fn unset(error: InvalidArguments) -> Failure {
    let kind = match error {
        InvalidArguments::Cookie(InvalidCookie::IllegalName(_) | InvalidCookie::ReservedName(_)) => {
            "CookieError"
        }
        _ => "ValueError",
    };
    Failure::new(kind, error)
}
