use super::remembered::Remembered;
use crate::Hash;
use debros_ipfs::PeerId;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

/// A peer that does not speak the protocol yet may be about to: JavaScript listens to the topic first. Then as after a
/// failure.
const UNSUPPORTED: [Duration; 3] = [Duration::from_millis(100), Duration::from_millis(500), Duration::from_secs(2)];
/// The first pause after a failure, or an exchange that left both sides with different heads; doubled until the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(64);
/// When heads change, they are told by the topic; so long afterwards an exchange makes sure.
const MAKE_SURE: Duration = Duration::from_secs(2);
/// Even if both sides had the same heads the last time: a message of a peer that tells nothing twice may have been lost.
const QUIET: Duration = Duration::from_secs(120);
/// So many entries are remembered that were on the topic.
const REMEMBERED: usize = 4096;

/// Decides when to tell which peers what, for one database. It does nothing itself: it is told what has happened and
/// when, and says what is to be done.
#[derive(Debug)]
pub(super) struct Replicator {
    heads: BTreeSet<Hash>,
    peers: BTreeMap<PeerId, Remote>,
    /// Entries that were on the topic, from here or from elsewhere.
    on_topic: Remembered,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Exchange heads with this peer, and tell how it went.
    Exchange(PeerId),
    /// Publish this entry on the topic.
    Publish(Hash),
}

/// How an exchange of heads that was begun here has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Exchanged {
    /// The peer has these heads.
    Heads(Vec<Hash>),
    /// The peer does not speak the protocol.
    Unsupported,
    /// The peer had begun one, and that counts.
    Busy,
    /// It did not work.
    Failed,
}

/// What is known of a peer that listens to the topic.
#[derive(Debug)]
struct Remote {
    /// Its heads, when it told them last.
    heads: Option<BTreeSet<Hash>>,
    /// Is an exchange under way that was begun here, and is another one to follow at once?
    exchanging: bool,
    again: bool,
    /// How many are under way that the peer has begun.
    answering: u32,
    /// When the next one begins.
    due: Instant,
    /// How often the last ones left something to be done.
    tries: u32,
}

impl Replicator {
    /// For a database with these heads.
    pub(super) fn new(heads: impl IntoIterator<Item = Hash>) -> Replicator {
        Replicator { heads: heads.into_iter().collect(), peers: BTreeMap::new(), on_topic: Remembered::new(REMEMBERED) }
    }

    /// A peer listens to the topic. Whether that is new.
    pub(super) fn subscribed(&mut self, peer: PeerId, now: Instant) -> bool {
        let (heads, exchanging, again, answering, tries) = (None, false, false, 0, 0);
        let is_new = !self.peers.contains_key(&peer);
        self.peers.entry(peer).or_insert(Remote { heads, exchanging, again, answering, due: now, tries });
        is_new
    }

    /// It does not any more, or is gone.
    pub(super) fn left(&mut self, peer: &PeerId) -> bool {
        self.peers.remove(peer).is_some()
    }

    /// An entry came by the topic.
    pub(super) fn heard(&mut self, entry: Hash) {
        self.on_topic.insert(entry);
    }

    /// A peer of our kind has begun an exchange: none is begun with it before that has ended, and [`Replicator::told`] is called.
    pub(super) fn answers(&mut self, peer: &PeerId) {
        if let Some(remote) = self.peers.get_mut(peer) {
            remote.answering += 1;
        }
    }

    /// A peer has told its heads in an exchange that it began, or has broken off.
    pub(super) fn told(&mut self, peer: &PeerId, heads: Option<Vec<Hash>>, now: Instant) {
        let Some(remote) = self.peers.get_mut(peer) else { return };
        remote.answering = remote.answering.saturating_sub(1);
        if let Some(heads) = heads {
            remote.told(heads, &self.heads, now);
        }
        remote.go_on(now);
    }

    /// Somebody waits until these peers have what is here: they are asked at once.
    pub(super) fn hurry(&mut self, whom: impl Fn(&PeerId) -> bool, now: Instant) {
        for (_, remote) in self.peers.iter_mut().filter(|(peer, _)| whom(peer)) {
            remote.hurry(now);
        }
    }

    /// A peer has told of something that builds on what is not here: it has it, so it is asked at once. Unless that
    /// did not help the last time.
    pub(super) fn lacks(&mut self, peer: &PeerId, now: Instant) {
        let Some(remote) = self.peers.get_mut(peer).filter(|remote| remote.tries == 0) else { return };
        remote.hurry(now);
    }

