use super::{
    clocks::{Clocks, clocks},
    difference::{Difference, Lacked},
    exchange::{Exchange, Outcome, Step},
    frames,
    message::{MAX_ENTRIES, Message, TOGETHER},
    replica::Parts,
};
use crate::{
    Hash, Hold, ReadDocuments as _, Receipt, ReceiveError, Snapshot, heads,
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
    sync::Arc,
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
    Well(Outcome),
    /// There is another one, which counts.
    Busy,
    /// The stream broke, or the peer did not keep to the protocol. What had come before that was taken.
    Badly,
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
    let send = async {
        while let Some(next) = to_send.recv().await {
            match next {
                Outgoing::Message(message) => frames::write(&mut write, &message).await?,
                Outgoing::Supply { lacks, theirs, clocks } => {
                    supply(parts, &mut write, lacks, theirs, clocks).await?;
                    frames::write(&mut write, &Message::End).await?;
                }
            }
        }
        write.close().await
    };
    let hear = async {
        let from = peer.to_string();
        let take = |identities, entries| parts.node.receive(parts.info.id, &from, identities, entries);
        let mut taking = FuturesOrdered::new();
        let ended = hear(parts, peer, read, outgoing, take, &mut taking).await;
        // what has come is not lost, however it ends
        while let Some(receipt) = taking.next().await {
            parts.taken(peer, receipt);
        }
        ended.unwrap_or(Ended::Badly)
    };
    // what is sent ends when nothing more is heard; if the last word does not get there, the peer tries again
    let (_, ended) = futures::future::join(send, hear).await;
    ended
}

/// Goes on until both sides are done; `None`, if the stream breaks, the peer breaks the rules, or the store fails, which whoever
/// writes is told.
async fn hear<F: Future<Output = Result<Receipt, ReceiveError>>>(
    parts: &Arc<Parts>,
    peer: PeerId,
    read: ReadHalf<PeerStream>,
    outgoing: mpsc::Sender<Outgoing>,
    take: impl Fn(Vec<Vec<u8>>, Vec<Vec<u8>>) -> F,
    taking: &mut FuturesOrdered<F>,
) -> Option<Ended> {
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
            return Some(Ended::Well(outcome.clone()));
        }
        tokio::select! {
            Some(receipt) = taking.next() => parts.taken(peer, receipt),
            message = &mut next, if taking.len() < TAKING => {
                let (read, message) = message.ok()?;
                next = Box::pin(frames::read(read));
                match &message {
                    Message::Busy => return Some(Ended::Busy),
                    Message::Heads(heads) => theirs.clone_from(heads),
                    _ => {}
                }
                let snapshot = parts.snapshot()?;
                let lacking = |heads: &[Hash]| lacking(parts, &snapshot, heads);
                match exchange.heard(message, lacking, || clocks(&snapshot, &parts.info)).ok()?.ok()? {
                    Step::Say(message) => outgoing.send(Outgoing::Message(message)).await.ok()?,
                    Step::Supply { lacks, theirs, clocks } => {
                        outgoing.send(Outgoing::Supply { lacks, theirs, clocks }).await.ok()?;
                    }
                    Step::Take { identities, entries } => taking.push_back(take(identities, entries)),
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

/// Sends what a peer lacks, older entries first.
async fn supply(
    parts: &Arc<Parts>,
    write: &mut WriteHalf<PeerStream>,
    lacks: Vec<Hash>,
    theirs: Vec<Hash>,
    clocks: Clocks,
) -> io::Result<()> {
    let snapshot = parts.node.snapshot().map_err(io::Error::other)?;
    let (walked, info) = (snapshot.clone(), parts.info.clone());
    let found = spawn_blocking(move || Difference::of(&walked, &info, &lacks, &theirs, &clocks)).await?;
    let mut supply = Supply { snapshot, lacked: found.map_err(io::Error::other)?, sent: HashSet::new() };
    loop {
        let (rest, message) = spawn_blocking(move || {
            let message = supply.next();
            (supply, message)
        })
        .await?;
        supply = rest;
        match message.map_err(io::Error::other)? {
            Some(message) => frames::write(write, &message).await?,
            None => return Ok(()),
        }
    }
}

/// What is still to be sent.
struct Supply {
    snapshot: Snapshot,
    lacked: VecDeque<Lacked>,
    /// The identities that were sent.
    sent: HashSet<Hash>,
}

impl Supply {
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
