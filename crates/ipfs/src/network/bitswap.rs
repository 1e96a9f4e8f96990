//! Bitswap 1.2.0: blocks by CID, from and for peers.

mod client;
mod message;
mod server;

use std::sync::Arc;

use futures::AsyncReadExt as _;
use libp2p::{PeerId, Stream, StreamProtocol};
use tokio::{
    runtime,
    sync::{Semaphore, mpsc, oneshot, watch},
    time::timeout,
};

use super::{
    StreamError,
    hub::{Command, Known},
    streams::{Opening, Protocols},
};
use crate::{Bytes, Cid};
use client::Client;
use message::{MAX_MESSAGE, Message};
use server::Server;

/// The only version: JavaScript speaks no other.
const PROTOCOL: &str = "/ipfs/bitswap/1.2.0";
/// So many streams of one peer are read at a time.
const READING: usize = 4;
/// How long the next bytes of a message may take.
const SILENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// Where the blocks are that peers may have.
pub trait BlockSource: Send + Sync + 'static {
    /// The block with this CID, if it is here.
    fn block(&self, cid: &Cid) -> Option<Bytes>;

    /// Tells when there may be blocks that were not here before.
    fn arrivals(&self) -> watch::Receiver<u64>;
}

/// Why a block was not fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// Only SHA2-256 is checked here.
    #[error("the block {0} cannot be fetched: only blocks with a SHA2-256 hash can")]
    UnknownHash(Box<Cid>),
    /// Nobody has it.
    #[error("no peer that is connected has the block {0}; it can be asked for again")]
    NotFound(Box<Cid>),
    /// The network was closed.
    #[error("the network of this node was closed")]
    Closed,
}

/// Opens streams.
#[derive(Clone)]
pub(super) struct Streams {
    pub(super) protocols: Arc<Protocols>,
    pub(super) commands: mpsc::UnboundedSender<Command>,
}

impl Streams {
    pub(super) async fn open(&self, peer: PeerId, protocol: &str) -> Result<Stream, StreamError> {
        let name = StreamProtocol::try_from_owned(protocol.to_owned())
            .map_err(|_| StreamError::NoProtocol(protocol.to_owned()))?;
        let (answer, answered) = oneshot::channel();
        // after the end there is nobody to take it, and the answer is dropped
        let _ = self.commands.send(Command::Open(Opening { peer, protocol: name, answer }));
        answered.await.unwrap_or(Err(StreamError::NotConnected(peer)))
    }
}

/// Both sides of it.
pub(super) struct Bitswap {
    client: Client,
}

impl Bitswap {
    pub(super) fn start(
        streams: Streams,
        known: watch::Receiver<Known>,
        blocks: Arc<dyn BlockSource>,
        wants: usize,
        runtime: &runtime::Handle,
    ) -> Result<Bitswap, StreamError> {
        let mut incoming = streams.protocols.accept(PROTOCOL, None)?;
        let client = Client::start(streams.clone(), known.clone(), runtime);
        let server = Server::start(streams, known, blocks, wants, runtime);
        let (of_streams, handle) = (client.clone(), runtime.clone());
        runtime.spawn(async move {
            let mut reading: std::collections::HashMap<PeerId, Arc<Semaphore>> = std::collections::HashMap::new();
            while let Some((peer, stream)) = incoming.next().await {
                reading.retain(|_, permits| permits.available_permits() < READING);
                let permits = reading.entry(peer).or_insert_with(|| Arc::new(Semaphore::new(READING))).clone();
                let (client, server) = (of_streams.clone(), server.clone());
                handle.spawn(async move {
                    // never closed
                    let Ok(_permit) = permits.acquire().await else { return };
                    read(stream, peer, &client, &server).await;
                });
            }
        });
        Ok(Bitswap { client })
    }

    pub(super) async fn fetch(&self, cid: &Cid, first: &[PeerId], patient: bool) -> Result<Bytes, FetchError> {
        self.client.fetch(cid, first, patient).await
    }
}

/// Reads the messages of one stream, until it ends or something is wrong with it.
async fn read(mut stream: Stream, peer: PeerId, client: &Client, server: &Server) {
    while let Some(bytes) = read_message(&mut stream).await {
        let Some(message) = Message::decode(&bytes) else { return };
        drop(bytes);
        let Message { wants, full, blocks, presences } = message;
        client.received(peer, blocks, presences);
        if full || !wants.is_empty() {
            server.wanted(peer, wants, full).await;
        }
    }
}

/// The next message; `None` at the end, or if none should have been sent like this.
async fn read_message(stream: &mut Stream) -> Option<Vec<u8>> {
    let mut len = 0usize;
    for at in 0..4 {
        let mut byte = [0];
        timeout(SILENCE, stream.read_exact(&mut byte)).await.ok()?.ok()?;
        len |= usize::from(byte[0] & 0x7f) << (7 * at);
        if byte[0] & 0x80 == 0 {
            break;
        }
        if at == 3 {
            return None;
        }
    }
    if len > MAX_MESSAGE {
        return None;
    }
    // memory follows what arrives, not what is promised
    let mut message = Vec::new();
    let mut chunk = [0; 16 << 10];
    while message.len() < len {
        let room = chunk.len().min(len - message.len());
        let read = timeout(SILENCE, stream.read(&mut chunk[..room])).await.ok()?.ok()?;
        if read == 0 {
            return None;
        }
        message.extend_from_slice(&chunk[..read]);
    }
    Some(message)
}