    /// An exchange that was begun here has ended.
    pub(super) fn exchanged(&mut self, peer: &PeerId, how: Exchanged, now: Instant) {
        let Some(remote) = self.peers.get_mut(peer) else { return };
        remote.exchanging = false;
        let unsupported = how == Exchanged::Unsupported;
        match how {
            Exchanged::Heads(heads) => {
                remote.told(heads, &self.heads, now);
                remote.go_on(now);
            }
            Exchanged::Busy => remote.due = now + FIRST_PAUSE,
            Exchanged::Unsupported | Exchanged::Failed => {
                let quick = UNSUPPORTED.get(remote.tries as usize).filter(|_| unsupported);
                remote.due = now + quick.copied().unwrap_or_else(|| pause(remote.tries));
                remote.tries = remote.tries.saturating_add(1);
            }
        }
    }

    /// Are these the heads that it is known to have?
    pub(super) fn has(&self, heads: &[Hash]) -> bool {
        heads.len() == self.heads.len() && heads.iter().all(|head| self.heads.contains(head))
    }

    /// Is this one of the heads that it is known to have?
    pub(super) fn has_head(&self, head: &Hash) -> bool {
        self.heads.contains(head)
    }

    /// The log has these heads now. `fresh` are the entries that are to be told one by one, as they are written here, in their
    /// order.
    pub(super) fn heads(&mut self, heads: Vec<Hash>, fresh: Vec<Hash>, now: Instant) -> Vec<Action> {
        let heads: BTreeSet<Hash> = heads.into_iter().collect();
        let mut actions = Vec::new();
        let new = heads.difference(&self.heads).filter(|head| !fresh.contains(head));
        for entry in fresh.iter().chain(new) {
            let tells = |remote: &Remote| remote.heads.as_ref().is_none_or(|heads| !heads.contains(entry));
            if !self.on_topic.contains(entry) && self.peers.values().any(tells) {
                self.on_topic.insert(*entry);
                actions.push(Action::Publish(*entry));
            }
        }
        self.heads = heads;
        for remote in self.peers.values_mut() {
            remote.tries = 0;
            if remote.agrees(&self.heads) {
                remote.due = now + QUIET;
            } else {
                remote.due = remote.due.min(now + MAKE_SURE);
            }
        }
        actions
    }

    /// What is to be done by now.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Action> {
        let mut actions = Vec::new();
        for (peer, remote) in &mut self.peers {
            if remote.is_free() && remote.due <= now {
                remote.exchanging = true;
                actions.push(Action::Exchange(*peer));
            }
        }
        actions
    }

    /// When there is something to be done next.
    pub(super) fn next(&self) -> Option<Instant> {
        self.peers.values().filter(|remote| remote.is_free()).map(|remote| remote.due).min()
    }

    /// The peers, and their heads as they told them last.
    pub(super) fn peers(&self) -> impl Iterator<Item = (&PeerId, Option<&BTreeSet<Hash>>)> {
        self.peers.iter().map(|(peer, remote)| (peer, remote.heads.as_ref()))
    }
}

impl Remote {
    fn is_free(&self) -> bool {
        !self.exchanging && self.answering == 0
    }

    /// The next exchange is not to wait; one that is under way may have begun too early.
    fn hurry(&mut self, now: Instant) {
        self.again = !self.is_free();
        self.due = self.due.min(now);
    }

    /// An exchange went well: if another was asked for meanwhile, it follows.
    fn go_on(&mut self, now: Instant) {
        if std::mem::take(&mut self.again) {
            self.due = now;
        }
    }

    fn agrees(&self, ours: &BTreeSet<Hash>) -> bool {
        self.heads.as_ref() == Some(ours)
    }

    fn told(&mut self, heads: Vec<Hash>, ours: &BTreeSet<Hash>, now: Instant) {
        self.heads = Some(heads.into_iter().collect());
        if self.agrees(ours) {
            self.tries = 0;
            self.due = now + QUIET;
        } else {
            // each has the other's heads now, and what is missing comes; how it went, the next one tells
            self.due = now + pause(self.tries);
            self.tries = self.tries.saturating_add(1);
        }
    }
}

