use std::time::{Duration, Instant};

/// Lets something happen once in a period, and in a burst so much ahead of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    period: Duration,
    ahead: Duration,
    /// Until then everything is used up.
    used: Option<Instant>,
}

impl Rate {
    pub(super) fn new(period: Duration, burst: u32) -> Rate {
        Rate { period, ahead: period * burst.saturating_sub(1), used: None }
    }

    /// Whether it may happen now; if so, it has.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let ready = self.ready(now) <= now;
        if ready {
            self.used = Some(self.used.filter(|used| *used > now).unwrap_or(now) + self.period);
        }
        ready
    }

    /// When it may happen next.
    pub(super) fn ready(&self, now: Instant) -> Instant {
        let used = self.used.filter(|used| *used > now).unwrap_or(now);
        (used.checked_sub(self.ahead).unwrap_or(now)).max(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_burst_it_happens_once_in_a_period() {
        let second = Duration::from_secs(1);
        let (mut rate, begin) = (Rate::new(second, 3), Instant::now());
        let taken = |rate: &mut Rate, now| (0..10).filter(|_| rate.take(now)).count();
        assert_eq!(taken(&mut rate, begin), 3);
        assert_eq!(rate.ready(begin), begin + second);
        assert_eq!(taken(&mut rate, begin + second), 1);
        assert_eq!(taken(&mut rate, begin + 3 * second), 2);
        assert_eq!(taken(&mut rate, begin + 60 * second), 3);
    }
}
