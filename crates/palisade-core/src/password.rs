//! Stored password strings in every Django format.