fn pause(tries: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << tries.min(16)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(n: u8) -> Hash {
        Hash::of(&[n])
    }

    /// A replicator with one head, a peer that listens, and the moment at which their first exchange has begun.
    fn begun() -> (Replicator, PeerId, Instant) {
        let (mut replicator, peer, now) = (Replicator::new([hash(1)]), PeerId::random(), Instant::now());
        assert_eq!(replicator.next(), None);
        replicator.subscribed(peer, now);
        assert_eq!(replicator.due(now), [Action::Exchange(peer)]);
        assert_eq!(replicator.due(now), [], "one at a time");
        (replicator, peer, now)
    }

    #[test]
    fn a_peer_without_the_protocol_is_tried_again_soon_and_then_less_and_less() {
        let (mut replicator, peer, mut now) = begun();
        for pause in [100, 500, 2000, 8000, 16_000, 32_000, 64_000, 64_000] {
            replicator.exchanged(&peer, Exchanged::Unsupported, now);
            assert_eq!(replicator.next(), Some(now + Duration::from_millis(pause)));
            now += Duration::from_millis(pause);
            assert_eq!(replicator.due(now), [Action::Exchange(peer)]);
        }
    }

    #[test]
    fn heads_are_exchanged_until_both_sides_have_the_same() {
        let (mut replicator, peer, now) = begun();
        replicator.exchanged(&peer, Exchanged::Heads(vec![]), now);
        assert_eq!(replicator.next(), Some(now + FIRST_PAUSE));
        replicator.due(now + FIRST_PAUSE);
        replicator.exchanged(&peer, Exchanged::Heads(vec![hash(2)]), now);
        assert_eq!(replicator.next(), Some(now + 2 * FIRST_PAUSE));
        // what the peer had has joined here, and it has got what was here
        replicator.heads(vec![hash(1), hash(2)], vec![], now);
        replicator.due(now + 2 * FIRST_PAUSE);
        replicator.exchanged(&peer, Exchanged::Heads(vec![hash(2), hash(1)]), now);
        assert_eq!(replicator.next(), Some(now + QUIET), "and then only to make sure");
    }

    #[test]
    fn what_is_written_here_is_published_once_and_made_sure_of() {
        let (mut replicator, peer, now) = begun();
        replicator.exchanged(&peer, Exchanged::Heads(vec![hash(1)]), now);
        assert_eq!(replicator.heads(vec![hash(2)], vec![hash(2)], now), [Action::Publish(hash(2))]);
        assert!(replicator.has(&[hash(2)]) && !replicator.has(&[]));
        assert_eq!(replicator.next(), Some(now + MAKE_SURE));
        // writing goes on, and the exchange is not put off; what was written meanwhile is told in its order
        let later = now + Duration::from_secs(1);
        let published = [hash(3), hash(4)].map(Action::Publish);
        assert_eq!(replicator.heads(vec![hash(4)], vec![hash(3), hash(4)], later), published);
        assert_eq!(replicator.next(), Some(now + MAKE_SURE));
    }

    #[test]
    fn what_came_by_the_topic_or_is_known_to_everyone_is_not_published() {
        let (mut replicator, peer, now) = begun();
        replicator.heard(hash(2));
        assert_eq!(replicator.heads(vec![hash(2)], vec![], now), []);
        // learned by an exchange: the only peer has it
        replicator.exchanged(&peer, Exchanged::Heads(vec![hash(3)]), now);
        assert_eq!(replicator.heads(vec![hash(3)], vec![], now), []);
        // but a third one does not
        replicator.subscribed(PeerId::random(), now);
        replicator.told(&peer, Some(vec![hash(4)]), now);
        assert_eq!(replicator.heads(vec![hash(4)], vec![], now), [Action::Publish(hash(4))]);
    }

    #[test]
    fn nobody_listens_so_nothing_is_to_be_done() {
        let (mut replicator, peer, now) = begun();
        assert!(replicator.left(&peer) && !replicator.left(&peer));
        replicator.exchanged(&peer, Exchanged::Failed, now);
        assert_eq!(replicator.heads(vec![hash(9)], vec![hash(9)], now), []);
        assert_eq!(replicator.next(), None);
    }

    #[test]
    fn while_a_peer_is_answered_it_is_not_asked() {
        let (mut replicator, peer, now) = begun();
        replicator.exchanged(&peer, Exchanged::Busy, now);
        replicator.answers(&peer);
        let later = now + FIRST_PAUSE;
        assert_eq!((replicator.next(), replicator.due(later)), (None, vec![]));
        replicator.told(&peer, None, later);
        assert_eq!(replicator.due(later), [Action::Exchange(peer)], "it broke off");
    }

    #[test]
    fn a_peer_that_tells_of_more_than_is_here_is_asked_at_once_but_not_again_and_again() {
        let (mut replicator, peer, now) = begun();
        replicator.lacks(&peer, now);
        replicator.exchanged(&peer, Exchanged::Heads(vec![hash(1)]), now);
        assert_eq!(replicator.due(now), [Action::Exchange(peer)], "it was told during an exchange");
        replicator.exchanged(&peer, Exchanged::Heads(vec![hash(2)]), now);
        replicator.lacks(&peer, now);
        assert_eq!(replicator.next(), Some(now + FIRST_PAUSE), "that did not help");
        // somebody who waits for the peer is another matter
        replicator.hurry(|_| true, now);
        assert_eq!(replicator.next(), Some(now));
    }

    /// Replicas in a row, each with its neighbours; every entry is a head.
    struct Row {
        replicas: Vec<(Replicator, BTreeSet<Hash>)>,
        peers: Vec<PeerId>,
        now: Instant,
        /// The state of the dice.
        dice: u64,
    }

    impl Row {
        fn new(len: usize, seed: u64) -> Row {
            let (peers, now) = ((0..len).map(|_| PeerId::random()).collect::<Vec<_>>(), Instant::now());
            let mut replicas: Vec<_> = (0..len).map(|_| (Replicator::new([]), BTreeSet::new())).collect();
            for at in 1..len {
                replicas[at].0.subscribed(peers[at - 1], now);
                replicas[at - 1].0.subscribed(peers[at], now);
            }
            Row { replicas, peers, now, dice: seed }
        }

        fn is_lost(&mut self) -> bool {
            self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            self.dice >> 33 & 1 == 0
        }

        fn learn(&mut self, at: usize, entries: impl IntoIterator<Item = Hash>) {
            let (replicator, log) = &mut self.replicas[at];
            log.extend(entries);
            let heads: Vec<Hash> = log.iter().copied().collect();
            if !replicator.has(&heads) {
                let actions = replicator.heads(heads, vec![], self.now);
                self.carry_out(at, actions);
            }
        }

        /// Half of all messages and exchanges are lost.
        fn carry_out(&mut self, at: usize, actions: Vec<Action>) {
            for action in actions {
                match action {
                    Action::Publish(entry) => {
                        for other in at.saturating_sub(1)..=(at + 1).min(self.replicas.len() - 1) {
                            if other != at && !self.is_lost() {
                                self.replicas[other].0.heard(entry);
                                self.learn(other, [entry]);
                            }
                        }
                    }
                    Action::Exchange(peer) => {
                        let other = self.peers.iter().position(|known| *known == peer).unwrap();
                        if self.is_lost() {
                            self.replicas[at].0.exchanged(&peer, Exchanged::Failed, self.now);
                            continue;
                        }
                        let [ours, theirs] = [at, other].map(|at| self.replicas[at].1.clone());
                        let (here, now) = (self.peers[at], self.now);
                        self.replicas[other].0.told(&here, Some(ours.iter().copied().collect()), now);
                        self.replicas[at].0.exchanged(&peer, Exchanged::Heads(theirs.iter().copied().collect()), now);
                        self.learn(at, theirs);
                        self.learn(other, ours);
                    }
                }
            }
        }

        fn go_on(&mut self, until: Instant) {
            while let Some(next) = self.replicas.iter().filter_map(|(replicator, _)| replicator.next()).min()
                && next <= until
            {
                self.now = self.now.max(next);
                for at in 0..self.replicas.len() {
                    let actions = self.replicas[at].0.due(self.now);
                    self.carry_out(at, actions);
                }
            }
            self.now = until;
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_lost_all_agree_in_the_end(seed: u64, writes in proptest::collection::vec((0..4usize, 0..5000u64), 1..20)) {
            let mut row = Row::new(4, seed);
            for (n, (at, pause)) in writes.iter().enumerate() {
                row.learn(*at, [hash(n as u8)]);
                row.go_on(row.now + Duration::from_millis(*pause));
            }
            row.go_on(row.now + Duration::from_secs(3600));
            for (replicator, log) in &row.replicas {
                proptest::prop_assert_eq!(log.len(), writes.len());
                proptest::prop_assert!(replicator.peers.values().all(|remote| remote.agrees(log)));
            }
        }
    }
}
