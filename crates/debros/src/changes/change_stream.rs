use super::{
    ChangesError, RowChange,
    reader::{Decode, Reader, Span, Subject},
};
use crate::{Db, blocking};
use debros_core::UserId;
use debros_orbit::{FeedPosition, ReadError};
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
/// database is closed, after an error, and with `until_now` when it has told all that was there when it
/// began.
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

/// The reader, and what it read; `None`: there is nothing more to be told.
type Read<R> = (Box<Reader<R>>, Result<Option<Vec<RowChange<R>>>, ChangesError>);

impl<R: Send + 'static> ChangeStream<R> {
    pub(super) fn new(
        db: &Db,
        user: Option<UserId>,
        subject: Subject,
        span: Span,
        decode: Decode<R>,
    ) -> ChangeStream<R> {
        let (at, state) = match Reader::new(db, user, subject, span, decode) {
            Ok(reader) => (Some(reader.at), State::Idle(Box::new(reader))),
            Err(error) if error.is_closed() => (None, State::Ended),
            Err(error) => (None, State::Failed(error)),
        };
        ChangeStream { ready: VecDeque::new(), told: at, read: at, state }
    }

    /// The next change, for which it waits; `None` when there will be none. Dropping the future misses nothing.
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
                    Ok(None) => stream.state = State::Ended,
                    Ok(Some(changes)) => {
                        stream.read = Some(reader.at);
                        stream.ready.extend(changes);
                        stream.state = State::Idle(reader);
                        if stream.ready.is_empty() {
                            stream.told = stream.read;
                            // however much is written that is not told, others get their turn
                            context.waker().wake_by_ref();
                            return Poll::Pending;
                        }
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
    match left(&mut reader).await {
        Ok(None) => (reader, Ok(None)),
        Ok(Some(left)) if left <= HERE => {
            let changes = reader.read().map(Some);
            (reader, changes)
        }
        Ok(Some(_)) => {
            let read = move || {
                let changes = reader.read().map(Some);
                (reader, changes)
            };
            blocking::run(read).await
        }
        Err(error) => (reader, Err(error.into())),
    }
}

/// Waits until there is something to read, of about so many bytes. `None`: there is not, and it is not to wait.
async fn left<R>(reader: &mut Reader<R>) -> Result<Option<u64>, ReadError> {
    if !reader.has_failed() {
        if reader.ends && reader.feed.is_at_end()? {
            return Ok(None);
        }
        reader.feed.changed().await?;
    }
    reader.feed.bytes_left().map(Some)
}

// nothing in it is pinned but what is in a box
impl<R> Unpin for ChangeStream<R> {}

impl<R> fmt::Debug for ChangeStream<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChangeStream").field("position", &self.told).finish_non_exhaustive()
    }
}
