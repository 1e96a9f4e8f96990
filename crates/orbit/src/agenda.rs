//! [`Agenda`]: what is due when.

use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
    time::Instant,
};
use tokio::time::sleep_until;

/// What is due when, so that whoever has many things to do looks at those that are due, and at no others.
#[derive(Debug)]
pub(crate) struct Agenda<K> {
    times: HashMap<K, Instant>,
    order: BTreeSet<(Instant, K)>,
}

impl<K: Copy + Ord + Hash> Agenda<K> {
    pub(crate) fn new() -> Agenda<K> {
        Agenda { times: HashMap::new(), order: BTreeSet::new() }
    }

    /// It is due then, or not at all, whatever was said before.
    pub(crate) fn set(&mut self, what: K, due: Option<Instant>) {
        let before = match due {
            Some(due) => self.times.insert(what, due),
            None => self.times.remove(&what),
        };
        if before == due {
            return;
        }
        if let Some(before) = before {
            self.order.remove(&(before, what));
        }
        if let Some(due) = due {
            self.order.insert((due, what));
        }
    }

    /// The first that is due by now, which is on the agenda no more.
    pub(crate) fn take(&mut self, now: Instant) -> Option<K> {
        let (_, what) = self.order.first().copied().filter(|(due, _)| *due <= now)?;
        self.set(what, None);
        Some(what)
    }

    /// When something is due next.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.order.first().map(|(due, _)| *due)
    }
}

/// Waits until something is due; for ever, if nothing is.
pub(crate) async fn wait_until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_is_due_is_given_in_its_order_and_once() {
        let (mut agenda, begin) = (Agenda::new(), Instant::now());
        let at = |n| begin + Duration::from_secs(n);
        assert_eq!(agenda.next(), None);
        for (what, due) in [(1, 5), (2, 3), (3, 9), (4, 3)] {
            agenda.set(what, Some(at(due)));
        }
        // another time, the same, and never
        agenda.set(1, Some(at(2)));
        agenda.set(2, Some(at(3)));
        agenda.set(4, None);
        agenda.set(5, None);
        assert_eq!((agenda.next(), agenda.take(at(1))), (Some(at(2)), None));
        let due: Vec<i32> = std::iter::from_fn(|| agenda.take(at(8))).collect();
        assert_eq!((due, agenda.next()), (vec![1, 2], Some(at(9))));
        agenda.set(3, None);
        assert_eq!((agenda.next(), agenda.take(at(20))), (None, None));
    }
}
