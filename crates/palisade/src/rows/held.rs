//! The row that a route's rule has found already, kept for the extractor: one query in all.

use std::sync::{Arc, Mutex, PoisonError};

use http::request;

use super::OwnedRow;
use super::asker::Found;

/// Taken out once; whoever asks again asks the database.
struct Held<T>(Arc<Mutex<Option<Found<T>>>>);

impl<T> Clone for Held<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

pub(super) fn take<T: OwnedRow>(parts: &mut request::Parts) -> Option<Found<T>> {
    let held = parts.extensions.get::<Held<T>>()?;
    held.0.lock().unwrap_or_else(PoisonError::into_inner).take()
}

pub(super) fn keep<T: OwnedRow>(parts: &mut request::Parts, found: Found<T>) {
    parts.extensions.insert(Held(Arc::new(Mutex::new(Some(found)))));
}
