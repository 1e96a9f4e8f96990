//! [`Answer`]: what the end of a query returns.

use crate::QueryError;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// What the end of a query returns: a future that is `Send + 'static`, since it holds a clone of the handle. Its error
/// is [`QueryError`], or, of what writes, the handle's.
#[must_use = "nothing happens without `.await`"]
pub struct Answer<T, E = QueryError>(Pin<Box<dyn Future<Output = Result<T, E>> + Send>>);

impl<T, E> Answer<T, E> {
    /// The answer that this future comes to.
    pub fn new(future: impl Future<Output = Result<T, E>> + Send + 'static) -> Answer<T, E> {
        Answer(Box::pin(future))
    }

    /// An answer that is there.
    pub fn ready(result: Result<T, E>) -> Answer<T, E>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        Answer::new(std::future::ready(result))
    }

    /// What `next` makes of the answer.
    pub fn then<U>(self, next: impl FnOnce(T) -> Result<U, E> + Send + 'static) -> Answer<U, E>
    where
        T: 'static,
        E: 'static,
    {
        Answer::new(async move { next(self.await?) })
    }
}

impl<T, E> Future for Answer<T, E> {
    type Output = Result<T, E>;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T, E>> {
        self.0.as_mut().poll(context)
    }
}

impl<T, E> fmt::Debug for Answer<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer")
    }
}
