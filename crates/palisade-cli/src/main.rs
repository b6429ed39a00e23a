//! The `palisade` command: what is done to a site from outside, by the person who runs it.
//!
//! Only the command line is read here; what a command does stands in the room of its noun.

mod database;
mod keys;
mod wrap;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Tools for a site that Palisade protects.
#[derive(Parser)]
#[command(name = "palisade", version)]
struct Line {
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Subcommand)]
enum Noun {
    /// Keys that passwords are hashed under and sessions sealed, kept apart from the database.
    #[command(subcommand)]
    Keys(keys::Verb),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let done = match Line::parse().noun {
        Noun::Keys(verb) => verb.run().await,
    };
    let (code, said) = match done {
        Ok(said) => (ExitCode::SUCCESS, writeln!(io::stdout(), "{said}")),
        Err(error) => (ExitCode::FAILURE, writeln!(io::stderr(), "error: {error:#}")),
    };
    // Where nobody listens any more, the code still tells.
    drop(said);
    code
}
