//! The signals that ask a server to stop.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::error::ServeError;

/// SIGTERM (service managers, containers) and SIGINT (Ctrl-C).
#[derive(Debug)]
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// Listened for so that it does not end the process; who has certificate files looks at them.
    hangup: Signal,
}

impl Signals {
    pub(super) fn watch() -> Result<Self, ServeError> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).map_err(ServeError::Signals)?,
            interrupt: signal(SignalKind::interrupt()).map_err(ServeError::Signals)?,
            hangup: signal(SignalKind::hangup()).map_err(ServeError::Signals)?,
        })
    }

    /// Waits for either signal.
    pub(super) async fn received(mut self) {
        let name = loop {
            tokio::select! {
                _ = self.terminate.recv() => break "SIGTERM",
                _ = self.interrupt.recv() => break "SIGINT",
                _ = self.hangup.recv() => {}
            }
        };
        tracing::info!("{name}: stopping");
    }
}
