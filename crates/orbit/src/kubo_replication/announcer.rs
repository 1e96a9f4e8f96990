use crate::{Hash, agenda::Agenda};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// Something new is said again after so long, then after twice as long each time.
const SHORTEST: Duration = Duration::from_secs(1);
/// While somebody is known who has other heads.
const APART: Duration = Duration::from_secs(30);
/// While everybody who is known has the same, or nobody is.
const LONGEST: Duration = Duration::from_secs(300);
/// Who was not heard for so long is gone.
pub(super) const GONE: Duration = Duration::from_secs(1_800);
/// So many of those who have a database are remembered.
const REMEMBERED: usize = 16;
/// Times are whole parts of the interval, so many, so that what is to be said of many databases is said in one message.
const PARTS: u32 = 8;

/// Decides when to say what the daemon holds of which database. It does nothing itself: it is told what has happened and when.
///
/// It is Trickle (RFC 6206): what everybody agrees about is repeated less and less often, and what is new begins anew. Two things differ.
/// As long as somebody is known who has other heads, pauses stay short. And what others have said is said all the same, if seldom: else
/// nobody would know how it stands with those who are silent.
#[derive(Debug)]
pub(super) struct Announcer {
    began: Instant,
    /// The state of the dice.
    dice: u64,
    databases: HashMap<Hash, Said>,
    /// When something is due, and of which database.
    agenda: Agenda<Hash>,
    /// Of how many of them everybody who is known has the same, and somebody is known.
    agreed: u64,
}

/// Who says something: the peer id of a daemon, and the data folder.
pub(super) type Speaker = (String, String);

/// What was said of a database, and heard.
#[derive(Debug)]
struct Said {
    /// What the daemon holds.
    ours: Hash,
    interval: Duration,
    end: Instant,
    /// When it is to be said in this interval, unless it was.
    speak: Option<Instant>,
    others: HashMap<Speaker, Heard>,
    /// Whether somebody is known, and everybody who is has the same, when it was looked at last.
    agreed: bool,
}

#[derive(Debug)]
struct Heard {
    state: Hash,
    at: Instant,
}

impl Announcer {
    pub(super) fn new(now: Instant, seed: u64) -> Announcer {
        Announcer { began: now, dice: seed, databases: HashMap::new(), agenda: Agenda::new(), agreed: 0 }
    }

    /// The daemon holds a database in this state. Whether it is another than before.
    pub(super) fn holds(&mut self, database: Hash, state: Hash, now: Instant) -> bool {
        match self.databases.get_mut(&database) {
            Some(said) if said.ours == state => return false,
            Some(said) => said.ours = state,
            None => {
                let (interval, others) = (SHORTEST, HashMap::new());
                let said = Said { ours: state, interval, end: now, speak: None, others, agreed: false };
                self.databases.insert(database, said);
            }
        }
        self.look(database, now);
        self.begin(database, SHORTEST, true, now);
        true
    }

    /// It is not told of any more.
    pub(super) fn forget(&mut self, database: &Hash) {
        if let Some(said) = self.databases.remove(database) {
            self.agenda.set(*database, None);
            self.agreed -= u64::from(said.agreed);
        }
    }

    /// Somebody has said that they have a database in this state, and whether they know of others who have it in another. Whether it is what
    /// is here.
    pub(super) fn heard(&mut self, database: Hash, speaker: &Speaker, state: Hash, apart: bool, now: Instant) -> bool {
        let Some(said) = self.databases.get_mut(&database) else { return false };
        // a folder whose daemon has another repository now speaks by another id
        said.others.retain(|(peer, folder), _| *folder != speaker.1 || *peer == speaker.0);
        let before = said.others.insert(speaker.clone(), Heard { state, at: now });
        let is_news = before.is_none_or(|before| before.state != state);
        if said.others.len() > REMEMBERED
            && let Some(longest) = said.others.iter().min_by_key(|(_, heard)| heard.at).map(|(who, _)| who.clone())
        {
            said.others.remove(&longest);
        }
        let (same, interval) = (state == said.ours, said.interval);
        self.look(database, now);
        // in the shortest interval it is said soon anyway
        if is_news && !same && interval > SHORTEST {
            self.begin(database, SHORTEST, false, now);
        } else if same && apart && interval > APART {
            // they may not have heard that it is the same here
            self.begin(database, APART, false, now);
        }
        same
    }

    /// Everything is to be said anew: nobody may have heard it.
    pub(super) fn again(&mut self, now: Instant) {
        let all: Vec<Hash> = self.databases.keys().copied().collect();
        for database in all {
            self.begin(database, SHORTEST, false, now);
        }
    }

    /// What was due could not be said.
    pub(super) fn put_off(&mut self, database: Hash, until: Instant) {
        let Some(said) = self.databases.get_mut(&database) else { return };
        said.speak = Some(until);
        said.end = said.end.max(until);
        self.agenda.set(database, Some(said.due()));
    }

