use std::time::{Duration, Instant};

/// The monotonic clock of a peer: it runs too fast or too slowly, and jumps when the machine was asleep.
#[derive(Debug)]
pub(super) struct SkewedClock {
    base: Instant,
    /// Of a thousand.
    rate: u64,
    ahead: Duration,
}

impl SkewedClock {
    pub(super) fn new(base: Instant, rate: u64) -> SkewedClock {
        SkewedClock { base, rate, ahead: Duration::ZERO }
    }

    /// What it shows at this moment, in microseconds since the beginning.
    pub(super) fn at(&self, moment: u64) -> Instant {
        self.base + self.ahead + Duration::from_micros(moment * self.rate / 1000)
    }

    /// The first moment, from `now` on, at which it shows this.
    pub(super) fn moment_of(&self, shown: Instant, now: u64) -> u64 {
        let shown = shown.saturating_duration_since(self.base + self.ahead).as_nanos() as u64;
        // the next whole microsecond, so that it is not too early
        shown.div_ceil(self.rate).max(now)
    }

    pub(super) fn jump(&mut self, by: Duration) {
        self.ahead += by;
    }
}
