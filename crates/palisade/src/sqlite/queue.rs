//! The one writer: a bounded queue, a thread, and a transaction for whatever has queued up.
//!
//! Each piece of work runs inside a savepoint, so that one that fails or panics is undone alone, and is answered only after the
//! commit that makes it last.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::keeper::Keeper;
use super::{SqliteError, Writer};

/// A transaction ends after so many pieces of work …
const BATCH: usize = 256;

/// … or after so long, so that the first of them is not kept waiting by those that keep coming.
const BATCH_TIME: Duration = Duration::from_millis(5);

/// The way to the writer thread.
pub(super) struct Queue {
    sender: Option<mpsc::Sender<Message>>,
    thread: Option<JoinHandle<()>>,
    deadline: Duration,
}

enum Message {
    Work(Box<dyn Work>),
    Close(oneshot::Sender<()>),
}

impl Queue {
    pub(super) fn start(
        connection: Connection,
        keeper: Keeper,
        length: usize,
        deadline: Duration,
    ) -> Result<Self, SqliteError> {
        let (sender, receiver) = mpsc::channel(length);
        let thread = std::thread::Builder::new()
            .name("palisade-sqlite".into())
            .spawn(move || write_until_closed(connection, keeper, receiver))
            .map_err(SqliteError::NoThread)?;
        Ok(Self {
            sender: Some(sender),
            thread: Some(thread),
            deadline,
        })
    }

    pub(super) async fn write<R, E, F>(&self, work: F) -> Result<R, E>
    where
        F: FnOnce(&Writer<'_>) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: From<SqliteError> + Send + 'static,
    {
        let (answer, mut answered) = oneshot::channel();
        let turn = Arc::new(Turn::default());
        let job = Job {
            work: Some(work),
            outcome: None,
            answer,
            turn: Arc::clone(&turn),
        };
        let asked = Instant::now();
        self.send(Message::Work(Box::new(job))).await?;
        match timeout(self.deadline.saturating_sub(asked.elapsed()), &mut answered).await {
            Ok(Ok(outcome)) => return outcome,
            Ok(Err(_)) => return Err(SqliteError::Closed.into()),
            Err(_) if turn.abandon() => return Err(SqliteError::Overloaded.into()),
            Err(_) => {}
        }
        // It is running: what it did can only be learned from its end.
        match timeout(self.deadline, answered).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(SqliteError::Closed.into()),
            Err(_) => Err(SqliteError::Unanswered.into()),
        }
    }

    pub(super) async fn close(&self) -> Result<(), SqliteError> {
        let (done, drained) = oneshot::channel();
        self.send(Message::Close(done)).await?;
        drained.await.map_err(|_| SqliteError::Closed)
    }

    async fn send(&self, message: Message) -> Result<(), SqliteError> {
        let sender = self.sender.as_ref().ok_or(SqliteError::Closed)?;
        match sender.try_send(message) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(SqliteError::Closed),
            Err(mpsc::error::TrySendError::Full(message)) => {
                match timeout(self.deadline, sender.send(message)).await {
                    Ok(sent) => sent.map_err(|_| SqliteError::Closed),
                    Err(_) => Err(SqliteError::Overloaded),
                }
            }
        }
    }
}

impl Drop for Queue {
    /// Waits until all that is queued is committed; unless work itself dropped the last handle, on the writer's own thread.
    fn drop(&mut self) {
        drop(self.sender.take());
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
            && thread.join().is_err()
        {
            tracing::error!("the database's writing thread had panicked");
        }
    }
}

/// Whether work has begun, so that giving up and beginning exclude each other.
#[derive(Default)]
struct Turn(AtomicU8);

impl Turn {
    const BEGUN: u8 = 1;
    const ABANDONED: u8 = 2;

