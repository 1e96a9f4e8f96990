use std::{
    collections::{HashMap, HashSet},
    error::Error,
    iter,
    sync::Arc,
};

use bytes::Bytes;
use futures::StreamExt as _;
use libp2p::{
    Multiaddr, PeerId, Swarm,
    core::{ConnectedPoint, transport::ListenerId},
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
    streams::Opening,
};

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
    pub(super) dials: HashMap<ConnectionId, (Multiaddr, oneshot::Sender<Result<PeerId, DialError>>)>,
}

/// What an error says, and what those say that are behind it.
fn told(error: &dyn Error) -> String {
    let all = iter::successors(Some(error), |&error| error.source()).map(ToString::to_string);
    let mut all: Vec<String> = all.filter(|said| !said.is_empty()).collect();
    all.dedup();
    all.join(": ")
}

impl Hub {
    /// Listens on these addresses, and waits until it does.
    pub(super) async fn listen(&mut self, addresses: &[Multiaddr]) -> Result<(), NetworkError> {
        let mut waiting: HashMap<ListenerId, Multiaddr> = HashMap::new();
        for address in addresses {
            let failed = |reason: String| NetworkError::Listen { address: address.clone(), reason };
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
            tokio::select! {
                command = self.commands.recv() => match command {
                    None | Some(Command::Close) => return,
                    Some(command) => self.carry_out(command),
                },
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
        let named = address.iter().find_map(|part| match part {
            Protocol::P2p(peer) => Some(peer),
            _ => None,
        });
        let options = match named {
            Some(peer) if self.swarm.is_connected(&peer) => {
                let _ = answer.send(Ok(peer));
                return;
            }
            Some(peer) => {
                DialOpts::peer_id(peer).condition(PeerCondition::Disconnected).addresses(vec![address.clone()]).build()
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
            SwarmEvent::NewListenAddr { address, .. } => self.listens(address),
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                self.known.send_modify(|known| known.addresses.retain(|listened| !same(listened, &address)));
            }
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, num_established, .. } => {
                if let Some((_, answer)) = self.dials.remove(&connection_id) {
                    let _ = answer.send(Ok(peer_id));
                }
                if num_established.get() == 1 {
                    let address = match endpoint {
                        ConnectedPoint::Dialer { address, .. } => address,
                        ConnectedPoint::Listener { send_back_addr, .. } => send_back_addr,
                    };
                    let peer = Peer { id: peer_id, address, agent: None, topics: HashSet::new() };
                    self.known.send_modify(|known| {
                        known.peers.insert(peer_id, peer);
                    });
                    return Some(NetworkEvent::Connected(peer_id));
                }
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, .. } => {
                self.known.send_modify(|known| {
                    known.peers.remove(&peer_id);
                });
                return Some(NetworkEvent::Disconnected(peer_id));
            }
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                if let Some((address, answer)) = self.dials.remove(&connection_id) {
                    let _ = answer.send(Err(DialError::Unreachable { address, reason: error.to_string() }));
                }
            }
            SwarmEvent::Behaviour(event) => return self.told(event),
            _ => {}
        }
        None
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
                    let options = DialOpts::peer_id(peer).condition(PeerCondition::DisconnectedAndNotDialing);
                    // connected, being dialled, or one too many: then not
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
        let whole = address.with(Protocol::P2p(*self.swarm.local_peer_id()));
        self.known.send_modify(|known| known.addresses.push(whole));
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
