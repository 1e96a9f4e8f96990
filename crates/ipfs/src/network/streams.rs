//! [`Streams`]: raw streams by the name of their protocol. (`libp2p-stream` drops a stream when a second one comes before
//! the first was taken; JavaScript does not try again.)

use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
    future::{Ready, ready},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use libp2p::{
    Multiaddr, PeerId, Stream, StreamProtocol,
    core::{Endpoint, InboundUpgrade, OutboundUpgrade, UpgradeInfo, transport::PortUse},
    swarm::{
        ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm, NetworkBehaviour,
        NotifyHandler, StreamUpgradeError, SubstreamProtocol, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
        handler::{ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound},
    },
};
use tokio::sync::{mpsc, oneshot, watch};

use super::{StreamError, hub::Known};

/// How many streams of one protocol wait to be taken; more are reset.
const WAITING: usize = 128;
/// So many bytes of names are offered to JavaScript's peers for the topics that they listen to: with what else identify says of this
/// node they are to fit into its message. Others than these are replicated in streams that this node opens.
const ROOM: usize = 6 << 10;
/// The same, for who has not said yet what it is, and may be a node of this kind, which reads less.
const ROOM_FOR_STRANGERS: usize = 2 << 10;
/// What stands around a name in that message.
const FRAMING: usize = 3;
/// How long it may take to agree on a protocol.
const NEGOTIATION: Duration = Duration::from_secs(10);

/// The protocols that are handled here.
///
/// Whom they are offered to matters: the names go into every message of identify, for which JavaScript takes 8 KiB and
/// this libp2p 4 KiB, and are looked through whenever a connection does anything.
#[derive(Debug)]
pub(super) struct Protocols {
    known: watch::Receiver<Known>,
    handled: Mutex<Handled>,
}

#[derive(Debug, Default)]
struct Handled {
    streams: HashMap<StreamProtocol, mpsc::Sender<(PeerId, Stream)>>,
    /// Offered to everyone.
    open: Vec<StreamProtocol>,
    /// Offered to JavaScript's and other peers that listen to the topic.
    by_topic: HashMap<String, StreamProtocol>,
}

impl Protocols {
    pub(super) fn new(known: watch::Receiver<Known>) -> Protocols {
        Protocols { known, handled: Mutex::default() }
    }

    /// Streams that anyone may open; with a topic, whoever listens to it and is not a node of this kind.
    pub(super) fn accept(&self, protocol: &str, topic: Option<&str>) -> Result<IncomingStreams, StreamError> {
        let name = StreamProtocol::try_from_owned(protocol.to_owned())
            .map_err(|_| StreamError::NoProtocol(protocol.to_owned()))?;
        let mut handled = self.handled();
        if handled.streams.get(&name).is_some_and(|streams| !streams.is_closed()) {
            return Err(StreamError::Taken(protocol.to_owned()));
        }
        let Handled { streams, open, by_topic } = &mut *handled;
        streams.retain(|other, streams| !streams.is_closed() && *other != name);
        open.retain(|name| streams.contains_key(name));
        by_topic.retain(|_, name| streams.contains_key(name));
        let (taker, taken) = mpsc::channel(WAITING);
        streams.insert(name.clone(), taker);
        match topic {
            Some(topic) => drop(by_topic.insert(topic.to_owned(), name)),
            None => open.push(name),
        }
        Ok(IncomingStreams { taken })
    }

    /// What is offered to a peer.
    fn names(&self, peer: &PeerId) -> Vec<StreamProtocol> {
        let handled = self.handled();
        let mut names = handled.open.clone();
        if let Some(peer) = self.known.borrow().peers.get(peer)
            && !peer.is_debros()
        {
            let mut room = if peer.agent.is_some() { ROOM } else { ROOM_FOR_STRANGERS };
            let of_topics = peer.topics.iter().filter_map(|topic| handled.by_topic.get(topic));
            names.extend(of_topics.map_while(|name| {
                room = room.checked_sub(name.as_ref().len() + FRAMING)?;
                Some(name.clone())
            }));
        }
        names.retain(|name| handled.streams.get(name).is_some_and(|streams| !streams.is_closed()));
        names
    }

    fn give(&self, protocol: &StreamProtocol, peer: PeerId, stream: Stream) {
        if let Some(streams) = self.handled().streams.get(protocol) {
            // a stream that finds no place is dropped, which resets it
            let _ = streams.try_send((peer, stream));
        }
    }

    fn handled(&self) -> MutexGuard<'_, Handled> {
        self.handled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The streams of a protocol that peers open. It is handled as long as this lives.
#[derive(Debug)]
pub struct IncomingStreams {
    taken: mpsc::Receiver<(PeerId, Stream)>,
}

impl IncomingStreams {
    /// The next stream, and the peer that opened it; `None` when the network has ended.
    pub async fn next(&mut self) -> Option<(PeerId, Stream)> {
        self.taken.recv().await
    }
}

/// A stream that is to be opened.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) peer: PeerId,
    pub(super) protocol: StreamProtocol,
    pub(super) answer: oneshot::Sender<Result<Stream, StreamError>>,
}