    /// Of what something is to be said by now, at most so many; and whether somebody is known who has it in another state.
    pub(super) fn due(&mut self, now: Instant, most: usize) -> Vec<(Hash, bool)> {
        let mut due = Vec::new();
        while due.len() < most
            && let Some(database) = self.agenda.take(now)
        {
            // who is gone does not count any more
            self.look(database, now);
            let Some(said) = self.databases.get_mut(&database) else { continue };
            let agrees = said.agrees(now);
            if said.speak.take().is_some() {
                due.push((database, !agrees));
                self.agenda.set(database, Some(said.end));
            } else {
                let longest = if agrees { LONGEST } else { APART };
                let next = (2 * said.interval).min(longest);
                self.begin(database, next, false, now);
            }
        }
        due
    }

    /// When something is due next.
    pub(super) fn next(&self) -> Option<Instant> {
        self.agenda.next()
    }

    /// How many databases there are, and of how many of them everybody who is known has the same, and somebody is known. That somebody is gone
    /// counts when the database is said the next time.
    pub(super) fn agreed(&self) -> (u64, u64) {
        (self.databases.len() as u64, self.agreed)
    }

    /// Counts anew whether a database agrees.
    fn look(&mut self, database: Hash, now: Instant) {
        let Some(said) = self.databases.get_mut(&database) else { return };
        let agreed = said.agrees(now) && said.known(now).next().is_some();
        let before = std::mem::replace(&mut said.agreed, agreed);
        self.agreed = self.agreed + u64::from(agreed) - u64::from(before);
    }

    /// Begins an interval. What is new is said early in it, everything else in its second half.
    fn begin(&mut self, database: Hash, interval: Duration, at_once: bool, now: Instant) {
        let Some(said) = self.databases.get(&database) else { return };
        let before = said.speak.filter(|_| at_once);
        let half = interval / 2;
        let offset = if at_once { interval / PARTS } else { half + half.mul_f64(self.roll()) };
        let part = interval / PARTS;
        // to the next whole part, counted from the beginning
        let since = (now + offset).duration_since(self.began).as_nanos();
        let parts = since.div_ceil(part.as_nanos().max(1));
        let speak = self.began + nanoseconds(parts.saturating_mul(part.as_nanos()));
        // writing goes on, and saying it is not put off
        let speak = before.map_or(speak, |before| before.min(speak));
        if let Some(said) = self.databases.get_mut(&database) {
            (said.interval, said.speak) = (interval, Some(speak));
            said.end = (now + interval).max(speak);
            self.agenda.set(database, Some(said.due()));
        }
    }

    /// At least 0 and less than 1.
    fn roll(&mut self) -> f64 {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from((self.dice >> 40) as u32) / f64::from(1_u32 << 24)
    }
}

impl Said {
    fn due(&self) -> Instant {
        self.speak.unwrap_or(self.end)
    }

    fn known(&self, now: Instant) -> impl Iterator<Item = &Heard> {
        self.others.values().filter(move |heard| now.saturating_duration_since(heard.at) < GONE)
    }

    fn agrees(&self, now: Instant) -> bool {
        self.known(now).all(|heard| heard.state == self.ours)
    }
}

