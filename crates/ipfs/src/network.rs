//! [`Network`]: a node of the peer-to-peer network.

mod behaviour;
mod bitswap;
mod charges;
mod connections;
mod hub;
mod missing_feature;
mod network_error;
mod network_event;
mod network_key;
mod network_options;
#[cfg(feature = "relay")]
mod relay;
mod streams;

use std::{
    collections::{HashMap, HashSet},
    fmt,
    future::Future,
    sync::Arc,
    thread,
    time::Duration,
};

use hickory_resolver::{
    config::{ResolverConfig, ResolverOpts},
    system_conf::read_system_conf,
};
use libp2p::{SwarmBuilder, noise, tcp, yamux};
use tokio::{
    runtime,
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};

pub use bitswap::{BlockSource, FetchError};
pub use libp2p::{Multiaddr, PeerId, Stream as PeerStream};
pub use missing_feature::missing_feature;
pub use network_error::{DialError, NetworkError, PublishError, StreamError};
pub use network_event::{NetworkEvent, TopicMessage, Verdict};
pub use network_key::NetworkKey;
pub use network_options::{NetworkLimits, NetworkOptions};
#[cfg(feature = "relay")]
pub use relay::RelayLimits;
pub use streams::IncomingStreams;

use crate::{Bytes, Cid};
use bitswap::Bitswap;
use connections::Connections;
use hub::{Command, Hub, Known};
use streams::{Protocols, Streams};

/// So many events wait to be taken.
const EVENTS: usize = 1024;
/// So long the end waits for what is under way.
const LAST_MOMENTS: Duration = Duration::from_secs(2);

/// A node of the peer-to-peer network: connections to peers, messages on topics, raw streams, and blocks by Bitswap.
///
/// It works on a thread of its own until it is [closed](Network::close), whether or not anyone holds it. A cheap clone;
/// several live in one process.
#[derive(Clone)]
pub struct Network {
    inner: Arc<Inner>,
}

struct Inner {
    id: PeerId,
    commands: mpsc::UnboundedSender<Command>,
    protocols: Arc<Protocols>,
    known: watch::Receiver<Known>,
    bitswap: Bitswap,
    runtime: runtime::Handle,
    /// Becomes true when the thread has ended.
    ended: watch::Receiver<bool>,
}

/// A peer that is connected.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Peer {
    /// Its id.
    pub id: PeerId,
    /// Where it is. While it is connected through a relay alone, the address leads through that.
    pub address: Multiaddr,
    /// The program that it says it is, once it has said so.
    pub agent: Option<String>,
    /// The topics that it listens to.
    pub topics: HashSet<String>,
}

/// What nodes of this kind call themselves begins like this.
const AGENT: &str = "debros/";

impl Peer {
    /// Is it connected through a relay alone?
    pub fn is_relayed(&self) -> bool {
        connections::is_relayed(&self.address)
    }

    /// Does it say that it is a node of this kind?
    pub fn is_debros(&self) -> bool {
        self.agent.as_ref().is_some_and(|agent| agent.starts_with(AGENT))
    }
}

/// What happens in the network, one after the other.
#[derive(Debug)]
pub struct NetworkEvents {
    events: mpsc::Receiver<NetworkEvent>,
}

impl NetworkEvents {
    /// The next event; `None` when the network has ended. While nobody takes them, peers are not listened to.
    pub async fn next(&mut self) -> Option<NetworkEvent> {
        self.events.recv().await
    }
}

impl Network {
    /// Starts a node. It serves the blocks of `blocks` to whoever asks, so whoever knows the CID of a block can have it.
    ///
    /// # Errors
    /// If it cannot listen where it should, or there is no thread for it.
    pub async fn start(
        key: NetworkKey,
        options: NetworkOptions,
        blocks: Arc<dyn BlockSource>,
    ) -> Result<(Network, NetworkEvents), NetworkError> {
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .max_blocking_threads(8)
            .thread_name("network")
            .enable_all()
            .build()
            .map_err(NetworkError::Thread)?;
        let handle = runtime.handle().clone();
        let (begun, begin) = oneshot::channel();
        let (ended, end) = watch::channel(false);
        let of_thread = handle.clone();
        let body = move || {
            runtime.block_on(async move {
                match Network::build(key, options, blocks, of_thread, end).await {
                    Ok((hub, network, events)) => {
                        if begun.send(Ok((network, events))).is_ok() {
                            hub.run().await;
                        }
                    }
                    Err(error) => {
                        let _ = begun.send(Err(error));
                    }
                }
            });
            runtime.shutdown_timeout(LAST_MOMENTS);
            ended.send_replace(true);
        };
        thread::Builder::new().name("network".to_owned()).spawn(body).map_err(NetworkError::Thread)?;
        begin.await.unwrap_or_else(|_| Err(NetworkError::Setup("its thread ended".to_owned())))
    }

