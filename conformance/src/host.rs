//! Calls to the host, where the storage is: a line out, a line back, while a request is open.

use std::fmt;
use std::io::{self, BufRead, Write};
use std::sync::{Arc, Mutex, PoisonError};

use crate::answer::{Answer, object};
use crate::failure::Failure;
use crate::object::Object;

/// The two ends of the conversation.
struct Channel {
    input: Box<dyn BufRead + Send>,
    output: Box<dyn Write + Send>,
}

/// The host of this process. Clones speak to the same one, so that a store can keep one of them.
#[derive(Clone)]
pub(crate) struct Host {
    channel: Arc<Mutex<Channel>>,
    /// The id of the open request, as it came.
    id: Arc<str>,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Why the host did not do what it was asked for.
#[derive(Clone, Debug)]
pub(crate) struct HostError {
    /// What is wrong: `exists`, `missing`, `unavailable`.
    pub(crate) kind: String,
    /// In words.
    pub(crate) message: String,
}

impl From<HostError> for Failure {
    fn from(error: HostError) -> Self {
        Self::internal(format!("host: {}: {}", error.kind, error.message))
    }
}

impl Host {
    /// Takes both ends of a conversation.
    pub(crate) fn new(input: impl BufRead + Send + 'static, output: impl Write + Send + 'static) -> Self {
        Self {
            channel: Arc::new(Mutex::new(Channel {
                input: Box::new(input),
                output: Box::new(output),
            })),
            id: "null".into(),
        }
    }

    /// The same host, asked on behalf of a request.
    pub(crate) fn on_behalf_of(&self, id: &str) -> Self {
        Self {
            channel: Arc::clone(&self.channel),
            id: id.into(),
        }
    }

    /// Asks the host for something and waits for its answer, the JSON text of a value.
    pub(crate) fn call(&self, name: &str, args: Answer) -> Result<String, HostError> {
        let mut line = format!("{{\"id\":{},", self.id);
        let mut rest = String::new();
        object([("host", name.into()), ("args", args)]).write(&mut rest);
        line.push_str(rest.get(1..).unwrap_or_default());
        let lost = |error: io::Error| HostError::lost(&error.to_string());
        self.write_line(&line).map_err(lost)?;
        let answer = self.read_line().map_err(lost)?;
        let text = answer.ok_or_else(|| HostError::lost("no answer"))?;
        let text = String::from_utf8_lossy(&text);
        let answer = Object::read(text.trim()).map_err(|_| HostError::lost("the answer is no object"))?;
        if answer.raw("id") != Some(&self.id) {
            return Err(HostError::lost("the answer is to another request"));
        }
        if let Some(value) = answer.raw("host_ok") {
            return Ok(value.to_owned());
        }
        let error = answer.object("host_error");
        let error = error.map_err(|_| HostError::lost("the answer is neither host_ok nor host_error"))?;
        Err(HostError {
            kind: error.text("kind").unwrap_or_default(),
            message: error.text("message").unwrap_or_default(),
        })
    }

    /// Reads a line without its end; none where the input has ended.
    pub(crate) fn read_line(&self) -> io::Result<Option<Vec<u8>>> {
        let mut channel = self.channel.lock().unwrap_or_else(PoisonError::into_inner);
        let mut line = Vec::new();
        if channel.input.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        Ok(Some(line))
    }

    /// Writes a line and sends it off.
    pub(crate) fn write_line(&self, line: &str) -> io::Result<()> {
        let mut channel = self.channel.lock().unwrap_or_else(PoisonError::into_inner);
        channel.output.write_all(line.as_bytes())?;
        channel.output.write_all(b"\n")?;
        channel.output.flush()
    }
}

impl HostError {
    /// The conversation itself broke.
    fn lost(why: &str) -> Self {
        Self {
            kind: "lost".to_owned(),
            message: why.to_owned(),
        }
    }
}
