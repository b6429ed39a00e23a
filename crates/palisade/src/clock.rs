//! The one source of time.
