//! `session.*`: Django's sessions on every back end.

mod keyless;
mod respond;
mod storage;

use palisade::session::engine::{
    Age, Deployment, Engine, EngineError, EngineSession, FileSessions, Notice, StoredExpiry,
};
use palisade_core::json;
use palisade_core::moment::Moment;
use palisade_core::session::SessionData;

use crate::answer::{Answer, object};
use crate::call::{Call, Op};
use crate::failure::Failure;
use crate::object::Object;
use storage::HostStorage;

pub(crate) use keyless::OPS as KEYLESS_OPS;

pub(crate) const OPS: &[(&str, Op)] = &[
    ("session.get", |call| {
        with_key(call, |session, key| Ok(found(session.get(key)?)))
    }),
    ("session.pop", |call| {
        with_key(call, |session, key| Ok(found(session.pop(key)?)))
    }),
    ("session.remove", |call| {
        with_key(call, |session, key| Ok(session.remove(key)?.into()))
    }),
    ("session.has_key", |call| {
        with_key(call, |session, key| Ok(session.has_key(key)?.into()))
    }),
    ("session.set", |call| {
        with_value(call, |session, key, value| Ok(session.set(key, value)?.into()))
    }),
    ("session.setdefault", |call| {
        with_value(call, |session, key, value| {
            Ok(Answer::Raw(session.set_default(key, value)?))
        })
    }),
    ("session.update", update),
    ("session.items", |call| {
        on(call, |session, _| Ok(items(session.items()?)))
    }),
    ("session.clear", |call| {
        on(call, |session, _| {
            session.clear();
            Ok(Answer::Null)
        })
    }),
    ("session.is_empty", |call| {
        on(call, |session, _| Ok(session.is_empty().into()))
    }),
    ("session.set_test_cookie", |call| {
        on(call, |session, _| Ok(session.set_test_cookie()?.into()))
    }),
    ("session.test_cookie_worked", |call| {
        on(call, |session, _| Ok(session.test_cookie_worked()?.into()))
    }),
    ("session.delete_test_cookie", |call| {
        on(call, |session, _| Ok(session.delete_test_cookie()?.into()))
    }),
    ("session.set_expiry", set_expiry),
    ("session.get_expiry_age", get_expiry_age),
    ("session.get_expiry_date", get_expiry_date),
    ("session.get_expire_at_browser_close", |call| {
        on(call, |session, _| Ok(session.expires_at_browser_close()?.into()))
    }),
    ("session.new_key", |call| {
        on(call, |session, _| Ok(session.new_key()?.into()))
    }),
    ("session.create", |call| {
        on(call, |session, _| Ok(session.create()?.into()))
    }),
    ("session.save", save),
    ("session.load", |call| {
        on(call, |session, _| Ok(data(&session.load()?)))
    }),
    ("session.exists", |call| {
        on(call, |session, args| {
            let key: Option<String> = args.get("key")?;
            Ok(session.exists(key.as_deref())?.into())
        })
    }),
    ("session.delete", |call| {
        on(call, |session, args| {
            let key: Option<String> = args.get("key")?;
            Ok(session.delete(key.as_deref())?.into())
        })
    }),
    ("session.flush", |call| {
        on(call, |session, _| Ok(session.flush()?.into()))
    }),
    ("session.process_response", respond::process_response),
    ("session.cycle_key", |call| {
        on(call, |session, _| Ok(session.cycle_key()?.into()))
    }),
];

/// A session over the storage of the host.
pub(super) type HostSession<'d> = EngineSession<'d, HostStorage>;

/// What went wrong: in the session, or in the request.
enum Wrong {
    Session(EngineError),
    Request(Failure),
}

impl From<EngineError> for Wrong {
    fn from(error: EngineError) -> Self {
        Self::Session(error)
    }
}

impl From<Failure> for Wrong {
    fn from(failure: Failure) -> Self {
        Self::Request(failure)
    }
}

/// What of a session only comes and goes.
pub(super) struct Envelope {
    engine: String,
    cookie_age: i64,
    key_salt: String,
}

