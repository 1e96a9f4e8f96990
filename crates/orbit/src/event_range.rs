//! [`EventRange`]: which events are read.

use crate::Hash;
use std::collections::VecDeque;

/// Which events of a log are read, in the terms of JavaScript's `iterator`. Bounds are the hashes of entries; events
/// come newest first.
///
/// | | |
/// |---|---|
/// | `gt`, `gte` | the older bound: reading ends before or with this entry. With both, `gt` counts |
/// | `lt`, `lte` | the newer bound: what this entry builds on is read, without or with itself. With both, `lt` counts |
/// | `amount` | how many: the newest, or those nearest to the older bound if that is the only one |
///
/// Two rules are odd, and JavaScript's: with bounds on both sides the amount means nothing (except 0), and with a newer
/// bound only its ancestors are read, so what others wrote at the same time is left out.
///
/// ```
/// use debros_orbit::{EventRange, Hash};
///
/// let seen = Hash::of(b"the last event that was seen");
/// let newest = EventRange::all().amount(10);
/// let unseen = EventRange::all().gt(seen);
/// let first_unseen = EventRange::all().gt(seen).amount(10);
/// # assert_ne!(newest, unseen);
/// # assert_ne!(unseen, first_unseen);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventRange {
    gt: Option<Hash>,
    gte: Option<Hash>,
    lt: Option<Hash>,
    lte: Option<Hash>,
    amount: Option<usize>,
}

/// A bound that cannot be found: without it there is no telling what is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the log has no entry {0}, which is a bound of the range of events")]
pub struct UnknownBound(pub Hash);

/// Where reading begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventStart {
    /// With the heads of the log.
    Heads,
    /// With this entry.
    With(Hash),
    /// With those that this entry follows.
    Behind(Hash),
}

impl EventRange {
    /// All events.
    pub fn all() -> EventRange {
        EventRange::default()
    }

    /// Only events that come before this entry in the reading: newer ones.
    #[must_use]
    pub fn gt(mut self, entry: Hash) -> EventRange {
        self.gt = Some(entry);
        self
    }

    /// This entry and newer ones.
    #[must_use]
    pub fn gte(mut self, entry: Hash) -> EventRange {
        self.gte = Some(entry);
        self
    }

    /// What this entry builds on.
    #[must_use]
    pub fn lt(mut self, entry: Hash) -> EventRange {
        self.lt = Some(entry);
        self
    }

    /// This entry and what it builds on.
    #[must_use]
    pub fn lte(mut self, entry: Hash) -> EventRange {
        self.lte = Some(entry);
        self
    }

    /// At most so many.
    #[must_use]
    pub fn amount(mut self, amount: usize) -> EventRange {
        self.amount = Some(amount);
        self
    }

    /// The entries that the log must have for the range to mean something.
    pub(crate) fn bounds(&self) -> impl Iterator<Item = Hash> + use<> {
        [self.lt.or(self.lte), self.gt.or(self.gte)].into_iter().flatten()
    }

    /// The older bound, and whether it is within the range.
    pub(crate) fn older(&self) -> Option<(Hash, bool)> {
        self.gt.map(|entry| (entry, false)).or(self.gte.map(|entry| (entry, true)))
    }

    /// How many events there are at most.
    pub(crate) fn most(&self) -> Option<usize> {
        self.amount
    }

    /// Where the walk over the log begins.
    pub(crate) fn start(&self) -> EventStart {
        match (self.lt, self.lte) {
            (Some(entry), _) => EventStart::Behind(entry),
            (None, Some(entry)) => EventStart::With(entry),
            (None, None) => EventStart::Heads,
        }
    }

    /// The events of a walk that are within the range. The walk begins at [`EventRange::start`] and goes newest first;
    /// entries without an event are read over, and do not count.
    pub(crate) fn select<W, T, E>(&self, walk: W) -> SelectedEvents<W, T>
    where
        W: Iterator<Item = Result<(Hash, Option<T>), E>>,
    {
        let older = self.gt.or(self.gte);
        let newer = self.lt.or(self.lte);
        let (left, nearest) = match (older, newer) {
            _ if self.amount == Some(0) => (self.amount, None),
            (None, _) => (self.amount, None),
            (Some(_), None) => (None, self.amount),
            (Some(_), Some(_)) => (None, None),
        };
        SelectedEvents { walk: Some(walk), older, with_older: self.gt.is_none(), left, nearest, kept: VecDeque::new() }
    }
}

