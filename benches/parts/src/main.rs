//! Single parts of Palisade, each called by itself, for the harness to time beside the same part of Django.
//!
//! It answers questions on standard input, a line each, as `benches/django/parts.py` does for Django:
//!
//! - `make PART`: what this side makes of the input that both sides were given;
//! - `check PART TEXT`: `yes` if this side accepts what the other has made, or else `no`;
//! - `time PART TIMES`: does it so often, and tells the nanoseconds of the clock and of the processor;
//! - `give PART TEXT`: what is worked on from now on, so that both sides read the same text;
//! - `store STORE ACTION TIMES`: loads or saves so often, and tells the nanoseconds of the median and of the 99th percentile.
//!
//! An answer is one line. A fault ends the program, and with it the run.

mod part;
mod stores;
mod watch;

use std::error::Error;
use std::io::{BufRead, Write};

use part::Parts;
use stores::Stores;

fn main() -> Result<(), Box<dyn Error>> {
    let mut parts = Parts::new()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let mut stores = Stores::default();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        let answer = match words.as_slice() {
            ["make", part] => parts.make(part)?,
            ["check", part, text] => if parts.check(part, text)? { "yes" } else { "no" }.to_owned(),
            ["give", part, text] => parts.give(part, text)?,
            ["time", part, times] => parts.time(part, times.parse()?)?,
            ["store", store, action, times] => {
                // The client's side of a store is measured where a service has it: in a task of the runtime.
                runtime.block_on(stores.time(store, action, times.parse()?))?
            }
            _ => return Err(format!("not a question: {line}").into()),
        };
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

/// What the harness gives both sides.
fn given(name: &str) -> Result<String, Box<dyn Error>> {
    std::env::var(name).map_err(|_| format!("{name} is not set: the harness sets it").into())
}
