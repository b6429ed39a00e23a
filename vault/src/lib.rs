//! The vault: a place for confidential notes and documents, and the model of how an application uses Palisade.
//!
//! It is small on purpose, and whole: accounts, sessions, forms, a page to be framed by others, and notes and
//! documents that nobody sees whom their owner does not let. Read it in this order:
//!
//! - [`app`] is the site on one page: every route, what protects it, and where an exception is made.
//! - `notes`, `documents`, `account`, `sessions`, `staff` and `widget` are its rooms; `share` is how what is in the first two is shared. Guards are what their handlers ask for: a handler that takes
//!   `LoggedIn` is reached by nobody else, one that takes `Checked<…>` by no forged form, one that takes `Owned<Note>` by no other
//!   than the owner.
//! - `pages` turns values into HTML, escaped without exception.
//! - [`start`] goes from the command line ([`cli`]) to a running server: data folder, key, settings, certificate.

mod account;
pub mod app;
mod assets;
pub mod cli;
mod data;
mod device;
mod documents;
mod log;
mod notes;
mod overview;
mod pages;
pub mod reach;
mod sessions;
mod share;
mod staff;
pub mod start;
mod widget;
