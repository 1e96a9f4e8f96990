use super::announcer::{GONE, Speaker};
use crate::Hash;
use lru::LruCache;
use std::{
    collections::{BTreeMap, HashMap},
    num::NonZeroUsize,
    time::{Duration, Instant},
};

/// So many are fetched at a time,
const AT_ONCE: usize = 4;
/// and so many of these from daemons that have not delivered anything yet.
const OF_STRANGERS: usize = 2;
/// What did not deliver is tried again after so long, then after twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// So many offers of a database are remembered,
const OF_ONE: usize = 8;
/// so many of these of folders at one daemon,
const OF_DAEMON: usize = 2;
/// and of so many databases.
const DATABASES: usize = 4_096;
/// So many daemons are remembered.
const DAEMONS: NonZeroUsize = NonZeroUsize::new(256).expect("some");

/// Decides what to fetch next, of what others say that they have and is not here. It does nothing itself.
///
/// Nobody can keep it busy who does not deliver: who did not is asked again after longer and longer pauses, whatever else they offer; and
/// those who have delivered before have room of their own.
#[derive(Debug)]
pub(super) struct Offers {
    offers: BTreeMap<Hash, Vec<Offer>>,
    /// Of which databases something is fetched, and whether by whom nothing has come yet.
    running: HashMap<Hash, bool>,
    /// By their peer ids.
    daemons: LruCache<String, Standing>,
    turn: Hash,
    /// Whether something has happened since there was nothing to fetch.
    stirred: bool,
    /// When there may be something then, if nothing happens.
    again: Option<Instant>,
}

/// What somebody has of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) speaker: Speaker,
    pub(super) heads: Vec<Hash>,
    /// Whether there are more heads, which are not named.
    pub(super) unnamed: bool,
    pub(super) roots: Vec<Hash>,
    pub(super) heard: Instant,
}

/// What has come of what was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// Everything.
    All,
    /// Some of it.
    Part,
    /// Nothing that is of use.
    Nothing,
    /// Everything was here already, from elsewhere. That says nothing about who offered it.
    Before,
}

#[derive(Clone, Copy, Debug, Default)]
struct Standing {
    delivered: u64,
    /// How often it did not, since it did last.
    failed: u32,
    /// Until then it is not asked.
    not_before: Option<Instant>,
}

impl Offers {
    pub(super) fn new() -> Offers {
        Offers {
            offers: BTreeMap::new(),
            running: HashMap::new(),
            daemons: LruCache::new(DAEMONS),
            turn: Hash::from_digest([0; 32]),
            stirred: false,
            again: None,
        }
    }

    /// Somebody has something of a database that is not here.
    pub(super) fn offered(&mut self, database: Hash, offer: Offer) {
        if self.offers.len() >= DATABASES && !self.offers.contains_key(&database) {
            // it is said again
            return;
        }
        self.stirred = true;
        let offers = self.offers.entry(database).or_default();
        offers.retain(|other| other.speaker != offer.speaker);
        let is_theirs = |other: &Offer| other.speaker.0 == offer.speaker.0;
        if offers.iter().filter(|other| is_theirs(other)).count() >= OF_DAEMON {
            // one daemon takes nobody else's place
            if let Some(earliest) = offers.iter().position(is_theirs) {
                offers.remove(earliest);
            }
        } else if offers.len() >= OF_ONE {
            // those who deliver are not crowded out by strangers; of the others, who has failed most goes, or else the earliest
            let daemons = &self.daemons;
            let goes = |other: &Offer| {
                let standing = daemons.peek(&other.speaker.0).copied().unwrap_or_default();
                (standing.delivered == 0, standing.failed)
            };
            if let Some((worst, _)) = offers.iter().enumerate().rev().max_by_key(|(_, other)| goes(other)) {
                offers.remove(worst);
            }
        }
        offers.push(offer);
    }

    /// Those who were not heard for long have nothing to offer any more.
    pub(super) fn let_go(&mut self, now: Instant) {
        self.offers.retain(|_, offers| {
            offers.retain(|offer| now.saturating_duration_since(offer.heard) < GONE);
            !offers.is_empty()
        });
    }

    /// They have nothing more that is not here.
    pub(super) fn withdrawn(&mut self, database: &Hash, speaker: &Speaker) {
        if let Some(offers) = self.offers.get_mut(database) {
            offers.retain(|offer| offer.speaker != *speaker);
            if offers.is_empty() {
                self.offers.remove(database);
            }
        }
    }

