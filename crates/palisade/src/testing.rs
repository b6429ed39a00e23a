//! For the tests of an application: what proves that its routes answer nobody more than they say.
//!
//! It is part of the library, and there without any feature, because every application that is protected should be walked:
//! [`Walk`] asks each route as nobody, as another user, as staff and as the owner, and fails on whatever answers more than its
//! rule says (threat `broken-access-control`). [`visit`] makes one request as somebody: for a test's own rows and grants, and for its forms.

mod walk;

pub use walk::{Step, Visited, Walk, WalkError, Walked, Who, visit};
