use crate::{Hash, Wanted};
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

/// What is not found at once is asked for again after so long, and then after twice as long each time.
const FIRST: Duration = Duration::from_millis(250);
/// At most so long.
const LONGEST: Duration = Duration::from_secs(60);

/// When to ask for what is wanted: at once, and then with longer and longer pauses. It knows no clock: the time is given,
/// as what has passed since any moment.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    asked: HashMap<Hash, Asked>,
}

#[derive(Debug)]
struct Asked {
    times: u32,
    again: Duration,
}

impl Schedule {
    /// What of this is to be asked for now, at most `most`. What is not wanted any more is forgotten.
    pub(super) fn due(&mut self, wanted: &[Wanted], now: Duration, most: usize) -> Vec<Wanted> {
        let still: HashSet<Hash> = wanted.iter().map(Wanted::hash).collect();
        self.asked.retain(|hash, _| still.contains(hash));
        let is_due = |wanted: &&Wanted| self.asked.get(&wanted.hash()).is_none_or(|asked| asked.again <= now);
        wanted.iter().filter(is_due).take(most).copied().collect()
    }

    /// It was asked for, and not found.
    pub(super) fn not_found(&mut self, hash: Hash, now: Duration) {
        let asked = self.asked.entry(hash).or_insert(Asked { times: 0, again: now });
        asked.again = now + FIRST.saturating_mul(1 << asked.times.min(16)).min(LONGEST);
        asked.times += 1;
    }

    /// How long to wait until something is due; `None` if nothing waits for its time.
    pub(super) fn pause(&self, now: Duration) -> Option<Duration> {
        self.asked.values().map(|asked| asked.again.saturating_sub(now)).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_what_is_not_wanted_is_forgotten() {
        let (a, b) = (Wanted::Identity(Hash::of(b"a")), Wanted::Identity(Hash::of(b"b")));
        let mut schedule = Schedule::default();
        let mut now = Duration::ZERO;
        assert_eq!(schedule.due(&[a, b], now, 9), [a, b]);
        assert_eq!(schedule.due(&[a, b], now, 1), [a]);
        let mut pauses = Vec::new();
        for _ in 0..20 {
            schedule.not_found(a.hash(), now);
            assert_eq!(schedule.due(&[a, b], now, 9), [b], "others do not wait");
            let pause = schedule.pause(now).unwrap();
            now += pause;
            pauses.push(pause);
            assert_eq!(schedule.due(&[a, b], now, 9), [a, b]);
        }
        assert_eq!(pauses[..3], [FIRST, 2 * FIRST, 4 * FIRST]);
        assert_eq!(pauses[19], LONGEST);
        assert_eq!(schedule.due(&[b], now, 9), [b]);
        assert_eq!(schedule.pause(now), None);
        assert_eq!(schedule.due(&[a], now, 9), [a], "as if it had never been asked for");
    }
}