fn nanoseconds(count: u128) -> Duration {
    Duration::from_nanos(u64::try_from(count).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn hash(n: u64) -> Hash {
        Hash::of(&n.to_be_bytes())
    }

    fn speaker(n: usize) -> Speaker {
        (format!("peer {n}"), format!("folder {n}"))
    }

    /// What is due until then, and when.
    fn run(announcer: &mut Announcer, until: Instant) -> Vec<(Instant, Hash)> {
        let mut all = Vec::new();
        while let Some(next) = announcer.next().filter(|next| *next <= until) {
            all.extend(announcer.due(next, usize::MAX).into_iter().map(|(database, _)| (next, database)));
        }
        all
    }

    #[test]
    fn what_is_new_is_said_soon_and_then_less_and_less() {
        let (begin, database) = (Instant::now(), hash(0));
        let mut announcer = Announcer::new(begin, 1);
        assert!(announcer.holds(database, hash(1), begin) && !announcer.holds(database, hash(1), begin));
        let hour = Duration::from_secs(3600);
        let said = run(&mut announcer, begin + hour);
        assert!(said[0].0 <= begin + SHORTEST / 4);
        assert!((15..30).contains(&said.len()), "{}", said.len());
        // somebody has something else, and goes on having it
        let now = begin + hour;
        assert!(!announcer.heard(database, &speaker(1), hash(2), false, now));
        let said = run(&mut announcer, now + Duration::from_secs(600));
        assert!(said[0].0 <= now + SHORTEST && said.len() >= 20, "{}", said.len());
        // now they have the same
        let now = now + Duration::from_secs(600);
        assert!(announcer.heard(database, &speaker(1), hash(1), false, now));
        assert_eq!(announcer.agreed(), (1, 1));
        assert!(run(&mut announcer, now + hour).len() < 20);
        // their daemon has a new repository
        let (now, renamed) = (now + hour, ("peer 2".to_owned(), speaker(1).1));
        assert!(!announcer.heard(database, &renamed, hash(2), false, now));
        assert_eq!(announcer.agreed(), (1, 0));
        announcer.heard(database, &renamed, hash(1), false, now);
        assert_eq!(announcer.agreed(), (1, 1));
        announcer.forget(&database);
        assert_eq!(announcer.next(), None);
    }

    #[test]
    fn many_databases_that_agree_need_few_messages() {
        let begin = Instant::now();
        let mut announcer = Announcer::new(begin, 1);
        for n in 0..10_000 {
            announcer.holds(hash(n), hash(1), begin);
        }
        let hour = Duration::from_secs(3600);
        run(&mut announcer, begin + hour);
        let said = run(&mut announcer, begin + 2 * hour);
        let moments: BTreeSet<Instant> = said.iter().map(|(at, _)| *at).collect();
        assert!(said.len() >= 100_000, "{}", said.len());
        assert!(moments.len() <= 200, "{}", moments.len());
    }

    #[test]
    fn writing_all_the_time_does_not_put_it_off() {
        let (begin, database) = (Instant::now(), hash(0));
        let mut announcer = Announcer::new(begin, 1);
        let mut said = 0;
        for n in 0..100 {
            let now = begin + Duration::from_millis(20) * n;
            announcer.holds(database, hash(n.into()), now);
            said += run(&mut announcer, now).len();
        }
        assert!(said >= 8, "{said}");
    }

    #[test]
    fn what_could_not_be_said_is_said_later() {
        let (begin, database) = (Instant::now(), hash(0));
        let mut announcer = Announcer::new(begin, 1);
        announcer.holds(database, hash(1), begin);
        let now = begin + SHORTEST;
        assert_eq!(announcer.due(now, 9), [(database, false)]);
        announcer.put_off(database, now + SHORTEST);
        assert_eq!(announcer.due(now, 9), []);
        assert_eq!(announcer.due(now + SHORTEST, 9), [(database, false)]);
    }

    proptest! {
        /// Each has a set of entries; who hears of more takes it over a moment later. Half of what is said is lost.
        #[test]
        fn whatever_is_lost_all_agree_in_the_end(seed: u64, writes in proptest::collection::vec((0..4usize, 0..60_000u64), 1..12)) {
            let (begin, database) = (Instant::now(), hash(0));
            let mut dice = seed;
            let mut lost = move || {
                dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                dice >> 33 & 1 == 0
            };
            let state = |entries: &BTreeSet<usize>| Hash::of(format!("{entries:?}").as_bytes());
            let mut all: Vec<_> = (0..4u64).map(|n| (Announcer::new(begin, seed ^ n), BTreeSet::new())).collect();
            for (announcer, entries) in &mut all {
                announcer.holds(database, state(entries), begin);
            }
            let mut now = begin;
            let mut messages = 0;
            let mut go_on = |all: &mut Vec<(Announcer, BTreeSet<usize>)>, until: Instant| {
                while let Some(next) = all.iter().filter_map(|(announcer, _)| announcer.next()).min().filter(|next| *next <= until) {
                    for at in 0..all.len() {
                        for (_, apart) in all[at].0.due(next, usize::MAX) {
                            messages += 1;
                            let said = all[at].1.clone();
                            for other in (0..all.len()).filter(|other| *other != at) {
                                if lost() {
                                    continue;
                                }
                                let (announcer, entries) = &mut all[other];
                                announcer.heard(database, &speaker(at), state(&said), apart, next);
                                entries.extend(said.iter().copied());
                                announcer.holds(database, state(entries), next);
                            }
                        }
                    }
                }
                messages
            };
            for (n, (at, pause)) in writes.iter().enumerate() {
                let (announcer, entries) = &mut all[*at];
                entries.insert(n);
                announcer.holds(database, state(entries), now);
                now += Duration::from_millis(*pause);
                go_on(&mut all, now);
            }
            now += Duration::from_secs(3600);
            let before = go_on(&mut all, now);
            for (announcer, entries) in &all {
                prop_assert_eq!(entries.len(), writes.len());
                prop_assert_eq!(announcer.agreed(), (1, 1));
            }
            // and then they are quiet
            let after = go_on(&mut all, now + Duration::from_secs(3600));
            prop_assert!(after - before < 4 * 26, "{}", after - before);
        }
    }
}
