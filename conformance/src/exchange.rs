//! The conversation: requests in, replies out, in order, until the input ends.

use std::io::{self, BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::answer::Answer;
use crate::call::Call;
use crate::failure::Failure;
use crate::host::Host;
use crate::object::Object;
use crate::ops;

/// Answers every line of the input.
///
/// # Errors
///
/// Where a line cannot be read or a reply cannot be written.
pub(crate) fn run(
    input: impl BufRead + Send + 'static,
    output: impl Write + Send + 'static,
) -> io::Result<()> {
    let host = Host::new(input, output);
    while let Some(line) = host.read_line()? {
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        if !text.is_empty() {
            host.write_line(&reply(text, &host))?;
        }
    }
    Ok(())
}

/// Answers one request.
fn reply(text: &str, host: &Host) -> String {
    let (request, error) = match Object::read(text) {
        Ok(request) => (request, None),
        Err(error) => (Object::default(), Some(error)),
    };
    let id = request.raw("id").unwrap_or("null");
    let (outcome, log) = match error {
        Some(error) => (Err(error), None),
        None => answer(&request, host.on_behalf_of(id)),
    };
    let mut line = format!("{{\"id\":{id},");
    match outcome {
        Ok(value) => {
            line.push_str("\"ok\":");
            value.write(&mut line);
        }
        Err(failure) => {
            line.push_str("\"error\":");
            failure.into_answer().write(&mut line);
        }
    }
    if let Some(log) = log {
        line.push_str(",\"log\":");
        log.write(&mut line);
    }
    line.push('}');
    line
}

/// Runs the operation of a request. One that panics has failed, and the next request finds the program as it was.
fn answer(request: &Object, host: Host) -> (Result<Answer, Failure>, Option<Answer>) {
    let prepared = request
        .text("op")
        .and_then(|name| Ok((ops::find(&name)?, Call::new(request, host)?)));
    let (op, mut call) = match prepared {
        Ok(prepared) => prepared,
        Err(failure) => return (Err(failure), None),
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| op(&mut call)));
    let outcome = outcome.unwrap_or_else(|_| Err(Failure::internal("the operation panicked")));
    (outcome, call.into_log())
}