    fn begin(&self) -> bool {
        self.0
            .compare_exchange(0, Self::BEGUN, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    fn abandon(&self) -> bool {
        self.0
            .compare_exchange(0, Self::ABANDONED, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }
}

/// One piece of work, whatever it answers.
trait Work: Send {
    /// Takes its turn; false if nobody waits for it any more.
    fn begin(&self) -> bool;
    /// Does it; false if what it did must be undone.
    fn run(&mut self, writer: &Writer<'_>) -> bool;
    /// Answers, knowing whether it lasts.
    fn answer(self: Box<Self>, committed: Result<(), SqliteError>);
}

struct Job<F, R, E> {
    work: Option<F>,
    outcome: Option<Result<R, E>>,
    answer: oneshot::Sender<Result<R, E>>,
    turn: Arc<Turn>,
}

impl<F, R, E> Work for Job<F, R, E>
where
    F: FnOnce(&Writer<'_>) -> Result<R, E> + Send,
    R: Send,
    E: From<SqliteError> + Send,
{
    fn begin(&self) -> bool {
        self.turn.begin()
    }

    fn run(&mut self, writer: &Writer<'_>) -> bool {
        if let Some(work) = self.work.take() {
            self.outcome = catch_unwind(AssertUnwindSafe(|| work(writer))).ok();
        }
        matches!(self.outcome, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, committed: Result<(), SqliteError>) {
        let answer = match (self.outcome, committed) {
            (Some(Ok(answer)), Ok(())) => Ok(answer),
            (Some(Err(error)), _) => Err(error),
            (None, Ok(())) => Err(SqliteError::Panicked.into()),
            (Some(Ok(_)) | None, Err(lost)) => Err(lost.into()),
        };
        // Nobody may be waiting any more: the client has gone, the work is done all the same.
        drop(self.answer.send(answer));
    }
}

fn write_until_closed(connection: Connection, keeper: Keeper, mut queue: mpsc::Receiver<Message>) {
    let mut closing = Vec::new();
    while let Some(message) = queue.blocking_recv() {
        match message {
            Message::Work(work) => {
                let _aside = keeper.stand_aside();
                write_together(&connection, work, &mut queue, &mut closing);
            }
            Message::Close(done) => closing.push(done),
        }
        if !closing.is_empty() {
            queue.close();
        }
    }
    drop(keeper);
    // Idle readers keep their connections, and with them the log: whoever copies the one file finds everything in it.
    if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
        tracing::warn!(%error, "the database's log could not be emptied; it is kept beside the database");
    }
    if let Err((_, error)) = connection.close() {
        tracing::error!(%error, "the database could not be closed");
    }
    for done in closing {
        if done.send(()).is_err() {
            tracing::debug!("nobody waited for the database to close");
        }
    }
}

/// Runs `first` and what has queued up behind it in one transaction, then answers all of them.
fn write_together(
    connection: &Connection,
    first: Box<dyn Work>,
    queue: &mut mpsc::Receiver<Message>,
    closing: &mut Vec<oneshot::Sender<()>>,
) {
    let began = Instant::now();
    if let Err(error) = run(connection, "BEGIN IMMEDIATE") {
        lose(connection, vec![first], error);
        return;
    }
    let mut done = Vec::new();
    let mut next = Some(first);
    while let Some(mut work) = next.take() {
        if work.begin() {
            let kept = write_alone(connection, work.as_mut());
            done.push(work);
            if let Err(error) = kept {
                lose(connection, done, error);
                return;
            }
        }
        while next.is_none() && closing.is_empty() && done.len() < BATCH && began.elapsed() < BATCH_TIME {
            match queue.try_recv() {
                Ok(Message::Work(work)) => next = Some(work),
                Ok(Message::Close(done)) => closing.push(done),
                Err(_) => break,
            }
        }
    }
    match run(connection, "COMMIT") {
        Ok(()) => done.into_iter().for_each(|work| work.answer(Ok(()))),
        Err(error) => lose(connection, done, error),
    }
}

/// Runs one piece of work inside a savepoint; an error means that the whole transaction is lost.
fn write_alone(connection: &Connection, work: &mut dyn Work) -> rusqlite::Result<()> {
    run(connection, "SAVEPOINT palisade_work")?;
    let kept = work.run(&Writer::new(connection));
    // Some failures (a full disk, an I/O error) make SQLite roll back everything by itself.
    if connection.is_autocommit() {
        return Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT_ROLLBACK),
            Some("the transaction was rolled back".into()),
        ));
    }
    if !kept {
        run(connection, "ROLLBACK TO palisade_work")?;
    }
    run(connection, "RELEASE palisade_work")
}

/// Undoes the transaction and tells all whose work it held.
fn lose(connection: &Connection, done: Vec<Box<dyn Work>>, error: rusqlite::Error) {
    if !connection.is_autocommit()
        && let Err(error) = run(connection, "ROLLBACK")
    {
        tracing::error!(%error, "a transaction could not be rolled back");
    }
    let error = Arc::new(error);
    for work in done {
        work.answer(Err(SqliteError::NotCommitted(Arc::clone(&error))));
    }
}

pub(super) fn run(connection: &Connection, sql: &'static str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}
