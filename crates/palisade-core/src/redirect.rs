//! Redirect targets that may be followed.
