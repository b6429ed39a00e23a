//! Routes with their policies.