pub(super) struct Streams {
    protocols: Arc<Protocols>,
    openings: VecDeque<Opening>,
    /// The connections without a relay.
    direct: HashMap<PeerId, Vec<ConnectionId>>,
    waker: Option<Waker>,
}

impl Streams {
    pub(super) fn new(protocols: Arc<Protocols>) -> Streams {
        Streams { protocols, openings: VecDeque::new(), direct: HashMap::new(), waker: None }
    }

    pub(super) fn open(&mut self, opening: Opening) {
        self.openings.push_back(opening);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl NetworkBehaviour for Streams {
    type ConnectionHandler = StreamsOfConnection;
    type ToSwarm = Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(StreamsOfConnection { peer, protocols: self.protocols.clone(), openings: VecDeque::new() })
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(StreamsOfConnection { peer, protocols: self.protocols.clone(), openings: VecDeque::new() })
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(new) if !new.endpoint.is_relayed() => {
                self.direct.entry(new.peer_id).or_default().push(new.connection_id);
            }
            FromSwarm::ConnectionClosed(old) => {
                if let Some(direct) = self.direct.get_mut(&old.peer_id) {
                    direct.retain(|connection| *connection != old.connection_id);
                    if direct.is_empty() {
                        self.direct.remove(&old.peer_id);
                    }
                }
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        if let Some(opening) = self.openings.pop_front() {
            // through a relay only as long as there is no other way; without a connection it is dropped, and so is the answer
            let direct = self.direct.get(&opening.peer).and_then(|direct| direct.last());
            return Poll::Ready(ToSwarm::NotifyHandler {
                peer_id: opening.peer,
                handler: direct.map_or(NotifyHandler::Any, |connection| NotifyHandler::One(*connection)),
                event: opening,
            });
        }
        self.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// The streams of one connection.
pub(super) struct StreamsOfConnection {
    peer: PeerId,
    protocols: Arc<Protocols>,
    openings: VecDeque<Opening>,
}

impl ConnectionHandler for StreamsOfConnection {
    type FromBehaviour = Opening;
    type ToBehaviour = Infallible;
    type InboundProtocol = ByName;
    type OutboundProtocol = ByName;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = Opening;

    fn listen_protocol(&self) -> SubstreamProtocol<ByName> {
        SubstreamProtocol::new(ByName(self.protocols.names(&self.peer)), ())
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ConnectionHandlerEvent<ByName, Opening, Infallible>> {
        while let Some(opening) = self.openings.pop_front() {
            if !opening.answer.is_closed() {
                let protocol = SubstreamProtocol::new(ByName(vec![opening.protocol.clone()]), opening);
                let protocol = protocol.with_timeout(NEGOTIATION);
                return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
            }
        }
        Poll::Pending
    }

    fn on_behaviour_event(&mut self, opening: Opening) {
        self.openings.push_back(opening);
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<'_, ByName, ByName, (), Opening>) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol: (stream, name), .. }) => {
                self.protocols.give(&name, self.peer, stream);
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol: (stream, _),
                info: opening,
            }) => {
                // dropped, if whoever asked waits no more
                let _ = opening.answer.send(Ok(stream));
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError { error, info: opening }) => {
                let (peer, protocol) = (opening.peer, opening.protocol.as_ref().into());
                let error = match error {
                    StreamUpgradeError::NegotiationFailed => StreamError::Unsupported { peer, protocol },
                    StreamUpgradeError::Timeout => {
                        StreamError::Failed { peer, protocol, reason: "it took too long".into() }
                    }
                    StreamUpgradeError::Io(error) => {
                        StreamError::Failed { peer, protocol, reason: error.to_string().into() }
                    }
                    StreamUpgradeError::Apply(never) => match never {},
                };
                let _ = opening.answer.send(Err(error));
            }
            _ => {}
        }
    }
}

/// Agrees on one of these protocols, and nothing more.
#[derive(Clone)]
pub(super) struct ByName(Vec<StreamProtocol>);

impl UpgradeInfo for ByName {
    type Info = StreamProtocol;
    type InfoIter = std::vec::IntoIter<StreamProtocol>;

    fn protocol_info(&self) -> Self::InfoIter {
        self.0.clone().into_iter()
    }
}

impl InboundUpgrade<Stream> for ByName {
    type Output = (Stream, StreamProtocol);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, name: StreamProtocol) -> Self::Future {
        ready(Ok((stream, name)))
    }
}

impl OutboundUpgrade<Stream> for ByName {
    type Output = (Stream, StreamProtocol);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_outbound(self, stream: Stream, name: StreamProtocol) -> Self::Future {
        ready(Ok((stream, name)))
    }
}
