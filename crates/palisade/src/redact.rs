//! What may be printed.
