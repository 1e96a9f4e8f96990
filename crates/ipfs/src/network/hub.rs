#[cfg(feature = "relay")]
mod relays;

use std::{
    collections::{HashMap, HashSet},
    error::Error,
    iter,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::StreamExt as _;
use libp2p::{
    Multiaddr, PeerId, Swarm,
    core::transport::ListenerId,
    gossipsub::{self, IdentTopic, MessageAcceptance, MessageId},
    identify, mdns,
    multiaddr::Protocol,
    swarm::{
        ConnectionId, SwarmEvent,
        dial_opts::{DialOpts, PeerCondition},
    },
};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    DialError, NetworkError, NetworkEvent, Peer, PublishError, TopicMessage, Verdict,
    behaviour::{Behaviour, BehaviourEvent},
    charges::Charges,
    connections::{Connections, is_relayed, named},
    missing_feature,
    streams::Opening,
};

/// How long peers may take to hear that this node goes.
const PARTING: Duration = Duration::from_millis(500);
/// A relay tells so many of its addresses at most: who is reached through it tells them on, in a short message.
#[cfg(feature = "relay")]
const TOLD: usize = 8;

/// What the network is asked to do.
pub(super) enum Command {
    Dial { address: Multiaddr, answer: oneshot::Sender<Result<PeerId, DialError>> },
    Disconnect { peer: PeerId },
    Refuse { peer: PeerId, refused: bool },
    Subscribe { topic: String },
    Unsubscribe { topic: String },
    Publish { topic: String, data: Vec<u8>, answer: oneshot::Sender<Result<bool, PublishError>> },
    Judge { id: MessageId, peer: PeerId, verdict: Verdict },
    Open(Opening),
    Close,
}

/// Whoever is known in the network now.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) addresses: Vec<Multiaddr>,
    pub(super) peers: HashMap<PeerId, Peer>,
}

/// Owns the swarm: carries out commands and tells what happens.
pub(super) struct Hub {
    pub(super) swarm: Swarm<Behaviour>,
    pub(super) commands: mpsc::UnboundedReceiver<Command>,
    pub(super) events: mpsc::Sender<NetworkEvent>,
    pub(super) charges: Arc<Charges>,
    pub(super) known: watch::Sender<Known>,
    pub(super) connections: Connections,
    pub(super) dials: HashMap<ConnectionId, (Multiaddr, oneshot::Sender<Result<PeerId, DialError>>)>,
    #[cfg(feature = "relay")]
    pub(super) reservations: super::relay::Reservations,
    /// Is it a relay itself?
    #[cfg(feature = "relay")]
    pub(super) is_relay: bool,
}

/// What an error says, and what those say that are behind it.
fn told(error: &dyn Error) -> String {
    let all = iter::successors(Some(error), |&error| error.source()).map(ToString::to_string);
    let mut all: Vec<String> = all.filter(|said| !said.is_empty()).collect();
    all.dedup();
    all.join(": ")
}

