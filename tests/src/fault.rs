use std::time::Duration;

/// What a [`FaultProxy`](crate::FaultProxy) does to what passes through it.
///
/// Bytes are counted from the moment at which the fault was set, on each connection for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Everything passes.
    Pass,
    /// Connections are refused, and those that were there are closed.
    Refuse,
    /// Connections are accepted, and nothing passes, in either direction. What waits passes when the fault ends.
    Stall,
    /// After so many bytes of requests both sides of the connection are closed.
    CutRequest(usize),
    /// After so many bytes of answers both sides of the connection are closed.
    CutAnswer(usize),
    /// After so many bytes of requests the client is answered, in the middle of its request, that no space is left; the daemon sees
    /// the request cut off.
    NoSpace(usize),
    /// Every piece of an answer comes so much later.
    Delay(Duration),
    /// What is published on a daemon's pubsub is lost: the client is told that it was published. Everything else passes.
    LosePublished,
}
