//! What an operation is given: arguments, settings, the time, the host, and a log to write to.

use std::time::{Duration, SystemTime};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::answer::{Answer, object};
use crate::failure::Failure;
use crate::host::Host;
use crate::object::Object;
use crate::settings::Settings;

/// An operation.
pub(crate) type Op = fn(&mut Call) -> Result<Answer, Failure>;

/// One request, as an operation sees it.
#[derive(Debug)]
pub(crate) struct Call {
    /// The arguments.
    pub(crate) args: Object,
    /// The settings.
    pub(crate) settings: Settings,
    /// The time, which the host may have stopped.
    pub(crate) now: SystemTime,
    /// The same time as the deployment writes it: with an offset, or without.
    pub(crate) now_iso: String,
    /// Where the storage is.
    pub(crate) host: Host,
    log: Vec<Answer>,
}

impl Call {
    /// Takes the arguments and settings from a request.
    pub(crate) fn new(request: &Object, host: Host) -> Result<Self, Failure> {
        let part = |name| match request.raw(name) {
            None | Some("null") => Ok(Object::default()),
            Some(_) => request.object(name),
        };
        Ok(Self {
            args: part("args")?,
            settings: Settings::new(part("settings")?),
            now: time(request.get::<Option<f64>>("now")?.unwrap_or_default()),
            now_iso: request.get::<Option<String>>("now_iso")?.unwrap_or_default(),
            host,
            log: Vec::new(),
        })
    }

    /// Notes what Django would have logged.
    pub(crate) fn log(&mut self, logger: &str, level: &str, message: &str) {
        let entry = object([
            ("logger", logger.into()),
            ("level", level.into()),
            ("message", message.into()),
        ]);
        self.log.push(entry);
    }

    /// Notes what Django would have logged about a fault of the host.
    pub(crate) fn log_host_fault(&mut self, logger: &str, level: &str, message: &str) {
        let entry = object([
            ("logger", logger.into()),
            ("level", level.into()),
            ("message", message.into()),
            ("cause", "host".into()),
        ]);
        self.log.push(entry);
    }

    /// The entries of the log, where there are any.
    pub(crate) fn into_log(self) -> Option<Answer> {
        (!self.log.is_empty()).then_some(Answer::List(self.log))
    }
}

/// Turns Unix seconds into a time; what no time can hold is the beginning.
pub(crate) fn time(seconds: f64) -> SystemTime {
    let epoch = SystemTime::UNIX_EPOCH;
    let distance = Duration::try_from_secs_f64(seconds.abs()).unwrap_or_default();
    let reached = if seconds < 0.0 {
        epoch.checked_sub(distance)
    } else {
        epoch.checked_add(distance)
    };
    reached.unwrap_or(epoch)
}

/// Reads an ISO 8601 date-time; one without offset counts as UTC.
pub(crate) fn date_time(text: &str) -> Result<OffsetDateTime, Failure> {
    let read = |text: &str| OffsetDateTime::parse(text, &Rfc3339);
    read(text)
        .or_else(|_| read(&format!("{text}Z")))
        .map_err(|error| Failure::internal(format!("{text} is no date-time: {error}")))
}
