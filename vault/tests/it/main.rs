//! The vault from outside: its pages with the whole stack around them, and the program as people start it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says where"
)]

mod access;
mod document_links;
mod documents;
mod forms;
mod guessing;
mod leaks;
mod network;
mod notes;
mod pages;
mod program;
mod recovery;
mod script;
mod site;
