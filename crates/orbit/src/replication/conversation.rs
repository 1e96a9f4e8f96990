use super::{
    clocks::{Clocks, clocks},
    difference::{Difference, Lacked},
    exchange::{Broken, Exchange, Outcome, Step},
    frames::{self, FrameError},
    message::{MAX_ENTRIES, Message, TOGETHER},
    replica::Parts,
};
use crate::{
    Hash, Hold, ReadDocuments as _, Receipt, ReceiveError, Snapshot, Traffic, heads,
    state::{StateError, held},
};
use debros_ipfs::{PeerId, PeerStream, ReadState as _};
use futures::{
    AsyncReadExt as _, AsyncWriteExt as _, StreamExt as _,
    io::{ReadHalf, WriteHalf},
    stream::FuturesOrdered,
};
use std::{
    collections::{HashSet, VecDeque},
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};
use tokio::{sync::mpsc, task::spawn_blocking};

/// So many messages with entries are being taken at a time: while one is stored, the next is checked, and one more read.
const TAKING: usize = 3;
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
                    let mut supply = Supply::of(parts, lacks, theirs, clocks).await?;
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
    let (mut theirs, mut settles) = (Vec::new(), false);
    loop {
        if settles && taking.is_empty() {
            settles = false;
            let snapshot = parts.snapshot()?;
            let joined = has_joined(parts, &snapshot, &theirs).ok()?;
            let done = exchange.settled(snapshot.heads(parts.info.id).ok()?, joined);
            outgoing.send(Outgoing::Message(done)).await.ok()?;
        }
        if let Some(outcome) = exchange.outcome() {
            return Some(Ended::Well { outcome: outcome.clone(), begun, traffic: Traffic::default() });
        }
        tokio::select! {
            Some(receipt) = taking.next() => parts.taken(peer, receipt),
            message = &mut next, if taking.len() < TAKING => {
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
                match &message {
                    Message::Busy => return Some(Ended::Busy),
                    Message::Heads(heads) => theirs.clone_from(heads),
                    _ => {}
                }
                let snapshot = parts.snapshot()?;
                let lacking = |heads: &[Hash]| lacking(parts, &snapshot, heads);
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
                    Step::Settle => settles = true,
                    Step::Wait => {}
                }
            }
        }
    }
}

/// Those of these heads of a peer that have to be fetched: others are in the log, or known and refused.
fn lacking(parts: &Parts, snapshot: &Snapshot, theirs: &[Hash]) -> Result<Vec<Hash>, StateError> {
    let mut lacking = Vec::new();
    for head in theirs {
        let is_here = match held(&snapshot.state, parts.info.id, head)? {
            Some(row) => row.held.is_some_and(|held| !matches!(held.hold, Hold::Missing | Hold::Identity(_))),
            None => heads::joined(&snapshot.core, &snapshot.state, &parts.info, head)?.is_some(),
        };
        if !is_here {
            lacking.push(*head);
        }
    }
    Ok(lacking)
}

/// Are these heads of a peer in the log?
fn has_joined(parts: &Parts, snapshot: &Snapshot, theirs: &[Hash]) -> Result<bool, StateError> {
    for head in theirs {
        if held(&snapshot.state, parts.info.id, head)?.is_some()
            || heads::joined(&snapshot.core, &snapshot.state, &parts.info, head)?.is_none()
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What a peer lacks, older entries first, in messages.
struct Supply(Option<ToSend>);

struct ToSend {
    snapshot: Snapshot,
    lacked: VecDeque<Lacked>,
    /// The identities that were sent.
    sent: HashSet<Hash>,
}

impl Supply {
    async fn of(parts: &Parts, lacks: Vec<Hash>, theirs: Vec<Hash>, clocks: Clocks) -> io::Result<Supply> {
        let (snapshot, info) = (parts.node.snapshot().map_err(io::Error::other)?, parts.info.clone());
        let found = spawn_blocking(move || {
            let lacked = Difference::of(&snapshot, &info, &lacks, &theirs, &clocks)?;
            Ok::<_, StateError>(ToSend { snapshot, lacked, sent: HashSet::new() })
        });
        Ok(Supply(Some(found.await?.map_err(io::Error::other)?)))
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

impl ToSend {
    fn next(&mut self) -> Result<Option<Message>, StateError> {
        let state = &self.snapshot.state;
        let (mut identities, mut entries, mut bytes) = (Vec::new(), Vec::new(), 0);
        while let Some(lacked) = self.lacked.front()
            && entries.len() < MAX_ENTRIES
        {
            let entry = state.block_at(lacked.position)?;
            let identity = match lacked.identity.filter(|identity| !self.sent.contains(identity)) {
                Some(identity) => state.block(&identity.cid())?.map(|(_, block)| (identity, block)),
                None => None,
            };
            let more = entry.len() + identity.as_ref().map_or(0, |(_, block)| block.len());
            if bytes > 0 && bytes + more > TOGETHER {
                break;
            }
            bytes += more;
            entries.push(entry.to_vec());
            if let Some((hash, block)) = identity {
                self.sent.insert(hash);
                identities.push(block.to_vec());
            }
            self.lacked.pop_front();
        }
        Ok((!entries.is_empty()).then_some(Message::Entries { identities, entries }))
    }
}
