//! What a test's requests write into the log.

use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex};

use tracing::Dispatch;
use tracing::subscriber::DefaultGuard;

/// While a process has one subscriber, a place that logs asks the thread that comes by first whether anybody listens, and no other
/// ever after. So there are two more, which listen on no thread.
static OTHERS: LazyLock<[Dispatch; 2]> = LazyLock::new(|| {
    [(); 2].map(|()| {
        let deaf = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(std::io::sink);
        Dispatch::new(deaf.finish())
    })
});

/// The log of this thread, as long as the guard lives.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Begins to write down what this thread logs.
    pub(crate) fn begin() -> (Self, DefaultGuard) {
        LazyLock::force(&OTHERS);
        let log = Self::default();
        let written = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(move || written.clone())
            .finish();
        let guard = tracing::subscriber::set_default(subscriber);
        tracing::callsite::rebuild_interest_cache();
        (log, guard)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The lines of the target.
    pub(crate) fn lines(&self, target: &str) -> Vec<String> {
        let text = self.text();
        let lines = text.lines().filter(|line| line.contains(&format!(" {target}:")));
        lines.map(ToOwned::to_owned).collect()
    }
}
