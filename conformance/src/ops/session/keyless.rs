//! The operations of `session.*` that take no session.

use palisade::session::engine::{EngineSession, is_acceptable_key};

use super::storage::HostStorage;
use super::{Envelope, data, engine, files, log, raised, read_data};
use crate::answer::{Answer, object};
use crate::call::{Call, Op};
use crate::failure::Failure;

pub(crate) const OPS: &[(&str, Op)] = &[
    ("session.encode", encode),
    ("session.decode", decode),
    ("session.validate_key", validate_key),
    ("session.file_storage_path", file_storage_path),
    ("session.file_path", file_path),
    ("session.clear_expired", clear_expired),
    ("session.process_request", process_request),
];

fn envelope(call: &Call) -> Result<Envelope, Failure> {
    Ok(Envelope {
        engine: "none".to_owned(),
        cookie_age: call.settings.get("SESSION_COOKIE_AGE")?,
        key_salt: call.args.text("key_salt")?,
    })
}

fn encode(call: &mut Call) -> Result<Answer, Failure> {
    let given = read_data(call.args.raw("data").unwrap_or_default())?;
    Ok(envelope(call)?.deployment(call)?.encode(&given).into())
}

fn decode(call: &mut Call) -> Result<Answer, Failure> {
    let (read, notice) = envelope(call)?
        .deployment(call)?
        .decode(&call.args.text("encoded")?);
    if let Some(notice) = notice {
        log(call, notice);
    }
    Ok(data(&read))
}

fn validate_key(call: &mut Call) -> Result<Answer, Failure> {
    let key: Option<String> = call.args.get("key")?;
    Ok(key.is_some_and(|key| is_acceptable_key(&key)).into())
}

fn file_storage_path(call: &mut Call) -> Result<Answer, Failure> {
    Ok(files(call)?.folder().to_string_lossy().into_owned().into())
}

fn file_path(call: &mut Call) -> Result<Answer, Failure> {
    let path = files(call)?
        .path_of(&call.args.text("key")?)
        .map_err(|error| raised(&error))?;
    Ok(path.to_string_lossy().into_owned().into())
}

fn clear_expired(call: &mut Call) -> Result<Answer, Failure> {
    let envelope = Envelope::read(&call.args)?;
    let deployment = envelope.deployment(call)?;
    let engine = engine(&envelope.engine, call)?;
    let mut session = EngineSession::new(engine, None, &deployment, HostStorage::new(call.host.clone()));
    let cleared = session.clear_expired().map_err(|error| raised(&error));
    for notice in session.notices() {
        log(call, *notice);
    }
    cleared.map(Answer::from)
}

fn process_request(call: &mut Call) -> Result<Answer, Failure> {
    let name: String = call.settings.get("SESSION_COOKIE_NAME")?;
    let key: Option<String> = call.args.object("cookies")?.get(&name)?;
    Ok(object([("key", key.into())]))
}
