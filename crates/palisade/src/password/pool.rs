//! A bounded pool for hashing, so that a flood of logins is a queue and not an outage.
//!
//! A hash takes a core for a fifth of a second and a hundred megabytes. More of them at a time than there are cores only
//! makes all of them late; more in the queue than can be served soon only makes the queue useless. So the rest is
//! told at once to come back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::HashError;

/// How long a hash may wait for a core.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// When those who were turned away may try again.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// How many wait for each core that works: about three seconds' worth.
const WAITING_PER_CORE: usize = 16;

/// So many cores, and so many places to wait for them.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    cores: Arc<Semaphore>,
    places: Arc<Semaphore>,
    longest_wait: Duration,
    begun: Arc<AtomicU64>,
}

impl Default for Pool {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self::new(cores, cores.saturating_mul(WAITING_PER_CORE))
    }
}

impl Pool {
    pub(super) fn new(cores: usize, waiting: usize) -> Self {
        let semaphore = |permits: usize| Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS)));
        Self {
            cores: semaphore(cores.max(1)),
            places: semaphore(waiting),
            longest_wait: LONGEST_WAIT,
            begun: Arc::default(),
        }
    }

    pub(super) fn with_longest_wait(mut self, wait: Duration) -> Self {
        self.longest_wait = wait;
        self
    }

    /// Runs `work` on a thread that may block.
    ///
    /// The core is given back when the work ends: a client that hangs up stops waiting, but its hash goes on, and ten
    /// thousand of them must not run at once.
    pub(super) async fn run<R: Send + 'static>(
        &self,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, HashError> {
        let core = self.core().await?;
        self.begun.fetch_add(1, Ordering::Relaxed);
        let running = tokio::task::spawn_blocking(move || {
            let answer = work();
            drop(core);
            answer
        });
        running.await.map_err(|_| HashError::Failed)
    }

    /// How much work was begun.
    pub(super) fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    async fn core(&self) -> Result<OwnedSemaphorePermit, HashError> {
        const BUSY: HashError = HashError::Busy {
            retry_after: RETRY_AFTER,
        };
        if let Ok(core) = Arc::clone(&self.cores).try_acquire_owned() {
            return Ok(core);
        }
        let Ok(_place) = self.places.try_acquire() else {
            return Err(BUSY);
        };
        match timeout(self.longest_wait, Arc::clone(&self.cores).acquire_owned()).await {
            Ok(core) => core.map_err(|_| HashError::Failed),
            Err(_) => Err(BUSY),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use futures_util::FutureExt;
    use futures_util::future::join_all;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn never_more_work_at_a_time_than_cores() {
        static RUNNING: AtomicUsize = AtomicUsize::new(0);
        static MOST: AtomicUsize = AtomicUsize::new(0);
        let pool = Pool::new(2, 100);
        let work = || {
            MOST.fetch_max(RUNNING.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::yield_now();
            RUNNING.fetch_sub(1, Ordering::SeqCst);
        };
        let all: Vec<_> = (0..50)
            .map(|_| {
                let pool = pool.clone();
                tokio::spawn(async move { pool.run(work).await })
            })
            .collect();
        assert!(
            join_all(all)
                .await
                .into_iter()
                .all(|answer| answer.unwrap().is_ok())
        );
        assert!((1..=2).contains(&MOST.load(Ordering::SeqCst)));
    }

    #[tokio::test]
    async fn client_that_hangs_up_does_not_free_its_core_early() {
        let pool = Pool::new(1, 1);
        let (release, held) = mpsc::channel::<()>();
        let mut first = Box::pin(pool.run(move || held.recv().unwrap_err()));
        assert!((&mut first).now_or_never().is_none());
        drop(first);
        assert_eq!(pool.cores.available_permits(), 0);
        let mut second = Box::pin(pool.run(|| "second"));
        assert!((&mut second).now_or_never().is_none());
        // The only place to wait is taken: the third is told at once.
        assert!(matches!(
            pool.run(|| ()).now_or_never(),
            Some(Err(HashError::Busy { .. }))
        ));
        drop(release);
        assert_eq!(second.await.unwrap(), "second");
        assert_eq!(pool.places.available_permits(), 1);
    }

    #[tokio::test]
    async fn one_that_gives_up_waiting_frees_its_place() {
        let pool = Pool::new(1, 1).with_longest_wait(Duration::from_millis(10));
        let (release, held) = mpsc::channel::<()>();
        let mut first = Box::pin(pool.run(move || held.recv().unwrap_err()));
        assert!((&mut first).now_or_never().is_none());
        assert!(matches!(pool.run(|| ()).await, Err(HashError::Busy { .. })));
        assert_eq!(pool.places.available_permits(), 1);
        drop(release);
        first.await.unwrap();
    }

    #[tokio::test]
    async fn panicking_work_gives_its_core_back() {
        let pool = Pool::new(1, 0);
        assert!(matches!(
            pool.run(|| panic!("a test's own panic")).await,
            Err::<(), _>(HashError::Failed)
        ));
        assert!(pool.run(|| ()).await.is_ok());
    }
}
