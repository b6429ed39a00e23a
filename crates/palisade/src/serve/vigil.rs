//! Watches one connection and says when it has taken too long.
//!
//! hyper's own header time-out also counts the idle time before a request, knows nothing of HTTP/2 and is inert without a
//! timer; so the judgement is ours, for both protocols the same: a pure state machine over the [`Pulse`](super::pulse::Pulse),
//! asked after each turn of the connection.

use std::time::{Duration, Instant};

use super::limits::Limits;
use super::pace::{Allowance, Pace};
use super::pulse::Pulse;

/// The length of the HTTP/2 connection preface (RFC 9113 §3.4).
const PREFACE: u64 = 24;
/// How long a connection that was told to end may take to say goodbye.
const FAREWELL: Duration = Duration::from_secs(2);
/// How many HTTP/2 frames without a request or data a client may send ahead: settings, pings, priorities, window updates.
const CHATTER: u32 = 1000;
/// How many it is given back each second, with each request, and with each KiB it is sent.
const CHATTER_PER_SECOND: u32 = 100;
const CHATTER_PER_REQUEST: u64 = 5;
const CHATTER_PER_BYTES: u64 = 1024;
/// How far off the next look is when nothing is being waited for.
const AFAR: Duration = Duration::from_hours(1);

/// What is to be done with a connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Nothing until then, at the latest.
    Until(Instant),
    /// End it politely: GOAWAY, or TLS's goodbye.
    Close(&'static str),
    /// Drop it.
    Cut(&'static str),
}

#[derive(Debug)]
enum Phase {
    Opening { until: Instant },
    Head { until: Instant },
    Busy,
    Idle { pace: Pace, read: u64 },
    Closing { until: Instant },
}

/// The state of one watched connection.
#[derive(Debug)]
pub(super) struct Vigil {
    http2: bool,
    header: Duration,
    idle: Duration,
    rate: u32,
    phase: Phase,
    begun: u32,
    read: u64,
    written: u64,
    at: Instant,
    was_stuck: bool,
    stall: Pace,
    abandoned: u32,
    resets: Allowance,
    /// The open header block, and when it must be complete.
    block: Option<(u32, Instant)>,
    chatter: u32,
    chatter_left: Allowance,
}

impl Vigil {
    pub(super) fn new(limits: &Limits, http2: bool, now: Instant) -> Self {
        Self {
            http2,
            header: limits.header,
            idle: limits.idle,
            rate: limits.body_rate,
            phase: Phase::Opening {
                until: now + limits.header,
            },
            begun: 0,
            read: 0,
            written: 0,
            at: now,
            was_stuck: false,
            stall: Pace::new(limits.stall, limits.stall, limits.body_rate),
            abandoned: 0,
            resets: Allowance::new(limits.resets, (limits.resets / 10).max(1)),
            block: None,
            chatter: 0,
            chatter_left: Allowance::new(CHATTER, CHATTER_PER_SECOND),
        }
    }

    /// Judges the connection as it is now.
    pub(super) fn look(&mut self, pulse: &Pulse, now: Instant) -> Look {
        let elapsed = now.saturating_duration_since(self.at);
        self.at = now;
        let (read, written) = (pulse.read(), pulse.written());
        let (came, went) = (read.wrapping_sub(self.read), written.wrapping_sub(self.written));
        (self.read, self.written) = (read, written);

        if let Phase::Closing { until } = &mut self.phase {
            // Responses still being made or read keep a closing connection as they keep an open one.
            if pulse.open() > 0 || went > came {
                *until = now + FAREWELL;
            } else if now >= *until {
                return Look::Cut("it did not close when asked");
            }
        }
        let block_until = if self.http2 {
            if self.has_reset_too_often(pulse, elapsed) {
                return Look::Cut("too many requests were opened and taken back");
            }
            if self.is_chatting(pulse, elapsed, went) {
                return Look::Cut("too many frames brought no request");
            }
            match self.watch_block(pulse, now) {
                Some(until) if now >= until => return Look::Cut("the head of a request took too long"),
                until => until,
            }
        } else {
            None
        };
        let stuck_until = match self.watch_stall(pulse, elapsed, went, now) {
            Ok(until) => until,
            Err(cut) => return cut,
        };
        // Answers to pings are no progress: what went out beyond what came in is.
        match self.watch_phase(pulse, elapsed, went.saturating_sub(came), now) {
            Ok(until) => {
                let due = [until, stuck_until, block_until].into_iter().flatten().min();
                Look::Until(due.unwrap_or(now + AFAR))
            }
            Err(look) => look,
        }
    }

    /// Notes that the connection was told to end.
    pub(super) fn closing(&mut self, now: Instant) {
        self.phase = Phase::Closing {
            until: now + FAREWELL,
        };
    }

    fn has_reset_too_often(&mut self, pulse: &Pulse, elapsed: Duration) -> bool {
        let abandoned = pulse.abandoned();
        let more = abandoned.wrapping_sub(self.abandoned);
        self.abandoned = abandoned;
        self.resets.pass(elapsed);
        !self.resets.take(more)
    }

    fn is_chatting(&mut self, pulse: &Pulse, elapsed: Duration, went: u64) -> bool {
        let chatter = pulse.chatter();
        let more = chatter.wrapping_sub(self.chatter);
        self.chatter = chatter;
        self.chatter_left.pass(elapsed);
        let requests = pulse.begun().wrapping_sub(self.begun);
        self.chatter_left
            .earn(u64::from(requests) * CHATTER_PER_REQUEST, 1);
        self.chatter_left.earn(went, CHATTER_PER_BYTES);
        !self.chatter_left.take(more)
    }

    fn watch_block(&mut self, pulse: &Pulse, now: Instant) -> Option<Instant> {
        let block = pulse.open_block();
        self.block = match (block, self.block) {
            (Some(open), Some((same, until))) if open == same => Some((open, until)),
            (Some(open), _) => Some((open, now + self.header)),
            (None, _) => None,
        };
        self.block.map(|(_, until)| until)
    }

    fn watch_stall(
        &mut self,
        pulse: &Pulse,
        elapsed: Duration,
        went: u64,
        now: Instant,
    ) -> Result<Option<Instant>, Look> {
        let stuck = pulse.is_stuck();
        if self.was_stuck {
            self.stall.spend(elapsed);
        }
        self.stall.earn(went);
        self.was_stuck = stuck;
        if !stuck {
            return Ok(None);
        }
        if self.stall.is_over() {
            Err(Look::Cut("the response was not read"))
        } else {
            Ok(Some(now + self.stall.left()))
        }
    }

    fn watch_phase(
        &mut self,
        pulse: &Pulse,
        elapsed: Duration,
        progress: u64,
        now: Instant,
    ) -> Result<Option<Instant>, Look> {
        let begun = pulse.begun();
        if let Phase::Closing { until } = self.phase {
            return Ok((pulse.open() == 0).then_some(until));
        }
        if pulse.open() > 0 {
            self.begun = begun;
            self.phase = Phase::Busy;
            return Ok(None);
        }
        if begun != self.begun || matches!(self.phase, Phase::Busy) {
            self.begun = begun;
            return Ok(Some(self.rest(now)));
        }
        match &mut self.phase {
            Phase::Opening { until } => {
                if self.http2 && self.read >= PREFACE {
                    return Ok(Some(self.rest(now)));
                }
                match (now >= *until, self.read == 0) {
                    (false, _) => Ok(Some(*until)),
                    (true, true) => Err(Look::Close("no request came")),
                    (true, false) => Err(Look::Cut("the head of a request took too long")),
                }
            }
            Phase::Head { until } if now >= *until => Err(Look::Cut("the head of a request took too long")),
            Phase::Head { until } => Ok(Some(*until)),
            Phase::Idle { pace, read } => {
                pace.spend(elapsed);
                pace.earn(progress);
                if !self.http2 && *read != self.read && !pulse.is_blocked() {
                    let until = now + self.header;
                    self.phase = Phase::Head { until };
                    return Ok(Some(until));
                }
                if pace.is_over() {
                    Err(Look::Close("it was idle"))
                } else {
                    Ok(Some(now + pace.left()))
                }
            }
            // Both were answered above.
            Phase::Busy | Phase::Closing { .. } => Ok(None),
        }
    }

    fn rest(&mut self, now: Instant) -> Instant {
        self.phase = Phase::Idle {
            pace: Pace::new(self.idle, self.idle, self.rate),
            read: self.read,
        };
        now + self.idle
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    struct Scene {
        pulse: Arc<Pulse>,
        vigil: Vigil,
        start: Instant,
    }

    impl Scene {
        fn new(http2: bool) -> Self {
            let start = Instant::now();
            Self {
                pulse: Arc::default(),
                vigil: Vigil::new(&Limits::default(), http2, start),
                start,
            }
        }

        fn look(&mut self, seconds: u64) -> Look {
            self.vigil
                .look(&self.pulse, self.start + Duration::from_secs(seconds))
        }

        fn until(&self, seconds: u64) -> Look {
            Look::Until(self.start + Duration::from_secs(seconds))
        }

        fn answer_one(&self) {
            self.pulse.begin().0.complete();
        }
    }

    #[test]
    fn a_head_that_trickles_is_cut_ten_seconds_after_its_first_byte() {
        let mut scene = Scene::new(false);
        scene.pulse.count_read(80);
        scene.answer_one();
        assert_eq!(scene.look(1), scene.until(61));
        scene.pulse.count_read(1);
        assert_eq!(scene.look(40), scene.until(50));
        scene.pulse.count_read(1);
        assert_eq!(scene.look(49), scene.until(50));
        assert!(matches!(scene.look(50), Look::Cut(_)));
    }

    #[test]
    fn the_first_head_counts_from_the_handshake() {
        let mut scene = Scene::new(false);
        scene.pulse.count_read(1);
        assert_eq!(scene.look(9), scene.until(10));
        assert!(matches!(scene.look(10), Look::Cut(_)));
    }

    #[test]
    fn pings_do_not_keep_an_http2_connection_open() {
        let mut scene = Scene::new(true);
        scene.pulse.count_read(40);
        assert_eq!(scene.look(0), scene.until(60));
        for second in 1..60 {
            scene.pulse.count_read(1700);
            scene.pulse.count_written(1700);
            assert_eq!(scene.look(second), scene.until(60));
        }
        assert!(matches!(scene.look(60), Look::Close(_)));
    }

    #[test]
    fn an_http2_head_in_pieces_has_ten_seconds_even_beside_other_requests() {
        let mut scene = Scene::new(true);
        scene.pulse.count_read(100);
        let (_request, _) = scene.pulse.begin();
        scene.pulse.begin_block();
        assert_eq!(scene.look(1), scene.until(11));
        scene.pulse.count_read(1);
        assert_eq!(scene.look(10), scene.until(11));
        assert!(matches!(scene.look(11), Look::Cut(_)));
    }

    #[test]
    fn a_flood_of_frames_without_requests_is_cut() {
        let mut scene = Scene::new(true);
        let (_request, _) = scene.pulse.begin();
        for second in 0..50 {
            (0..90).for_each(|_| scene.pulse.count_chatter());
            assert!(matches!(scene.look(second), Look::Until(_)), "{second}");
        }
        (0..1001).for_each(|_| scene.pulse.count_chatter());
        assert!(matches!(scene.look(50), Look::Cut(_)));
    }

    #[test]
    fn a_long_download_over_http2_is_not_idle() {
        let mut scene = Scene::new(true);
        scene.pulse.count_read(100);
        scene.answer_one();
        scene.look(0);
        for second in 1..600 {
            scene.pulse.count_written(5_000);
            assert!(matches!(scene.look(second), Look::Until(_)), "{second}");
        }
    }

    #[test]
    fn a_silent_http2_client_has_ten_seconds_for_its_preface() {
        let mut scene = Scene::new(true);
        scene.pulse.count_read(12);
        assert_eq!(scene.look(5), scene.until(10));
        assert!(matches!(scene.look(10), Look::Cut(_)));
    }

    #[test]
    fn a_response_that_nobody_reads_is_cut() {
        let mut scene = Scene::new(false);
        let (_request, _) = scene.pulse.begin();
        scene.pulse.block(true);
        assert_eq!(scene.look(1), scene.until(31));
        assert!(matches!(scene.look(31), Look::Cut(_)));
    }

    #[test]
    fn a_handler_at_work_is_left_alone() {
        let mut scene = Scene::new(false);
        let (_request, _) = scene.pulse.begin();
        assert_eq!(scene.look(1), scene.until(1 + AFAR.as_secs()));
        assert_eq!(scene.look(1000), scene.until(1000 + AFAR.as_secs()));
    }

    #[test]
    fn a_closing_connection_answers_first_and_then_has_two_seconds() {
        let mut scene = Scene::new(false);
        let (mut request, _) = scene.pulse.begin();
        scene.vigil.closing(scene.start);
        assert!(matches!(scene.look(15), Look::Until(_)));
        request.complete();
        drop(request);
        assert_eq!(scene.look(16), scene.until(17));
        scene.pulse.count_written(5000);
        assert_eq!(scene.look(16), scene.until(18));
        assert!(matches!(scene.look(18), Look::Cut(_)));
    }

    #[test]
    fn a_burst_of_resets_is_cut_and_a_browsers_is_not() {
        let mut scene = Scene::new(true);
        for second in 0..100 {
            for _ in 0..10 {
                drop(scene.pulse.begin());
            }
            assert!(matches!(scene.look(second), Look::Until(_)));
        }
        for _ in 0..101 {
            drop(scene.pulse.begin());
        }
        assert!(matches!(scene.look(100), Look::Cut(_)));
    }
}
