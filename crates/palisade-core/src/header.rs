//! Security headers as typed values.
