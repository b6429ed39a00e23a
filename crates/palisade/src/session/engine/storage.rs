//! Where rows and cache entries are: what the caller of an engine brings.

use palisade_core::moment::Moment;
use palisade_core::session::SessionData;

use super::Age;

/// A row of `django_session`.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// The signed encoding of the data.
    pub data: String,
    /// When the session ends.
    pub expires: Moment,
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Row")
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// Why a storage did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The key of a new row is taken.
    #[error("the key is taken")]
    Taken,
    /// The row to update is not there.
    #[error("there is no such row")]
    Missing,
    /// Something else.
    #[error("{0}")]
    Failed(String),
}

impl StorageError {
    /// Says that this back end is not there.
    fn absent() -> Self {
        Self::Failed("there is no such storage".to_owned())
    }
}

/// Rows of a database and entries of a cache. What a program does not use it need not implement.
pub trait Storage {
    /// The row of that key, ended or not.
    fn load(&mut self, _key: &str) -> Result<Option<Row>, StorageError> {
        Err(StorageError::absent())
    }

    /// Says whether there is a row of that key.
    fn exists(&mut self, _key: &str) -> Result<bool, StorageError> {
        Err(StorageError::absent())
    }

    /// Adds a row; [`StorageError::Taken`] where there is one.
    fn insert(&mut self, _key: &str, _row: &Row) -> Result<(), StorageError> {
        Err(StorageError::absent())
    }

    /// Replaces a row; [`StorageError::Missing`] where there is none.
    fn update(&mut self, _key: &str, _row: &Row) -> Result<(), StorageError> {
        Err(StorageError::absent())
    }

    /// Deletes a row, if there is one.
    fn delete(&mut self, _key: &str) -> Result<(), StorageError> {
        Err(StorageError::absent())
    }

    /// Deletes the rows that ended before.
    fn delete_expired(&mut self, _now: Moment) -> Result<(), StorageError> {
        Err(StorageError::absent())
    }

    /// Reads a cache entry.
    fn cache_get(&mut self, _key: &str) -> Result<Option<SessionData>, StorageError> {
        Err(StorageError::absent())
    }

    /// Writes a cache entry.
    fn cache_set(&mut self, _key: &str, _data: &SessionData, _timeout: Age) -> Result<(), StorageError> {
        Err(StorageError::absent())
    }

    /// Writes a cache entry unless there is one, and says whether it did.
    fn cache_add(&mut self, _key: &str, _data: &SessionData, _timeout: Age) -> Result<bool, StorageError> {
        Err(StorageError::absent())
    }

    /// Deletes a cache entry, if there is one.
    fn cache_delete(&mut self, _key: &str) -> Result<(), StorageError> {
        Err(StorageError::absent())
    }

    /// Says whether there is a cache entry.
    fn cache_has(&mut self, _key: &str) -> Result<bool, StorageError> {
        Err(StorageError::absent())
    }
}

/// For the back ends that need neither database nor cache: files and signed cookies.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoStorage;

impl Storage for NoStorage {}
