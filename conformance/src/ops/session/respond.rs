//! `session.process_response`: what a response does to a session and its cookie.

use std::time::SystemTime;

use palisade::session::engine::CookieChange;
use palisade_core::{header, http_date};

use super::with_session;
use crate::answer::{Answer, object};
use crate::call::Call;
use crate::failure::Failure;

/// The operation.
pub(super) fn process_response(call: &mut Call) -> Result<Answer, Failure> {
    let name: String = call.settings.get("SESSION_COOKIE_NAME")?;
    let was_sent = call.args.object("cookies")?.has(&name);
    let status: u16 = call.args.get("status")?;
    let sent = call.args.texts("headers")?;
    let save_every_request = call.settings.truthy("SESSION_SAVE_EVERY_REQUEST");
    let (settings, now) = (call.settings.clone(), call.now);
    let setting = |name: &str| Answer::Raw(settings.raw(name).to_owned());
    with_session(call, |session, _| {
        let (change, varies) = session.finish(was_sent, save_every_request, status)?;
        let mut headers = Vec::new();
        if varies {
            let vary = sent.iter().find(|(name, _)| name.eq_ignore_ascii_case("vary"));
            let vary = header::patch_vary(vary.map(|(_, value)| value.as_str()), &["Cookie"]);
            headers.push(("Vary".to_owned(), vary.into()));
        }
        let (mut set, mut delete) = (Answer::Null, Answer::Null);
        match change {
            CookieChange::Keep => {}
            CookieChange::Delete => {
                delete = object([
                    ("name", name.as_str().into()),
                    ("path", setting("SESSION_COOKIE_PATH")),
                    ("domain", setting("SESSION_COOKIE_DOMAIN")),
                    ("samesite", setting("SESSION_COOKIE_SAMESITE")),
                ]);
            }
            CookieChange::Set(age) => {
                let end =
                    |seconds: f64| http_date::format(unix_seconds(now) + seconds).map_err(Failure::internal);
                let expires = age.map(|age| end(age.as_seconds())).transpose()?;
                set = object([
                    ("name", name.as_str().into()),
                    ("value", session.key().into()),
                    ("max_age", age.map(|age| Answer::Raw(age.to_json())).into()),
                    ("expires", expires.into()),
                    ("path", setting("SESSION_COOKIE_PATH")),
                    ("domain", setting("SESSION_COOKIE_DOMAIN")),
                    ("secure", settings.truthy("SESSION_COOKIE_SECURE").into()),
                    ("httponly", settings.truthy("SESSION_COOKIE_HTTPONLY").into()),
                    ("samesite", setting("SESSION_COOKIE_SAMESITE")),
                ]);
            }
        }
        Ok(vec![
            ("set_cookie", set),
            ("delete_cookie", delete),
            ("headers", Answer::Object(headers)),
        ])
    })
}

fn unix_seconds(time: SystemTime) -> f64 {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => since.as_secs_f64(),
        Err(before) => -before.duration().as_secs_f64(),
    }
}
