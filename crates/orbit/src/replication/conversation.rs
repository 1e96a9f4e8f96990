use super::{
    clocks::Clocks,
    exchange::{Broken, Exchange, Outcome, Step},
    frames::{self, Frame, FrameError},
    message::Message,
    pace::{Pace, STILL_LOOKING},
    replica::Parts,
    slots::Slot,
    standing::{has_joined, is_full, is_new, is_refused, lacking},
    supply::Supply,
};
use crate::{Hash, ReadDocuments as _, Receipt, ReceiveError, Snapshot, Traffic};
use debros_ipfs::{PeerId, PeerStream};
use futures::{
    AsyncReadExt as _, AsyncWriteExt as _, FutureExt as _, StreamExt as _,
    future::BoxFuture,
    io::{ReadHalf, WriteHalf},
    stream::FuturesOrdered,
};
use std::{
    io,
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    task::spawn_blocking,
    time::{sleep, sleep_until},
};

/// So much waits to be sent.
const SENDING: usize = 4;

/// How a conversation went.
#[derive(Debug)]
pub(super) enum Ended {
    /// Both sides are done.
    Well { outcome: Outcome, begun: Instant, traffic: Traffic },
    /// There is another one, which counts.
    Busy,
    /// The stream broke, or moved no more; or the store failed, which whoever writes is told. What had come was taken.
    Badly,
    /// The peer did not keep to the protocol.
    Broken,
}

/// What is to be sent.
enum Outgoing {
    Message(Message),
    /// What a peer lacks, and the end.
    Supply {
        lacks: Vec<Hash>,
        theirs: Vec<Hash>,
        clocks: Clocks,
    },
}

/// Carries out an [`Exchange`] over a stream.
pub(super) async fn converse(parts: &Arc<Parts>, peer: PeerId, stream: PeerStream) -> Ended {
    let conversation =
        Conversation { parts, peer, pace: Pace::new(Instant::now()), traffic: Mutex::default(), over: Arc::default() };
    conversation.go_on(stream).await
}

/// What is being taken, and the place that a large message takes until then.
type Taking<'c> = BoxFuture<'c, (Result<Receipt, ReceiveError>, Option<OwnedSemaphorePermit>)>;

struct Conversation<'p> {
    parts: &'p Arc<Parts>,
    peer: PeerId,
    pace: Pace,
    traffic: Mutex<Traffic>,
    /// Nobody needs what is being found out any more.
    over: Arc<AtomicBool>,
}

