//! The `vault` program: from the command line to an exit code.

use std::io::{Write as _, stderr};
use std::process::ExitCode;

use clap::Parser as _;
use vault::cli::Options;
use vault::start;

#[tokio::main]
async fn main() -> ExitCode {
    match start::run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when even the error stream is closed.
            let _closed = writeln!(stderr(), "vault: {}", start::sentence(&error));
            ExitCode::FAILURE
        }
    }
}