impl Envelope {
    fn read(session: &Object) -> Result<Self, Failure> {
        Ok(Self {
            engine: session.text("engine")?,
            cookie_age: session.get("cookie_age")?,
            key_salt: session.text("key_salt")?,
        })
    }

    pub(super) fn deployment(&self, call: &Call) -> Result<Deployment, Failure> {
        let keys = call.settings.keys()?;
        let now: Moment = call.now_iso.parse().map_err(Failure::internal)?;
        Ok(Deployment::new(&keys, call.now)
            .with_salt(&keys, &self.key_salt)
            .with_time_written_as(now)
            .with_cookie_age(self.cookie_age)
            .with_browser_close(call.settings.truthy("SESSION_EXPIRE_AT_BROWSER_CLOSE")))
    }

    /// The session as it stands.
    pub(super) fn answer(&self, session: &HostSession<'_>) -> Answer {
        object([
            ("engine", self.engine.as_str().into()),
            ("key", session.key().into()),
            ("data", session.data().map(data).into()),
            ("accessed", session.is_accessed().into()),
            ("modified", session.is_modified().into()),
            ("cookie_age", self.cookie_age.into()),
            ("key_salt", self.key_salt.as_str().into()),
        ])
    }
}

pub(super) fn engine(name: &str, call: &Call) -> Result<Engine, Failure> {
    Ok(match name {
        "db" => Engine::Db,
        "cache" => Engine::Cache,
        "cached_db" => Engine::CachedDb,
        "file" => Engine::File(files(call)?),
        "signed_cookies" => Engine::SignedCookies,
        "none" => Engine::None,
        other => return Err(Failure::internal(format!("no session engine {other}"))),
    })
}

pub(super) fn files(call: &Call) -> Result<FileSessions, Failure> {
    let folder = call.settings.get::<Option<String>>("SESSION_FILE_PATH")?;
    let folder = folder.filter(|path| !path.is_empty());
    let prefix = call.settings.get::<String>("SESSION_COOKIE_NAME")?;
    FileSessions::new(folder.map(Into::into), prefix)
        .map_err(|error| Failure::new("ImproperlyConfigured", error))
}

