//! Where a panic was: its place in the source and the calls that led there, without a value of any of them.
//!
//! By the time that a panic is caught its stack is gone. Only the hook of the process sees it, so that one is put before whatever hook there
//! is, which goes on as before. It looks at panics of handlers only, and only once somebody reports faults.

use std::backtrace::Backtrace;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::sync::{Arc, Once};

static WATCH: Once = Once::new();

thread_local! {
    /// Whether this thread is at work for a request.
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    static LAST: RefCell<Option<PanicTrace>> = const { RefCell::new(None) };
}

/// Where a panic was. Cheap to clone.
#[derive(Clone)]
pub(crate) struct PanicTrace(Arc<(String, Backtrace)>);

impl PanicTrace {
    /// The file, line and column.
    pub(crate) fn location(&self) -> &str {
        &self.0.0
    }

    /// The calls. To write them takes long, since their names are looked up then.
    pub(crate) fn backtrace(&self) -> &Backtrace {
        &self.0.1
    }
}

impl fmt::Debug for PanicTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PanicTrace").field(&self.location()).finish()
    }
}

/// Remembers from now on where handlers panic.
pub(crate) fn watch_panics() {
    WATCH.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if CATCHING.try_with(Cell::get).unwrap_or(false) {
                let location = panic.location().map(ToString::to_string).unwrap_or_default();
                let trace = PanicTrace(Arc::new((location, Backtrace::force_capture())));
                // At the end of a thread there may be nothing left to put it into.
                let _ = LAST.try_with(|last| last.replace(Some(trace)));
            }
            before(panic);
        }));
    });
}

/// Marks the thread as at work for a request, until it is dropped.
pub(super) struct Catching(bool);

impl Catching {
    pub(super) fn begin() -> Self {
        Self(CATCHING.replace(true))
    }
}

impl Drop for Catching {
    fn drop(&mut self) {
        let _ = CATCHING.try_with(|catching| catching.set(self.0));
    }
}

/// Where the panic was that has just been caught, if it was watched.
pub(super) fn last() -> Option<PanicTrace> {
    LAST.try_with(RefCell::take).ok().flatten()
}
