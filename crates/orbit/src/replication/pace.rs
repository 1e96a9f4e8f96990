use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// So long a conversation may last in any case.
const PATIENCE: Duration = Duration::from_secs(60);
/// Beyond that, as long as so many bytes a second go to and fro.
const LEAST: u64 = 16 << 10;
/// A peer that says that it is looking is waited for so much longer, so often at most.
const LOOKING: (Duration, u32) = (Duration::from_secs(15), 40);
/// How often it is said.
pub(super) const STILL_LOOKING: Duration = Duration::from_secs(10);

/// How a conversation moves on. One that does not is ended, so that nobody holds what others wait for.
#[derive(Debug)]
pub(super) struct Pace(Mutex<Moved>);

#[derive(Debug)]
struct Moved {
    begun: Instant,
    bytes: u64,
    looking: u32,
    /// Time that was spent here, and since when more is: it is not the peer's.
    worked: Duration,
    working: u32,
    since: Instant,
}

/// Something is done here, until it is dropped.
pub(super) struct Working<'p>(&'p Pace);

impl Pace {
    pub(super) fn new(now: Instant) -> Pace {
        let (bytes, looking, worked, working) = (0, 0, Duration::ZERO, 0);
        Pace(Mutex::new(Moved { begun: now, bytes, looking, worked, working, since: now }))
    }

    fn moved(&self) -> std::sync::MutexGuard<'_, Moved> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// So many bytes went to or fro.
    pub(super) fn bytes(&self, bytes: usize) {
        self.moved().bytes += bytes as u64;
    }

    /// The peer is still looking.
    pub(super) fn looking(&self) {
        self.moved().looking += 1;
    }

    /// What is done here begins.
    pub(super) fn works(&self, now: Instant) -> Working<'_> {
        let mut moved = self.moved();
        if moved.working == 0 {
            moved.since = now;
        }
        moved.working += 1;
        Working(self)
    }

    /// When it is over, as things are now.
    pub(super) fn ends(&self, now: Instant) -> Instant {
        let moved = self.moved();
        let working = if moved.working > 0 { now.saturating_duration_since(moved.since) } else { Duration::ZERO };
        let looking = LOOKING.0 * moved.looking.min(LOOKING.1);
        let moving = Duration::from_secs(moved.bytes / LEAST);
        moved.begun + PATIENCE + moving + looking + moved.worked + working
    }
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        let mut moved = self.0.moved();
        moved.working -= 1;
        if moved.working == 0 {
            let worked = moved.since.elapsed();
            moved.worked += worked;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_moves_on_goes_on_and_who_does_not_is_ended() {
        let now = Instant::now();
        let pace = Pace::new(now);
        assert_eq!(pace.ends(now), now + PATIENCE);
        pace.bytes(10 * LEAST as usize);
        assert_eq!(pace.ends(now), now + PATIENCE + Duration::from_secs(10));
        let working = pace.works(now);
        let later = now + Duration::from_secs(1000);
        assert!(pace.ends(later) > later, "it is not the peer that takes long");
        drop(working);
        (0..1000).for_each(|_| pace.looking());
        assert!(pace.ends(now) < now + Duration::from_secs(15 * 60), "nobody looks for ever");
    }
}