    /// What is to be fetched now: of each database at most one at a time, and one database after the other.
    pub(super) fn start(&mut self, now: Instant) -> Option<(Hash, Offer)> {
        if self.running.len() >= AT_ONCE || !self.stirred && self.again.is_none_or(|again| now < again) {
            return None;
        }
        let strangers = self.running.values().filter(|stranger| **stranger).count() < OF_STRANGERS;
        let behind = self.offers.range(self.turn..).chain(self.offers.range(..self.turn));
        let idle = behind.filter(|(database, _)| !self.running.contains_key(*database));
        let ready = |offer: &&Offer| {
            let standing = self.standing(&offer.speaker);
            standing.not_before.is_none_or(|until| until <= now) && (strangers || standing.delivered > 0)
        };
        // who has failed least often first
        let best = |offers: &Vec<Offer>| {
            offers.iter().filter(ready).min_by_key(|offer| self.standing(&offer.speaker).failed).cloned()
        };
        let next = idle.filter_map(|(database, offers)| Some((*database, best(offers)?))).next();
        let Some((database, offer)) = next else {
            (self.stirred, self.again) = (false, self.next(now));
            return None;
        };
        self.withdrawn(&database, &offer.speaker);
        self.running.insert(database, self.standing(&offer.speaker).delivered == 0);
        let mut next = *database.digest();
        // the one behind it
        for byte in next.iter_mut().rev() {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                break;
            }
        }
        self.turn = Hash::from_digest(next);
        Some((database, offer))
    }

    /// It has ended. What is still to be had waits behind what others offer.
    pub(super) fn finished(&mut self, database: Hash, offer: Offer, came: Came, now: Instant) {
        self.running.remove(&database);
        self.stirred = true;
        let Standing { delivered, failed, .. } = self.standing(&offer.speaker);
        let standing = match came {
            Came::All => Some(Standing { delivered: delivered + 1, failed: 0, not_before: None }),
            Came::Part => Some(Standing { delivered: delivered + 1, failed: 0, not_before: Some(now + FIRST_PAUSE) }),
            Came::Nothing => {
                let pause = FIRST_PAUSE.saturating_mul(1 << failed.min(16)).min(LONGEST_PAUSE);
                Some(Standing { delivered, failed: failed + 1, not_before: Some(now + pause) })
            }
            Came::Before => None,
        };
        if let Some(standing) = standing {
            self.daemons.put(offer.speaker.0.clone(), standing);
        }
        let more = matches!(came, Came::Part | Came::Nothing);
        let newer = |offers: &Vec<Offer>| offers.iter().any(|other| other.speaker == offer.speaker);
        if more && !self.offers.get(&database).is_some_and(newer) {
            self.offered(database, offer);
        }
    }

    /// Of a database that is not replicated any more nothing is fetched.
    pub(super) fn forget(&mut self, database: &Hash) {
        self.offers.remove(database);
    }

    /// When there may be something to fetch that is not to be fetched yet.
    pub(super) fn next(&self, now: Instant) -> Option<Instant> {
        if self.running.len() >= AT_ONCE || self.offers.is_empty() {
            return None;
        }
        // there are fewer daemons than offers
        let waits = self.daemons.iter().filter_map(|(_, standing)| standing.not_before);
        waits.filter(|until| *until > now).min()
    }

    fn standing(&self, speaker: &Speaker) -> Standing {
        self.daemons.peek(&speaker.0).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::LazyLock;

    fn hash(n: u8) -> Hash {
        Hash::of(&[n])
    }

    fn began() -> Instant {
        static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
        *BEGAN
    }

    fn offer(peer: &str, root: u8) -> Offer {
        Offer {
            heard: began(),
            speaker: (peer.to_owned(), "f".to_owned()),
            heads: vec![hash(root)],
            unnamed: false,
            roots: vec![hash(root)],
        }
    }

    #[test]
    fn of_a_database_one_is_fetched_at_a_time_and_the_latest_of_each() {
        let (mut offers, now) = (Offers::new(), Instant::now());
        offers.offered(hash(0), offer("a", 1));
        offers.offered(hash(0), offer("a", 2));
        offers.offered(hash(0), offer("b", 3));
        assert_eq!(offers.start(now), Some((hash(0), offer("a", 2))));
        assert_eq!(offers.start(now), None);
        offers.finished(hash(0), offer("a", 2), Came::All, now);
        assert_eq!(offers.start(now), Some((hash(0), offer("b", 3))));
        offers.finished(hash(0), offer("b", 3), Came::All, now);
        assert_eq!((offers.start(now), offers.next(now)), (None, None));
    }

    #[test]
    fn who_does_not_deliver_is_asked_less_and_less_whatever_else_they_offer() {
        let (mut offers, mut now) = (Offers::new(), Instant::now());
        for pause in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            offers.offered(hash(0), offer("a", pause as u8));
            let (database, started) = offers.start(now).expect("it is to be fetched");
            offers.finished(database, started, Came::Nothing, now);
            offers.offered(hash(1), offer("a", 7));
            assert_eq!(offers.start(now), None);
            assert_eq!(offers.next(now), Some(now + Duration::from_secs(pause)));
            now += Duration::from_secs(pause);
            offers.withdrawn(&hash(1), &offer("a", 7).speaker);
        }
        // another one does not wait
        offers.offered(hash(0), offer("b", 9));
        assert_eq!(offers.start(now).map(|(_, offer)| offer.speaker.0), Some("b".to_owned()));
    }

    #[test]
    fn strangers_leave_room_for_those_who_have_delivered() {
        let (mut offers, now) = (Offers::new(), Instant::now());
        offers.offered(hash(0), offer("good", 1));
        let (database, started) = offers.start(now).expect("it is to be fetched");
        offers.finished(database, started, Came::All, now);
        for n in 0..200 {
            offers.offered(hash(n % 40), offer(&format!("stranger {n}"), n));
        }
        assert!(offers.start(now).is_some() && offers.start(now).is_some());
        assert_eq!(offers.start(now), None);
        for n in 0..40 {
            offers.offered(hash(n), offer("good", 1));
        }
        assert_eq!(offers.start(now).map(|(_, offer)| offer.speaker.0), Some("good".to_owned()));
        assert_eq!(offers.start(now).map(|(_, offer)| offer.speaker.0), Some("good".to_owned()));
        assert_eq!(offers.start(now), None);
    }

    #[test]
    fn databases_take_turns() {
        let (mut offers, now) = (Offers::new(), Instant::now());
        let mut seen = Vec::new();
        for n in 0..6 {
            offers.offered(hash(n), offer("a", n));
        }
        for _ in 0..6 {
            let (database, started) = offers.start(now).expect("it is to be fetched");
            seen.push(database);
            offers.finished(database, started.clone(), Came::All, now);
            // there is more of it at once
            offers.offered(database, started);
        }
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 6);
    }

    fn speakers(offers: &Offers) -> Vec<&str> {
        offers.offers[&hash(0)].iter().map(|offer| offer.speaker.0.as_str()).collect()
    }

    #[test]
    fn a_daemon_takes_nobody_elses_place_and_a_newcomer_has_one() {
        let (mut offers, now) = (Offers::new(), began());
        offers.offered(hash(0), offer("a", 1));
        for folder in 0..100 {
            offers.offered(hash(0), Offer { speaker: ("many".into(), folder.to_string()), ..offer("many", 2) });
        }
        assert_eq!(speakers(&offers), ["a", "many", "many"]);
        offers.withdrawn(&hash(0), &("many".into(), "98".into()));
        offers.withdrawn(&hash(0), &("many".into(), "99".into()));
        // it gave something once, others never did, and one of them fails again and again
        let (database, started) = offers.start(now).expect("it is to be fetched");
        offers.finished(database, started, Came::Part, now);
        let names = ["b", "c", "d", "e", "f", "g", "h"];
        offers.offered(hash(1), offer("d", 1));
        let (database, started) = offers.start(now).expect("it is to be fetched");
        offers.finished(database, started, Came::Nothing, now);
        for name in names {
            offers.offered(hash(0), offer(name, 1));
        }
        offers.offered(hash(0), offer("new", 1));
        assert_eq!(speakers(&offers), ["a", "b", "c", "e", "f", "g", "h", "new"]);
        offers.offered(hash(0), offer("newer", 1));
        assert_eq!(speakers(&offers), ["a", "c", "e", "f", "g", "h", "new", "newer"]);
    }

    #[test]
    fn who_gives_something_goes_on_after_the_others_and_what_was_here_says_nothing() {
        let (mut offers, now) = (Offers::new(), began());
        offers.offered(hash(0), offer("a", 1));
        offers.offered(hash(0), offer("b", 2));
        let (database, started) = offers.start(now).expect("it is to be fetched");
        offers.finished(database, started, Came::Part, now);
        assert_eq!(speakers(&offers), ["b", "a"]);
        let (database, started) = offers.start(now).expect("it is to be fetched");
        assert_eq!(started.speaker.0, "b");
        offers.finished(database, started, Came::Before, now);
        assert_eq!(offers.standing(&offer("b", 2).speaker).delivered, 0);
        assert_eq!(speakers(&offers), ["a"]);
        assert_eq!(offers.start(now + FIRST_PAUSE).map(|(_, offer)| offer.speaker.0), Some("a".to_owned()));
    }

    #[test]
    fn who_is_gone_offers_nothing() {
        let mut offers = Offers::new();
        offers.offered(hash(0), offer("a", 1));
        offers.offered(hash(0), Offer { heard: began() + GONE, ..offer("b", 1) });
        offers.offered(hash(1), offer("a", 1));
        offers.let_go(began() + GONE);
        assert_eq!(speakers(&offers), ["b"]);
        assert_eq!(offers.offers.len(), 1);
    }
}
