//! Rows and cache entries at the host.

use palisade::session::engine::{Age, Row, Storage, StorageError};
use palisade_core::moment::Moment;
use palisade_core::session::SessionData;

use super::data;
use crate::answer::{Answer, object};
use crate::host::{Host, HostError};
use crate::object::Object;

/// The storage of the host.
pub(crate) struct HostStorage(Host);

impl HostStorage {
    pub(super) const fn new(host: Host) -> Self {
        Self(host)
    }

    fn ask(&self, name: &str, args: Answer) -> Result<String, StorageError> {
        self.0.call(name, args).map_err(|error| refused(&error))
    }

    fn about(&self, name: &str, key: &str) -> Result<String, StorageError> {
        self.ask(name, object([("key", key.into())]))
    }

    fn write_row(&self, name: &str, key: &str, row: &Row) -> Result<(), StorageError> {
        let args = object([
            ("key", key.into()),
            ("data", row.data.as_str().into()),
            ("expires", row.expires.to_string().into()),
        ]);
        self.ask(name, args).map(drop)
    }

    fn write_entry(
        &self,
        name: &str,
        key: &str,
        value: &SessionData,
        timeout: Age,
    ) -> Result<String, StorageError> {
        let args = object([
            ("key", key.into()),
            ("value", data(value)),
            ("timeout", Answer::Raw(timeout.to_json())),
        ]);
        self.ask(name, args)
    }
}

fn refused(error: &HostError) -> StorageError {
    match error.kind.as_str() {
        "exists" => StorageError::Taken,
        "missing" => StorageError::Missing,
        _ => StorageError::Failed(format!("{}: {}", error.kind, error.message)),
    }
}

fn unreadable(error: impl std::fmt::Debug) -> StorageError {
    StorageError::Failed(format!("the host's answer cannot be read: {error:?}"))
}

impl Storage for HostStorage {
    fn load(&mut self, key: &str) -> Result<Option<Row>, StorageError> {
        let answer = self.about("store.load", key)?;
        if answer == "null" {
            return Ok(None);
        }
        let row = Object::read(&answer).map_err(unreadable)?;
        Ok(Some(Row {
            data: row.text("data").map_err(unreadable)?,
            expires: row
                .text("expires")
                .map_err(unreadable)?
                .parse()
                .map_err(unreadable)?,
        }))
    }

    fn exists(&mut self, key: &str) -> Result<bool, StorageError> {
        Ok(self.about("store.exists", key)? == "true")
    }

    fn insert(&mut self, key: &str, row: &Row) -> Result<(), StorageError> {
        self.write_row("store.insert", key, row)
    }

    fn update(&mut self, key: &str, row: &Row) -> Result<(), StorageError> {
        self.write_row("store.update", key, row)
    }

    fn delete(&mut self, key: &str) -> Result<(), StorageError> {
        self.about("store.delete", key).map(drop)
    }

    fn delete_expired(&mut self, now: Moment) -> Result<(), StorageError> {
        let args = object([("now", now.to_string().into())]);
        self.ask("store.delete_expired", args).map(drop)
    }

    fn cache_get(&mut self, key: &str) -> Result<Option<SessionData>, StorageError> {
        let answer = self.about("cache.get", key)?;
        if answer == "null" {
            return Ok(None);
        }
        SessionData::from_json(answer).map(Some).map_err(unreadable)
    }

    fn cache_set(&mut self, key: &str, data: &SessionData, timeout: Age) -> Result<(), StorageError> {
        self.write_entry("cache.set", key, data, timeout).map(drop)
    }

    fn cache_add(&mut self, key: &str, data: &SessionData, timeout: Age) -> Result<bool, StorageError> {
        Ok(self.write_entry("cache.add", key, data, timeout)? == "true")
    }

    fn cache_delete(&mut self, key: &str) -> Result<(), StorageError> {
        self.about("cache.delete", key).map(drop)
    }

    fn cache_has(&mut self, key: &str) -> Result<bool, StorageError> {
        Ok(self.about("cache.has", key)? == "true")
    }
}
