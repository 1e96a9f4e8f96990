use super::{
    ChangesError, RowChange,
    reader::{Begin, Decode, Reader, Subject},
};
use crate::{Db, blocking};
use debros_core::UserId;
use debros_orbit::FeedPosition;
use futures::Stream;
use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// So many bytes of segments are read where they are asked for: they were just written. More is read where that may block.
const HERE: u64 = 64 << 10;

/// What happens to records, one after the other: a [`Stream`], whose [`ChangeStream::next`] needs no extension trait. It ends when the
/// database is closed, and after an error.
#[must_use = "nothing is read before it is asked for"]
pub struct ChangeStream<R> {
    /// Read, and not told yet.
    ready: VecDeque<RowChange<R>>,
    /// Everything before this was told.
    told: Option<FeedPosition>,
    /// Everything before this was read.
    read: Option<FeedPosition>,
    state: State<R>,
}

enum State<R> {
    /// It could not begin.
    Failed(ChangesError),
    Idle(Box<Reader<R>>),
    Reading(Pin<Box<dyn Future<Output = Read<R>> + Send>>),
    Ended,
}

type Read<R> = (Box<Reader<R>>, Result<Vec<RowChange<R>>, ChangesError>);

impl<R: Send + 'static> ChangeStream<R> {
    pub(super) fn new(
        db: &Db,
        user: Option<UserId>,
        subject: Subject,
        begin: Begin,
        decode: Decode<R>,
    ) -> ChangeStream<R> {
        let (at, state) = match Reader::new(db, user, subject, begin, decode) {
            Ok(reader) => (Some(reader.feed.position()), State::Idle(Box::new(reader))),
            Err(error) if error.is_closed() => (None, State::Ended),
            Err(error) => (None, State::Failed(error)),
        };
        ChangeStream { ready: VecDeque::new(), told: at, read: at, state }
    }

    /// The next change, for which it waits; `None` when the database was closed. Dropping the future misses nothing.
    pub async fn next(&mut self) -> Option<Result<RowChange<R>, ChangesError>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// How far it is: another stream that begins here goes on behind the change that was told last, and behind whatever else was looked at
    /// and not told. `None` if it could not begin.
    pub fn position(&self) -> Option<FeedPosition> {
        self.told
    }
}

impl<R: Send + 'static> Stream for ChangeStream<R> {
    type Item = Result<RowChange<R>, ChangesError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let stream = &mut *self;
        loop {
            if let Some(change) = stream.ready.pop_front() {
                stream.told = if stream.ready.is_empty() { stream.read } else { Some(change.position) };
                return Poll::Ready(Some(Ok(change)));
            }
            if let State::Reading(reading) = &mut stream.state {
                let (reader, changes) = ready!(reading.as_mut().poll(context));
                match changes {
                    Ok(changes) => {
                        stream.read = Some(reader.feed.position());
                        if changes.is_empty() {
                            stream.told = stream.read;
                        }
                        stream.ready.extend(changes);
                        stream.state = State::Idle(reader);
                    }
                    Err(error) if error.is_closed() => stream.state = State::Ended,
                    Err(error) => stream.state = State::Failed(error),
                }
                continue;
            }
            match std::mem::replace(&mut stream.state, State::Ended) {
                State::Idle(reader) => stream.state = State::Reading(Box::pin(read(reader))),
                State::Failed(error) => return Poll::Ready(Some(Err(error))),
                State::Reading(_) | State::Ended => return Poll::Ready(None),
            }
        }
    }
}

/// Waits until there is something to read, and reads it.
async fn read<R: Send + 'static>(mut reader: Box<Reader<R>>) -> Read<R> {
    let left = match reader.feed.changed().await {
        Ok(()) => reader.feed.bytes_left(),
        Err(error) => Err(error),
    };
    match left {
        Ok(left) if left <= HERE => {
            let changes = reader.read();
            (reader, changes)
        }
        Ok(_) => {
            let read = move || {
                let changes = reader.read();
                (reader, changes)
            };
            blocking::run(read).await
        }
        Err(error) => (reader, Err(error.into())),
    }
}

// nothing in it is pinned but what is in a box
impl<R> Unpin for ChangeStream<R> {}

impl<R> fmt::Debug for ChangeStream<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChangeStream").field("position", &self.told).finish_non_exhaustive()
    }
}
