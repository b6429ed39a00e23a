//! Palisade on standard input and output: one JSON request a line, one JSON reply, for whoever compares it with Django.
//!
//! A thin program: it reads values off the line, calls one public function of the library or its core, and writes what
//! came back. Whatever a request does, the program answers it and goes on; it ends when its input does.

mod answer;
mod call;
mod exchange;
mod failure;
mod host;
mod object;
mod ops;
mod settings;

use std::io::{self, BufReader};
use std::process::ExitCode;

fn main() -> ExitCode {
    match exchange::run(BufReader::new(io::stdin()), io::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever asked is gone, and with them the one who could be told.
        Err(_) => ExitCode::FAILURE,
    }
}
