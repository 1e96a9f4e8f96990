use super::{
    clocks::{Clocks, clocks},
    exchange::{Broken, Exchange, Outcome, Step},
    frames::{self, FrameError},
    message::Message,
    replica::Parts,
    standing::{has_joined, lacking},
    supply::Supply,
};
use crate::{Hash, ReadDocuments as _, Receipt, ReceiveError, Traffic};
use debros_ipfs::{PeerId, PeerStream};
use futures::{
    AsyncReadExt as _, AsyncWriteExt as _, StreamExt as _,
    io::{ReadHalf, WriteHalf},
    stream::FuturesOrdered,
};
use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};
use tokio::{sync::mpsc, task::spawn_blocking};

/// So much waits to be sent.
const SENDING: usize = 4;

/// How a conversation went.
#[derive(Debug)]
pub(super) enum Ended {
    /// Both sides are done.
    Well { outcome: Outcome, begun: Instant, traffic: Traffic },
    /// There is another one, which counts.
    Busy,
    /// The stream broke, or the store failed, which whoever writes is told. What had come was taken.
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
    let (read, mut write) = stream.split();
    let (outgoing, mut to_send) = mpsc::channel(SENDING);
    let traffic = Mutex::new(Traffic::default());
    let send = async {
        while let Some(next) = to_send.recv().await {
            match next {
                Outgoing::Message(message) => say(&mut write, &message, &traffic).await?,
                Outgoing::Supply { lacks, theirs, clocks } => {
                    let mut supply = Supplying::of(parts, lacks, theirs, clocks).await?;
                    while let Some(message) = supply.next().await? {
                        say(&mut write, &message, &traffic).await?;
                    }
                    say(&mut write, &Message::End, &traffic).await?;
                }
            }
        }
        write.close().await
    };
    let hear = async {
        let from = peer.to_string();
        let take = |identities, entries| parts.node.receive(parts.info.id, &from, identities, entries);
        let mut taking = FuturesOrdered::new();
        let ended = hear(parts, peer, read, outgoing, take, &mut taking, &traffic).await;
        // what has come is not lost, however it ends
        while let Some(receipt) = taking.next().await {
            parts.taken(peer, receipt);
        }
        ended
    };
    // what is sent ends when nothing more is heard; if the last word does not get there, the peer tries again
    match futures::future::join(send, hear).await.1 {
        Some(Ended::Well { outcome, begun, .. }) => {
            let traffic = *traffic.lock().unwrap_or_else(PoisonError::into_inner);
            Ended::Well { outcome, begun, traffic }
        }
        ended => ended.unwrap_or(Ended::Badly),
    }
}

async fn say(write: &mut WriteHalf<PeerStream>, message: &Message, traffic: &Mutex<Traffic>) -> io::Result<()> {
    let bytes = frames::write(write, message).await?;
    let mut traffic = traffic.lock().unwrap_or_else(PoisonError::into_inner);
    traffic.messages_sent += 1;
    traffic.bytes_sent += bytes as u64;
    if let Message::Entries { entries, .. } = message {
        traffic.entries_sent += entries.len() as u64;
    }
    Ok(())
}

/// Goes on until both sides are done; `None`, if the stream breaks or the store fails.
async fn hear<F: Future<Output = Result<Receipt, ReceiveError>>>(
    parts: &Arc<Parts>,
    peer: PeerId,
    read: ReadHalf<PeerStream>,
    outgoing: mpsc::Sender<Outgoing>,
    take: impl Fn(Vec<Vec<u8>>, Vec<Vec<u8>>) -> F,
    taking: &mut FuturesOrdered<F>,
    traffic: &Mutex<Traffic>,
) -> Option<Ended> {
    let begun = Instant::now();
    let (mut exchange, first) = Exchange::begin(parts.snapshot()?.heads(parts.info.id).ok()?);
    outgoing.send(Outgoing::Message(first)).await.ok()?;
    let mut next = Box::pin(frames::read(read));
    loop {
        if let Some(theirs) = exchange.is_complete() {
            let snapshot = parts.snapshot()?;
            let joined = has_joined(&snapshot, &parts.info, theirs).ok()?;
            let done = exchange.settled(snapshot.heads(parts.info.id).ok()?, joined);
            outgoing.send(Outgoing::Message(done)).await.ok()?;
        }
        if let Some(outcome) = exchange.outcome() {
            return Some(Ended::Well { outcome: outcome.clone(), begun, traffic: Traffic::default() });
        }
        tokio::select! {
            Some(receipt) = taking.next() => {
                exchange.taken();
                parts.taken(peer, receipt);
            }
            message = &mut next, if exchange.listens() => {
                let (read, message, bytes) = match message {
                    Ok(read) => read,
                    Err(FrameError::Stream(_)) => return None,
                    Err(FrameError::TooLong(_) | FrameError::Message(_)) => return Some(Ended::Broken),
                };
                next = Box::pin(frames::read(read));
                {
                    let mut traffic = traffic.lock().unwrap_or_else(PoisonError::into_inner);
                    traffic.messages_received += 1;
                    traffic.bytes_received += bytes as u64;
                }
                if message == Message::Busy {
                    return Some(Ended::Busy);
                }
                let snapshot = parts.snapshot()?;
                let lacking = |heads: &[Hash]| lacking(&snapshot, &parts.info, heads);
                let step = match exchange.heard(message, lacking, || clocks(&snapshot, &parts.info)).ok()? {
                    Ok(step) => step,
                    Err(Broken) => return Some(Ended::Broken),
                };
                match step {
                    Step::Say(message) => outgoing.send(Outgoing::Message(message)).await.ok()?,
                    Step::Supply { lacks, theirs, clocks } => {
                        outgoing.send(Outgoing::Supply { lacks, theirs, clocks }).await.ok()?;
                    }
                    Step::Take { identities, entries } => {
                        traffic.lock().unwrap_or_else(PoisonError::into_inner).entries_received += entries.len() as u64;
                        taking.push_back(take(identities, entries));
                    }
                    Step::Wait => {}
                }
            }
        }
    }
}

/// What a peer lacks, older entries first, in messages.
struct Supplying(Option<Supply>);

impl Supplying {
    async fn of(parts: &Parts, lacks: Vec<Hash>, theirs: Vec<Hash>, clocks: Clocks) -> io::Result<Supplying> {
        let (snapshot, info) = (parts.node.snapshot().map_err(io::Error::other)?, parts.info.clone());
        let supply = spawn_blocking(move || Supply::of(snapshot, &info, &lacks, &theirs, &clocks));
        Ok(Supplying(Some(supply.await?.map_err(io::Error::other)?)))
    }

    /// The next message, read beside what else is done.
    async fn next(&mut self) -> io::Result<Option<Message>> {
        let Some(mut rest) = self.0.take() else { return Ok(None) };
        let read = spawn_blocking(move || (rest.next(), rest));
        let (message, rest) = read.await?;
        self.0 = Some(rest);
        message.map_err(io::Error::other)
    }
}