impl Conversation<'_> {
    async fn go_on(&self, stream: PeerStream) -> Ended {
        let (read, write) = stream.split();
        let (outgoing, to_send) = mpsc::channel(SENDING);
        let mut taking = FuturesOrdered::new();
        let ended = {
            let mut send = pin!(self.send(write, to_send).fuse());
            let mut hear = pin!(self.hear(read, outgoing, &mut taking).fuse());
            let mut watch = pin!(self.watch().fuse());
            futures::select_biased! {
                ended = hear => {
                    if let Some(Ended::Well { .. }) = ended {
                        // the last word is to get there; if it does not, the peer tries again
                        futures::select_biased! { _ = send => {}, () = watch => {} }
                    }
                    ended
                }
                _ = send => None,
                () = watch => None,
            }
        };
        // what has come is not lost, however it ends
        while let Some((receipt, _permit)) = taking.next().await {
            self.parts.taken(self.peer, &receipt);
        }
        ended.unwrap_or(Ended::Badly)
    }

    /// Ends when nothing moves any more.
    async fn watch(&self) {
        loop {
            let now = Instant::now();
            let ends = self.pace.ends(now);
            if ends <= now {
                return;
            }
            sleep_until(ends.into()).await;
        }
    }

    async fn send(&self, mut write: WriteHalf<PeerStream>, mut to_send: mpsc::Receiver<Outgoing>) -> io::Result<()> {
        while let Some(next) = to_send.recv().await {
            match next {
                Outgoing::Message(message) => self.say(&mut write, &message).await?,
                Outgoing::Supply { lacks, theirs, clocks } => {
                    let mut finding = pin!(self.find(lacks, theirs, clocks));
                    let found = loop {
                        tokio::select! {
                            found = &mut finding => break found,
                            () = sleep(STILL_LOOKING) => self.say(&mut write, &Message::Looking).await?,
                        }
                    };
                    let Some((mut supply, _slot)) = found else { return Err(io::Error::other("the store failed")) };
                    while let Some(message) = self.next(&mut supply).await? {
                        self.say(&mut write, &message).await?;
                    }
                    self.say(&mut write, &Message::End).await?;
                }
            }
        }
        write.close().await
    }

    async fn say(&self, write: &mut WriteHalf<PeerStream>, message: &Message) -> io::Result<()> {
        let bytes = frames::write(write, message, &self.pace).await?;
        let mut traffic = self.traffic();
        traffic.messages_sent += 1;
        traffic.bytes_sent += bytes as u64;
        if let Message::Entries { entries, .. } = message {
            traffic.entries_sent += entries.len() as u64;
        }
        Ok(())
    }

    /// Finds out what the peer lacks, when it is its turn.
    async fn find(&self, lacks: Vec<Hash>, theirs: Vec<Hash>, clocks: Clocks) -> Option<(Supply, Slot)> {
        let slot = self.parts.supplied.take(self.peer).await?;
        let _working = self.pace.works(Instant::now());
        let (snapshot, info, over) = (self.parts.snapshot()?, self.parts.info.clone(), self.over.clone());
        let found = spawn_blocking(move || Supply::of(&snapshot, &info, &lacks, &theirs, &clocks, &over));
        Some((found.await.ok()?.ok()?, slot))
    }

    /// The next message of a supply, read beside what else is done.
    async fn next(&self, supply: &mut Supply) -> io::Result<Option<Message>> {
        let _working = self.pace.works(Instant::now());
        let (snapshot, mut rest) = (self.parts.node.snapshot().map_err(io::Error::other)?, std::mem::take(supply));
        let read = spawn_blocking(move || (rest.next(&snapshot), rest));
        let (message, rest) = read.await?;
        *supply = rest;
        message.map_err(io::Error::other)
    }

    /// Goes on until both sides are done; `None`, if the stream breaks, the store fails, or there is no room for more.
    async fn hear<'c>(
        &'c self,
        read: ReadHalf<PeerStream>,
        outgoing: mpsc::Sender<Outgoing>,
        taking: &mut FuturesOrdered<Taking<'c>>,
    ) -> Option<Ended> {
        let Conversation { parts, peer, .. } = self;
        let begun = Instant::now();
        let durable = parts.durable_snapshot().await?;
        let (mut exchange, first) = Exchange::begin(durable.heads(parts.info.id).ok()?);
        drop(durable);
        outgoing.send(Outgoing::Message(first)).await.ok()?;
        let from: Arc<str> = peer.to_string().into();
        let mut next = Box::pin(frames::read(read, &self.pace, parts.large.clone()));
        loop {
            if let Some(theirs) = exchange.is_complete() {
                let snapshot = parts.durable_snapshot().await?;
                let joined = has_joined(&snapshot, &parts.info, theirs).ok()?;
                let done = exchange.settled(snapshot.heads(parts.info.id).ok()?, joined);
                outgoing.send(Outgoing::Message(done)).await.ok()?;
            }
            if let Some(outcome) = exchange.outcome() {
                return Some(Ended::Well { outcome: outcome.clone(), begun, traffic: *self.traffic() });
            }
            tokio::select! {
                Some((receipt, _permit)) = taking.next() => {
                    exchange.taken();
                    parts.taken(*peer, &receipt);
                    // the rest builds on it, and would come in vain
                    if receipt.ok().is_none_or(|receipt| is_full(&receipt)) {
                        return None;
                    }
                }
                frame = &mut next, if exchange.listens() => {
                    let (read, Frame { message, bytes, permit }) = match frame {
                        Ok(frame) => frame,
                        Err(FrameError::Stream(_)) => return None,
                        Err(FrameError::TooLong(_) | FrameError::Message(_)) => return Some(Ended::Broken),
                    };
                    next = Box::pin(frames::read(read, &self.pace, parts.large.clone()));
                    self.heard(&message, bytes);
                    if message == Message::Busy {
                        return Some(Ended::Busy);
                    }
                    let snapshot = parts.snapshot()?;
                    let lacking = |heads: &[Hash]| lacking(&snapshot, &parts.info, heads);
                    let step = match exchange.heard(message, lacking, || Clocks::of(&snapshot, &parts.info)).ok()? {
                        Ok(step) => step,
                        Err(Broken) => return Some(Ended::Broken),
                    };
                    match step {
                        Step::Say(message) => outgoing.send(Outgoing::Message(message)).await.ok()?,
                        Step::Supply { lacks, theirs, clocks } => {
                            outgoing.send(Outgoing::Supply { lacks, theirs, clocks }).await.ok()?;
                        }
                        Step::Take { identities, entries } => {
                            taking.push_back(self.take(from.clone(), snapshot, identities, entries, permit));
                        }
                        Step::Wait => {}
                    }
                }
            }
        }
    }

    /// Takes entries that came; what is here is not looked at again.
    fn take(
        &self,
        from: Arc<str>,
        snapshot: Snapshot,
        identities: Vec<Vec<u8>>,
        mut entries: Vec<Vec<u8>>,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Taking<'_> {
        Box::pin(async move {
            let _working = self.pace.works(Instant::now());
            let (node, info) = (&self.parts.node, &self.parts.info);
            let mut refused = 0;
            entries.retain(|entry| {
                let hash = Hash::of(entry);
                let is_new = is_new(&snapshot, info, &hash).unwrap_or(true);
                refused += u32::from(!is_new && is_refused(&snapshot, info, &hash).unwrap_or(false));
                is_new
            });
            drop(snapshot);
            // nobody of our kind offers what it has refused itself
            self.parts.forged(self.peer, refused);
            if entries.is_empty() && identities.is_empty() {
                return (Ok(Receipt::default()), permit);
            }
            (node.receive(info.id, &from, identities, entries).await, permit)
        })
    }

    fn heard(&self, message: &Message, bytes: usize) {
        let mut traffic = self.traffic();
        traffic.messages_received += 1;
        traffic.bytes_received += bytes as u64;
        match message {
            Message::Entries { entries, .. } => traffic.entries_received += entries.len() as u64,
            Message::Looking => self.pace.looking(),
            _ => {}
        }
    }

    fn traffic(&self) -> std::sync::MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Conversation<'_> {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}
