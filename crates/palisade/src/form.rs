//! Forms that take declared fields only.
