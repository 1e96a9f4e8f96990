//! [`Turns`]: keeps what was begun in order in order.

use std::sync::{Mutex, PoisonError};
use tokio::sync::oneshot;

/// Keeps what was begun one after the other in order, although a part of each is done beside the others.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    last: Mutex<Option<oneshot::Receiver<()>>>,
}

/// A place in the order. The next one's turn comes when this is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    before: Option<oneshot::Receiver<()>>,
    _done: oneshot::Sender<()>,
}

impl Turns {
    /// The place behind all that were taken.
    pub(crate) fn take(&self) -> Turn {
        let (done, next) = oneshot::channel();
        let before = self.last.lock().unwrap_or_else(PoisonError::into_inner).replace(next);
        Turn { before, _done: done }
    }
}

impl Turn {
    /// Waits until those before are done, or were given up.
    pub(crate) async fn wait(&mut self) {
        if let Some(before) = self.before.take() {
            // nothing is ever sent: the sender is dropped
            let _ = before.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        pin::pin,
        task::{Context, Poll, Waker},
    };

    #[test]
    fn turns_come_in_order_and_those_given_up_are_skipped() {
        let turns = Turns::default();
        let [mut first, given_up, mut third] = [turns.take(), turns.take(), turns.take()];
        let mut context = Context::from_waker(Waker::noop());
        {
            let mut third = pin!(third.wait());
            assert_eq!(third.as_mut().poll(&mut context), Poll::Pending);
            assert_eq!(pin!(first.wait()).poll(&mut context), Poll::Ready(()));
            drop(first);
            assert_eq!(third.as_mut().poll(&mut context), Poll::Pending);
            drop(given_up);
            assert_eq!(third.as_mut().poll(&mut context), Poll::Ready(()));
        }
    }
}
