//! Private media: what people upload, kept where nobody reaches it who was not let, and sent to those who were.
//!
//! An upload goes one way. It streams into a spool that only this process reads, is looked into until it is known what it is, and is
//! kept under a name of 128 random bits when the handler says so; whatever is not kept leaves nothing behind. What the client
//! called it is a caption in the application's table, never part of a path. It comes out by one door, too: an answer to
//! somebody whom a row let in ([`crate::rows::Owned`], a grant, a link), as an attachment, under a policy that runs nothing.
//!
//! Meets `exposed-media` (CWE-552, CWE-434, CWE-22).

mod file;
mod inspect;
mod kind;
mod name;
mod store;

pub use file::{FileDigest, StoredFile};
pub use inspect::{InspectLimits, Unacceptable, inspect};
pub use kind::MediaType;
pub use name::{InvalidMediaName, MediaName};
pub use store::{Listed, MediaError, MediaStore, Opened};