/// The events of a walk that are within a range.
pub(crate) struct SelectedEvents<W, T> {
    /// `None` when it has ended.
    walk: Option<W>,
    older: Option<Hash>,
    with_older: bool,
    left: Option<usize>,
    /// How many are wanted of those that come last, until they are gathered.
    nearest: Option<usize>,
    kept: VecDeque<T>,
}

impl<W, T, E> SelectedEvents<W, T>
where
    W: Iterator<Item = Result<(Hash, Option<T>), E>>,
{
    /// The next event as far as the older bound.
    fn step(&mut self) -> Option<Result<T, E>> {
        loop {
            let (hash, event) = match self.walk.as_mut()?.next()? {
                Ok(entry) => entry,
                Err(error) => return Some(Err(error)),
            };
            if self.older == Some(hash) {
                self.walk = None;
                return event.filter(|_| self.with_older).map(Ok);
            }
            if let Some(event) = event {
                return Some(Ok(event));
            }
        }
    }
}

impl<W, T, E> Iterator for SelectedEvents<W, T>
where
    W: Iterator<Item = Result<(Hash, Option<T>), E>>,
{
    type Item = Result<T, E>;

    fn next(&mut self) -> Option<Result<T, E>> {
        if let Some(amount) = self.nearest {
            while let Some(event) = self.step() {
                match event {
                    Ok(event) => self.kept.push_back(event),
                    Err(error) => return Some(Err(error)),
                }
                if self.kept.len() > amount {
                    self.kept.pop_front();
                }
            }
            self.nearest = None;
            self.walk = None;
        }
        if let Some(event) = self.kept.pop_front() {
            return Some(Ok(event));
        }
        match &mut self.left {
            Some(0) => return None,
            Some(left) => *left -= 1,
            None => {}
        }
        self.step()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn hash(n: usize) -> Hash {
        Hash::of(&n.to_be_bytes())
    }

    /// Reads a log of the entries 9 to 0, of which those that are no multiple of 3 are events.
    fn read(range: EventRange) -> Vec<usize> {
        let first = match range.start() {
            EventStart::Heads => 10,
            EventStart::With(entry) => (0..10).find(|&n| hash(n) == entry).unwrap() + 1,
            EventStart::Behind(entry) => (0..10).find(|&n| hash(n) == entry).unwrap(),
        };
        let walk = (0..first).rev().map(|n| Ok::<_, Infallible>((hash(n), (n % 3 != 0).then_some(n))));
        range.select(walk).map(Result::unwrap).collect()
    }

    #[test]
    fn what_is_no_event_bounds_and_does_not_count() {
        assert_eq!(read(EventRange::all()), [8, 7, 5, 4, 2, 1]);
        assert_eq!(read(EventRange::all().amount(3)), [8, 7, 5]);
        assert_eq!(read(EventRange::all().gt(hash(3))), [8, 7, 5, 4]);
        assert_eq!(read(EventRange::all().gte(hash(3))), [8, 7, 5, 4]);
        assert_eq!(read(EventRange::all().gte(hash(4)).amount(3)), [7, 5, 4]);
        assert_eq!(read(EventRange::all().lt(hash(6)).amount(3)), [5, 4, 2]);
    }

    #[test]
    fn of_two_bounds_on_one_side_the_narrower_counts() {
        assert_eq!(read(EventRange::all().gte(hash(4)).gt(hash(4))), [8, 7, 5]);
        assert_eq!(read(EventRange::all().lte(hash(5)).lt(hash(5))), [4, 2, 1]);
        assert!(EventRange::all().gte(hash(1)).gt(hash(2)).lte(hash(3)).bounds().eq([hash(3), hash(2)]));
    }

    #[test]
    fn an_error_of_the_walk_is_passed_on() {
        let walk = || [Ok((hash(2), Some(2))), Err("broken"), Ok((hash(1), Some(1)))].into_iter();
        let nearest = EventRange::all().gt(hash(0)).amount(1);
        assert_eq!(EventRange::all().select(walk()).collect::<Result<Vec<_>, _>>(), Err("broken"));
        assert_eq!(nearest.select(walk()).collect::<Result<Vec<_>, _>>(), Err("broken"));
    }
}