/// Does something to the session of a request, and answers with the state it is in then.
fn on(
    call: &mut Call,
    act: impl FnOnce(&mut HostSession<'_>, &Object) -> Result<Answer, Wrong>,
) -> Result<Answer, Failure> {
    with_session(call, |session, args| Ok(vec![("result", act(session, args)?)]))
}

/// The same, with an answer of several members.
fn with_session(
    call: &mut Call,
    act: impl FnOnce(&mut HostSession<'_>, &Object) -> Result<Vec<(&'static str, Answer)>, Wrong>,
) -> Result<Answer, Failure> {
    let state = call.args.object("session")?;
    let envelope = Envelope::read(&state)?;
    let deployment = envelope.deployment(call)?;
    let kept = match state.raw("data") {
        None | Some("null") => None,
        Some(raw) => Some(read_data(raw)?),
    };
    let mut session = EngineSession::new(
        engine(&envelope.engine, call)?,
        state.get("key")?,
        &deployment,
        HostStorage::new(call.host.clone()),
    )
    .with_state(kept, state.get("accessed")?, state.get("modified")?);
    let outcome = act(&mut session, &call.args);
    for notice in session.notices() {
        log(call, *notice);
    }
    let after = envelope.answer(&session);
    match outcome {
        Ok(members) => {
            let mut answer = vec![("session".to_owned(), after)];
            answer.extend(members.into_iter().map(|(name, value)| (name.to_owned(), value)));
            Ok(Answer::Object(answer))
        }
        Err(Wrong::Session(error)) => Err(raised(&error).with_params(object([("session", after)]))),
        Err(Wrong::Request(failure)) => Err(failure),
    }
}

fn log(call: &mut Call, notice: Notice) {
    match notice {
        Notice::CacheNotWritten => {
            call.log_host_fault("django.contrib.sessions", "error", "Error saving to cache");
        }
        _ => call.log(
            "django.security.SuspiciousSession",
            "warning",
            "Session data corrupted",
        ),
    }
}

pub(super) fn raised(error: &EngineError) -> Failure {
    let kind = match error {
        EngineError::Update => return Failure::new("UpdateError", ""),
        EngineError::Create => return Failure::new("CreateError", ""),
        EngineError::NoSuchKey(_) => "KeyError",
        EngineError::InvalidKey => "InvalidSessionKey",
        EngineError::NoFreeKey => "RuntimeError",
        EngineError::Interrupted => "SessionInterrupted",
        EngineError::Expiry(_) | EngineError::Value(_) => "ValueError",
        _ => "internal",
    };
    Failure::new(kind, error)
}

fn with_key(
    call: &mut Call,
    act: impl FnOnce(&mut HostSession<'_>, &str) -> Result<Answer, EngineError>,
) -> Result<Answer, Failure> {
    on(call, |session, args| Ok(act(session, &args.text("key")?)?))
}

fn with_value(
    call: &mut Call,
    act: impl FnOnce(&mut HostSession<'_>, &str, String) -> Result<Answer, EngineError>,
) -> Result<Answer, Failure> {
    on(call, |session, args| {
        let value = json::compact(args.raw("value").unwrap_or("null")).map_err(Failure::internal)?;
        Ok(act(session, &args.text("key")?, value)?)
    })
}

fn update(call: &mut Call) -> Result<Answer, Failure> {
    on(call, |session, args| {
        let items = read_data(args.raw("items").unwrap_or_default())?;
        Ok(session.update(&items)?.into())
    })
}

fn save(call: &mut Call) -> Result<Answer, Failure> {
    on(call, |session, args| {
        let must_create: Option<bool> = args.get("must_create")?;
        Ok(session.save(must_create.unwrap_or_default())?.into())
    })
}

fn set_expiry(call: &mut Call) -> Result<Answer, Failure> {
    on(call, |session, args| {
        let raw = args.raw("value").unwrap_or("null");
        let Ok(value) = Object::read(raw) else {
            return Ok(session.set_expiry(&StoredExpiry::from_json(raw))?.into());
        };
        if let Some(length) = value.raw("timedelta") {
            let length =
                Age::from_json(length).ok_or_else(|| Failure::internal("timedelta: not a number"))?;
            return Ok(session.set_expiry_in(length)?.into());
        }
        Ok(session
            .set_expiry(&StoredExpiry::At(value.text("datetime")?))?
            .into())
    })
}

fn get_expiry_age(call: &mut Call) -> Result<Answer, Failure> {
    on(call, |session, args| {
        let age = session.expiry_age(modification(args)?, expiry(args))?;
        Ok(Answer::Raw(age.to_json()))
    })
}

fn get_expiry_date(call: &mut Call) -> Result<Answer, Failure> {
    on(call, |session, args| {
        let date = session.expiry_date(modification(args)?, expiry(args))?;
        Ok(date.to_string().into())
    })
}

fn modification(args: &Object) -> Result<Option<Moment>, Failure> {
    let given: Option<String> = args.get("modification")?;
    given
        .map(|text| text.parse())
        .transpose()
        .map_err(Failure::internal)
}

fn expiry(args: &Object) -> Option<StoredExpiry> {
    args.raw("expiry").map(StoredExpiry::from_json)
}

fn found(value: Option<String>) -> Answer {
    let found = value.is_some();
    object([("found", found.into()), ("value", value.map(Answer::Raw).into())])
}

fn items(data: &SessionData) -> Answer {
    let pair = |(key, value): (&str, &str)| Answer::List(vec![key.into(), Answer::Raw(value.to_owned())]);
    data.iter().map(pair).collect()
}

/// Session data of a request, spaced as the caller likes.
pub(super) fn read_data(raw: &str) -> Result<SessionData, Failure> {
    let compact = json::compact(raw).map_err(Failure::internal)?;
    SessionData::from_json(compact).map_err(Failure::internal)
}

/// Session data as they are.
pub(super) fn data(data: &SessionData) -> Answer {
    Answer::Raw(data.to_json().to_string())
}
