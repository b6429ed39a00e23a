//! Two clocks beside each other: the time that passes, and the time that this process uses.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

pub struct Watch {
    wall: Instant,
    cpu: Duration,
}

impl Watch {
    pub fn start() -> Self {
        Self {
            wall: Instant::now(),
            cpu: used(),
        }
    }

    /// Nanoseconds of the clock, and of the processor.
    pub fn read(&self) -> String {
        let wall = self.wall.elapsed();
        format!(
            "{} {}",
            wall.as_nanos(),
            used().saturating_sub(self.cpu).as_nanos()
        )
    }
}

fn used() -> Duration {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        used.tv_sec.try_into().unwrap_or_default(),
        used.tv_nsec.try_into().unwrap_or_default(),
    )
}