impl Hub {
    /// Listens on these addresses, and waits until it does; but for relays nobody waits, which come and go.
    pub(super) async fn listen(&mut self, addresses: &[Multiaddr]) -> Result<(), NetworkError> {
        let mut waiting: HashMap<ListenerId, Multiaddr> = HashMap::new();
        for address in addresses {
            let failed = |reason: String| NetworkError::Listen { address: address.clone(), reason };
            if let Some(feature) = missing_feature(address) {
                return Err(NetworkError::Feature { address: address.clone(), feature });
            }
            #[cfg(feature = "relay")]
            if is_relayed(address) {
                let relay = super::relay::relay_of(address).ok_or_else(|| {
                    failed(
                        "an address through a relay is as `/ip4/192.0.2.1/tcp/4001/p2p/12D3Koo…/p2p-circuit`"
                            .to_owned(),
                    )
                })?;
                self.reservations.keep(relay, address.clone(), Instant::now());
                continue;
            }
            let listener = self.swarm.listen_on(address.clone()).map_err(|error| failed(told(&error)))?;
            waiting.insert(listener, address.clone());
        }
        while !waiting.is_empty() {
            match self.swarm.select_next_some().await {
                SwarmEvent::NewListenAddr { listener_id, address } => {
                    waiting.remove(&listener_id);
                    self.listens(address);
                }
                SwarmEvent::ListenerClosed { listener_id, reason, .. } => {
                    if let Some(address) = waiting.remove(&listener_id) {
                        let reason = reason.err().map_or_else(|| "it was closed".to_owned(), |e| e.to_string());
                        return Err(NetworkError::Listen { address, reason });
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) async fn run(mut self) {
        // an event is taken from the swarm only when there is room for what it may have to tell: a peer that makes
        // much happen is slowed down, and nothing but messages is lost
        let events = self.events.clone();
        let mut room = None;
        loop {
            let due = self.next_due();
            tokio::select! {
                command = self.commands.recv() => match command {
                    None | Some(Command::Close) => return self.part().await,
                    Some(command) => self.carry_out(command),
                },
                () = until(due) => self.do_due(),
                // without somebody who listens there is no need for room
                permit = events.reserve(), if room.is_none() => room = Some(permit.ok()),
                event = self.swarm.select_next_some(), if room.is_some() => {
                    if let Some(event) = self.happened(event)
                        && let Some(Some(room)) = room.take()
                    {
                        room.send(event);
                    }
                }
            }
        }
    }

    /// Ends all connections, so that peers know at once: over QUIC they would not for some seconds.
    async fn part(&mut self) {
        let peers: Vec<PeerId> = self.swarm.connected_peers().copied().collect();
        for peer in peers {
            // an error means that it has just gone
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        let ended = async {
            while self.swarm.connected_peers().next().is_some() {
                self.swarm.select_next_some().await;
            }
        };
        // who does not answer is not waited for
        let _ = tokio::time::timeout(PARTING, ended).await;
    }

    /// When there is something to do, if nothing happens.
    fn next_due(&self) -> Option<Instant> {
        #[cfg(feature = "relay")]
        return self.reservations.next();
        #[cfg(not(feature = "relay"))]
        None
    }

    /// Does it.
    fn do_due(&mut self) {
        #[cfg(feature = "relay")]
        self.ask_relays();
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Dial { address, answer } => self.dial(address, answer),
            Command::Disconnect { peer } => {
                // an error means that it is not connected
                let _ = self.swarm.disconnect_peer_id(peer);
            }
            Command::Refuse { peer, refused: true } => drop(self.swarm.behaviour_mut().refused.block_peer(peer)),
            Command::Refuse { peer, refused: false } => drop(self.swarm.behaviour_mut().refused.unblock_peer(peer)),
            Command::Subscribe { topic } => {
                // refused only by the filter, which is for peers' topics and lets any of ours pass
                let _ = self.gossipsub().subscribe(&IdentTopic::new(topic));
            }
            Command::Unsubscribe { topic } => {
                self.gossipsub().unsubscribe(&IdentTopic::new(topic));
            }
            Command::Publish { topic, data, answer } => {
                let bytes = data.len();
                let published = match self.gossipsub().publish(IdentTopic::new(topic), data) {
                    Ok(_) => Ok(true),
                    Err(gossipsub::PublishError::NoPeersSubscribedToTopic) => Ok(false),
                    Err(gossipsub::PublishError::MessageTooLarge) => Err(PublishError::TooLarge(bytes)),
                    Err(error) => Err(PublishError::Failed(error.to_string())),
                };
                let _ = answer.send(published);
            }
            Command::Judge { id, peer, verdict } => self.judge(&id, &peer, verdict),
            Command::Open(opening) => self.swarm.behaviour_mut().streams.open(opening),
            Command::Close => {}
        }
    }

    fn gossipsub(&mut self) -> &mut super::behaviour::Gossipsub {
        &mut self.swarm.behaviour_mut().gossipsub
    }

    fn judge(&mut self, id: &MessageId, peer: &PeerId, verdict: Verdict) {
        let acceptance = match verdict {
            Verdict::Good => MessageAcceptance::Accept,
            Verdict::Bad => MessageAcceptance::Reject,
            Verdict::Unknown => MessageAcceptance::Ignore,
        };
        // it may have been forgotten meanwhile
        self.gossipsub().report_message_validation_result(id, peer, acceptance);
    }

    fn dial(&mut self, address: Multiaddr, answer: oneshot::Sender<Result<PeerId, DialError>>) {
        if let Some(feature) = missing_feature(&address) {
            let _ = answer.send(Err(DialError::Feature { address, feature }));
            return;
        }
        let options = match named(&address) {
            Some(peer) if self.reaches(&peer, &address) => {
                let _ = answer.send(Ok(peer));
                return;
            }
            Some(peer) => {
                // connected through a relay it may be
                DialOpts::peer_id(peer).condition(PeerCondition::Always).addresses(vec![address.clone()]).build()
            }
            None => DialOpts::unknown_peer_id().address(address.clone()).build(),
        };
        let connection = options.connection_id();
        match self.swarm.dial(options) {
            Ok(()) => {
                self.dials.insert(connection, (address, answer));
            }
            Err(error) => {
                let _ = answer.send(Err(DialError::Unreachable { address, reason: error.to_string() }));
            }
        }
    }

    /// What happened in the swarm, if somebody else is to know it.
    fn happened(&mut self, event: SwarmEvent<BehaviourEvent>) -> Option<NetworkEvent> {
        match event {
            #[cfg(feature = "relay")]
            SwarmEvent::NewListenAddr { listener_id, address } if is_relayed(&address) => {
                self.relay_tells(listener_id, address);
            }
            SwarmEvent::NewListenAddr { address, .. } => self.listens(address),
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                #[cfg(feature = "relay")]
                self.swarm.remove_external_address(&address);
                self.known.send_modify(|known| known.addresses.retain(|listened| !same(listened, &address)));
            }
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, num_established, .. } => {
                #[cfg(feature = "relay")]
                let was_relayed = self.connections.address(&peer_id).is_some_and(|address| is_relayed(&address));
                let address = self.connections.established(peer_id, connection_id, &endpoint);
                let is_first = num_established.get() == 1;
                if is_first {
                    let peer = Peer { id: peer_id, address, agent: None, topics: HashSet::new() };
                    self.known.send_modify(|known| {
                        known.peers.insert(peer_id, peer);
                    });
                } else {
                    self.is_at(&peer_id, address);
                }
                // whoever has dialled finds it connected
                if let Some((_, answer)) = self.dials.remove(&connection_id) {
                    let _ = answer.send(Ok(peer_id));
                }
                if is_first {
                    return Some(NetworkEvent::Connected(peer_id));
                }
                #[cfg(feature = "relay")]
                if was_relayed && !endpoint.is_relayed() {
                    return Some(NetworkEvent::Direct(peer_id));
                }
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, .. } => {
                match self.connections.closed(&peer_id, connection_id) {
                    Some(address) => self.is_at(&peer_id, address),
                    None => {
                        self.known.send_modify(|known| {
                            known.peers.remove(&peer_id);
                        });
                        return Some(NetworkEvent::Disconnected(peer_id));
                    }
                }
            }
            SwarmEvent::OutgoingConnectionError { connection_id, peer_id: _peer, error, .. } => {
                #[cfg(feature = "relay")]
                if let Some(peer) = _peer {
                    self.reservations.failed(&peer, error.to_string());
                }
                if let Some((address, answer)) = self.dials.remove(&connection_id) {
                    let _ = answer.send(Err(DialError::Unreachable { address, reason: error.to_string() }));
                }
            }
            #[cfg(feature = "relay")]
            SwarmEvent::ListenerClosed { listener_id, reason, .. } => return self.relay_ended(listener_id, reason),
            #[cfg(feature = "relay")]
            SwarmEvent::ExternalAddrConfirmed { address } => return self.relay_lets(address),
            #[cfg(feature = "relay")]
            SwarmEvent::ExternalAddrExpired { address } if is_relayed(&address) => {
                self.known.send_modify(|known| known.addresses.retain(|known| *known != address));
            }
            SwarmEvent::Behaviour(event) => return self.told(event),
            _ => {}
        }
        None
    }

    /// Is this peer connected, and by no detour that this address would spare?
    fn reaches(&self, peer: &PeerId, address: &Multiaddr) -> bool {
        self.connections.address(peer).is_some_and(|now| is_relayed(address) || !is_relayed(&now))
    }

    /// By the connections with this peer, it is there now.
    fn is_at(&self, peer: &PeerId, address: Multiaddr) {
        self.known.send_modify(|known| {
            if let Some(peer) = known.peers.get_mut(peer) {
                peer.address = address;
            }
        });
    }

    fn told(&mut self, event: BehaviourEvent) -> Option<NetworkEvent> {
        match event {
            BehaviourEvent::Identify(identify::Event::Received { peer_id, info, .. }) => {
                let agent: String = info.agent_version.chars().take(128).collect();
                let mut is_first = false;
                self.known.send_modify(|known| {
                    if let Some(peer) = known.peers.get_mut(&peer_id) {
                        is_first = peer.agent.replace(agent).is_none();
                    }
                });
                is_first.then_some(NetworkEvent::Identified(peer_id))
            }
            BehaviourEvent::Mdns(mdns::Event::Discovered(found)) => {
                for (peer, address) in found {
                    // whoever answers nearby has no name servers asked
                    if !matches!(address.iter().next(), Some(Protocol::Ip4(_) | Protocol::Ip6(_))) {
                        continue;
                    }
                    // nearby there is no need for a relay
                    if is_relayed(&address) || self.reaches(&peer, &address) {
                        continue;
                    }
                    let options = DialOpts::peer_id(peer).condition(PeerCondition::NotDialing);
                    // being dialled, or one too many: then not
                    let _ = self.swarm.dial(options.addresses(vec![address]).build());
                }
                None
            }
            BehaviourEvent::Gossipsub(gossipsub::Event::Subscribed { peer_id, topic }) => {
                let topic = topic.into_string();
                self.known.send_modify(|known| {
                    if let Some(peer) = known.peers.get_mut(&peer_id) {
                        peer.topics.insert(topic.clone());
                    }
                });
                Some(NetworkEvent::Subscribed { peer: peer_id, topic })
            }
            BehaviourEvent::Gossipsub(gossipsub::Event::Unsubscribed { peer_id, topic }) => {
                let topic = topic.into_string();
                self.known.send_modify(|known| {
                    if let Some(peer) = known.peers.get_mut(&peer_id) {
                        peer.topics.remove(&topic);
                    }
                });
                Some(NetworkEvent::Unsubscribed { peer: peer_id, topic })
            }
            BehaviourEvent::Gossipsub(gossipsub::Event::Message { propagation_source, message_id, message }) => {
                let Some(charge) = self.charges.take(propagation_source, message.data.len()) else {
                    self.judge(&message_id, &propagation_source, Verdict::Unknown);
                    return None;
                };
                Some(NetworkEvent::Message(TopicMessage {
                    topic: message.topic.into_string(),
                    peer: propagation_source,
                    author: message.source,
                    data: Bytes::from(message.data),
                    id: message_id,
                    _charge: charge,
                }))
            }
            _ => None,
        }
    }

    fn listens(&mut self, address: Multiaddr) {
        #[cfg(feature = "relay")]
        if self.is_relay && self.swarm.external_addresses().count() < TOLD {
            self.swarm.add_external_address(address.clone());
        }
        let whole = address.with(Protocol::P2p(*self.swarm.local_peer_id()));
        self.known.send_modify(|known| known.addresses.push(whole));
    }
}

/// Ends at this time; never, without one.
async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

/// Is it the same, but for the peer at its end?
fn same(listened: &Multiaddr, address: &Multiaddr) -> bool {
    let mut without = listened.clone();
    without.pop();
    without == *address
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn an_error_that_says_nothing_itself_is_told_by_what_is_behind_it() {
        let behind = || io::Error::new(io::ErrorKind::AddrInUse, "somebody is there");
        assert_eq!(told(&libp2p::TransportError::Other(behind())), "somebody is there");
        assert_eq!(told(&behind()), "somebody is there");
    }
}
