//! [`Writing`]: a write under way.

use crate::WriteError;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// A write under way: what `.await` on a create, an update or a batch waits for. Dropped before its answer, it is written or
/// not, but never in part.
#[must_use = "nothing is written without `.await`"]
pub struct Writing<T>(Pin<Box<dyn Future<Output = Result<T, WriteError>> + Send>>);

impl<T> Writing<T> {
    pub(crate) fn new(write: impl Future<Output = Result<T, WriteError>> + Send + 'static) -> Writing<T> {
        Writing(Box::pin(write))
    }
}

impl<T> Future for Writing<T> {
    type Output = Result<T, WriteError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context)
    }
}