    async fn build(
        key: NetworkKey,
        options: NetworkOptions,
        blocks: Arc<dyn BlockSource>,
        runtime: runtime::Handle,
        ended: watch::Receiver<bool>,
    ) -> Result<(Hub, Network, NetworkEvents), NetworkError> {
        let known = watch::Sender::new(Known::default());
        let seen = known.subscribe();
        let protocols = Arc::new(Protocols::new(seen.clone()));
        let streams = options.limits.streams_per_connection;
        let muxer = move || {
            let mut config = yamux::Config::default();
            config.set_max_num_streams(streams);
            config
        };
        let setup = |error: String| NetworkError::Setup(error);
        let swarm = SwarmBuilder::with_existing_identity(key.0.clone())
            .with_tokio()
            .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, muxer)
            .map_err(|error| setup(error.to_string()))?;
        #[cfg(feature = "quic")]
        let swarm = swarm.with_quic_config(|mut config| {
            config.max_concurrent_stream_limit = u32::try_from(streams).unwrap_or(u32::MAX);
            config
        });
        let (servers, how) = name_servers();
        let swarm = swarm.with_dns_config(servers, how);
        let of_behaviour = Streams::new(protocols.clone());
        #[cfg(not(feature = "relay"))]
        let swarm = swarm.with_behaviour(|_| Ok(behaviour::Behaviour::new(&key, &options, of_behaviour)?));
        #[cfg(feature = "relay")]
        let swarm = swarm
            .with_relay_client(noise::Config::new, muxer)
            .map_err(|error| setup(error.to_string()))?
            .with_behaviour(|_, client| Ok(behaviour::Behaviour::new(&key, &options, of_behaviour, client)?));
        let swarm = swarm
            .map_err(|error| setup(error.to_string()))?
            // a peer is left when it goes, not because it has nothing to say
            .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(u32::MAX.into())))
            .build();
        let (commands, received) = mpsc::unbounded_channel();
        let (events, taken) = mpsc::channel(EVENTS);
        let charges = charges::Charges::new(options.limits.waiting_messages, options.limits.waiting_bytes);
        #[cfg(feature = "relay")]
        if options.relay.is_some() && options.listen.iter().all(connections::is_relayed) {
            return Err(NetworkError::RelayNowhere);
        }
        let mut hub = Hub {
            swarm,
            commands: received,
            events,
            charges,
            known,
            connections: Connections::default(),
            dials: HashMap::new(),
            #[cfg(feature = "relay")]
            reservations: relay::Reservations::default(),
            #[cfg(feature = "relay")]
            is_relay: options.relay.is_some(),
        };
        let id = *hub.swarm.local_peer_id();
        let streams = bitswap::Streams { protocols: protocols.clone(), commands: commands.clone() };
        let bitswap = Bitswap::start(streams, seen.clone(), blocks, options.limits.wants_per_peer, &runtime)
            .map_err(|error| setup(error.to_string()))?;
        hub.listen(&options.listen).await?;
        let inner = Inner { id, commands, protocols, known: seen, bitswap, runtime, ended };
        Ok((hub, Network { inner: Arc::new(inner) }, NetworkEvents { events: taken }))
    }

    /// The id of this node.
    pub fn id(&self) -> PeerId {
        self.inner.id
    }

    /// Where it listens, as addresses that others can dial; through relays, too, as long as these let it.
    pub fn addresses(&self) -> Vec<Multiaddr> {
        self.inner.known.borrow().addresses.clone()
    }

    /// A peer that is connected.
    pub fn peer(&self, id: &PeerId) -> Option<Peer> {
        self.inner.known.borrow().peers.get(id).cloned()
    }

    /// Is this peer connected, and has it said what program it is?
    pub fn is_identified(&self, peer: &PeerId) -> bool {
        self.inner.known.borrow().peers.get(peer).is_some_and(|peer| peer.agent.is_some())
    }

    /// Is this peer connected, and says that it is a node of this kind?
    pub fn is_debros(&self, peer: &PeerId) -> bool {
        self.inner.known.borrow().peers.get(peer).is_some_and(Peer::is_debros)
    }

    /// The peers that are connected.
    pub fn peers(&self) -> Vec<Peer> {
        self.inner.known.borrow().peers.values().cloned().collect()
    }

    /// Is this peer connected?
    pub fn is_connected(&self, peer: &PeerId) -> bool {
        self.inner.known.borrow().peers.contains_key(peer)
    }

    /// Connects to the peer at an address, and gives its id. Nothing, if the address names it and it is connected; but if it is so through a
    /// relay alone, and the address does without, it is dialled.
    ///
    /// # Errors
    /// If it cannot be reached.
    pub async fn dial(&self, address: Multiaddr) -> Result<PeerId, DialError> {
        let (answer, answered) = oneshot::channel();
        self.send(Command::Dial { address, answer });
        answered.await.unwrap_or(Err(DialError::Closed))
    }

    /// Ends the connections with a peer.
    pub fn disconnect(&self, peer: PeerId) {
        self.send(Command::Disconnect { peer });
    }

    /// Ends the connections with a peer, and takes no others from it, until it is [readmitted](Network::readmit). A peer that
    /// takes another key is another one.
    pub fn refuse(&self, peer: PeerId) {
        self.send(Command::Refuse { peer, refused: true });
    }

    /// Takes connections of a peer again.
    pub fn readmit(&self, peer: PeerId) {
        self.send(Command::Refuse { peer, refused: false });
    }

    /// Listens to a topic, and lets peers know.
    pub fn subscribe(&self, topic: &str) {
        self.send(Command::Subscribe { topic: topic.to_owned() });
    }

    /// Listens to it no more.
    pub fn unsubscribe(&self, topic: &str) {
        self.send(Command::Unsubscribe { topic: topic.to_owned() });
    }

    /// Sends a message to those who listen to a topic. Whether anyone did.
    ///
    /// # Errors
    /// If the message is too large, or no peer could take it.
    pub async fn publish(&self, topic: &str, data: Vec<u8>) -> Result<bool, PublishError> {
        let (answer, answered) = oneshot::channel();
        self.send(Command::Publish { topic: topic.to_owned(), data, answer });
        answered.await.unwrap_or(Err(PublishError::Closed))
    }

    /// Says what a message is worth: only a good one goes on to other peers.
    pub fn judge(&self, message: &TopicMessage, verdict: Verdict) {
        self.send(Command::Judge { id: message.id.clone(), peer: message.peer, verdict });
    }

    /// Takes the streams of a protocol that peers open.
    ///
    /// # Errors
    /// If somebody in this process does already, or it is no name of a protocol.
    pub fn accept(&self, protocol: &str) -> Result<IncomingStreams, StreamError> {
        self.inner.protocols.accept(protocol, None)
    }

    /// The same, but only those peers may open streams that listen to a topic and are no nodes of this kind. Of protocols
    /// that are many, each peer is to see few: the names go into every message of identify, which is short.
    ///
    /// # Errors
    /// As [`Network::accept`].
    pub fn accept_on_topic(&self, protocol: &str, topic: &str) -> Result<IncomingStreams, StreamError> {
        self.inner.protocols.accept(protocol, Some(topic))
    }

    /// Opens a stream to a peer that is connected.
    ///
    /// # Errors
    /// If it is not, or does not speak the protocol.
    pub async fn open(&self, peer: PeerId, protocol: &str) -> Result<PeerStream, StreamError> {
        bitswap::Streams { protocols: self.inner.protocols.clone(), commands: self.inner.commands.clone() }
            .open(peer, protocol)
            .await
    }

    /// The block with this CID, which is asked of the peers that are connected, those of `first` before others, until one
    /// has it. It is asked for again and again; whoever does not want to wait any longer drops the future.
    ///
    /// # Errors
    /// If its hash is none that can be checked here, or the network was closed.
    pub async fn fetch(&self, cid: &Cid, first: &[PeerId]) -> Result<Bytes, FetchError> {
        self.inner.bitswap.fetch(cid, first, true).await
    }

    /// The same, but it is not asked for again when the peers that are connected, but for those that do not answer, have
    /// said that they have not got it.
    ///
    /// # Errors
    /// As [`Network::fetch`], and if nobody has it.
    pub async fn find(&self, cid: &Cid, first: &[PeerId]) -> Result<Bytes, FetchError> {
        self.inner.bitswap.fetch(cid, first, false).await
    }

    /// Runs something on the threads of the network, until it ends or the network does.
    pub fn spawn<F>(&self, work: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.inner.runtime.spawn(work)
    }

    /// Leaves the network: all connections and tasks end. Closing twice is no error.
    pub async fn close(&self) {
        self.send(Command::Close);
        // an error means that the thread is gone, too
        let _ = self.inner.ended.clone().wait_for(|ended| *ended).await;
    }

    /// After the end there is nobody to take it, and nothing to do.
    fn send(&self, command: Command) {
        let _ = self.inner.commands.send(command);
    }
}

/// The name servers of this machine. Where it has none, or does not say which, no name is found but those in its file of hosts, and
/// addresses without names are dialled as ever.
fn name_servers() -> (ResolverConfig, ResolverOpts) {
    read_system_conf().unwrap_or_default()
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").field("id", &self.inner.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn without_name_servers_there_is_a_network_all_the_same() {
        let tcp = tcp::tokio::Transport::new(tcp::Config::default());
        drop(libp2p::dns::tokio::Transport::custom(tcp, ResolverConfig::default(), ResolverOpts::default()));
    }
}
