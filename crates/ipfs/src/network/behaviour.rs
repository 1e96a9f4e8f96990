use std::time::Duration;

use libp2p::{
    PeerId, allow_block_list,
    connection_limits::{self, ConnectionLimits},
    gossipsub::{
        self, CallbackSubscriptionFilter, IdentityTransform, MaxCountSubscriptionFilter, MessageAuthenticity,
        MessageId, TopicHash, ValidationMode,
    },
    identify, mdns, ping,
    swarm::{NetworkBehaviour, behaviour::toggle::Toggle},
};

use super::{NetworkKey, NetworkOptions, streams::Streams};

/// The longest name of a topic that a peer may listen to.
const MAX_TOPIC: usize = 256;
/// How many messages may wait to be sent to one peer.
const SENDING: usize = 256;

type TopicFilter = MaxCountSubscriptionFilter<CallbackSubscriptionFilter<fn(&TopicHash) -> bool>>;
pub(super) type Gossipsub = gossipsub::Behaviour<IdentityTransform, TopicFilter>;

/// What a node speaks.
#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    pub(super) refused: allow_block_list::Behaviour<allow_block_list::BlockedPeers>,
    pub(super) limits: connection_limits::Behaviour,
    pub(super) identify: identify::Behaviour,
    pub(super) ping: ping::Behaviour,
    pub(super) mdns: Toggle<mdns::tokio::Behaviour>,
    pub(super) gossipsub: Gossipsub,
    pub(super) streams: Streams,
    /// After those who may refuse a connection.
    #[cfg(feature = "relay")]
    pub(super) relay: super::relay::Relay,
}

impl Behaviour {
    /// The error says what could not be had.
    pub(super) fn new(
        key: &NetworkKey,
        options: &NetworkOptions,
        streams: Streams,
        #[cfg(feature = "relay")] client: libp2p::relay::client::Behaviour,
    ) -> Result<Behaviour, String> {
        let limits = &options.limits;
        let connections = ConnectionLimits::default()
            .with_max_pending_incoming(Some(64))
            .with_max_pending_outgoing(Some(64))
            .with_max_established(Some(limits.connections))
            .with_max_established_incoming(Some(limits.inbound_connections))
            .with_max_established_per_peer(Some(limits.connections_per_peer));
        let agent = format!("{}{}", super::AGENT, env!("CARGO_PKG_VERSION"));
        let about = identify::Config::new("ipfs/0.1.0".to_owned(), key.0.public()).with_agent_version(agent);
        let mdns = match options.mdns {
            true => Some(
                mdns::tokio::Behaviour::new(mdns::Config::default(), key.peer())
                    .map_err(|error| format!("looking for peers nearby: {error}"))?,
            ),
            false => None,
        };
        Ok(Behaviour {
            refused: allow_block_list::Behaviour::default(),
            limits: connection_limits::Behaviour::new(connections),
            identify: identify::Behaviour::new(about),
            ping: ping::Behaviour::default(),
            mdns: mdns.into(),
            gossipsub: gossipsub(key, options)?,
            streams,
            #[cfg(feature = "relay")]
            relay: super::relay::Relay::new(key.peer(), client, options.relay.as_ref()),
        })
    }
}

fn gossipsub(key: &NetworkKey, options: &NetworkOptions) -> Result<Gossipsub, String> {
    let config = gossipsub::ConfigBuilder::default()
        .validation_mode(ValidationMode::Strict)
        .validate_messages()
        .message_id_fn(message_id)
        .max_transmit_size(options.limits.message_bytes)
        // all topics of a peer come in one message; of libp2p's 16 KiB some two hundred would be the end
        .max_control_message_size(options.limits.message_bytes)
        .flood_publish(true)
        .heartbeat_initial_delay(Duration::from_millis(200))
        .duplicate_cache_time(Duration::from_secs(120))
        .idontwant_message_size_threshold(512)
        .connection_handler_queue_len(SENDING)
        .build()
        .map_err(|error| error.to_string())?;
    let short: fn(&TopicHash) -> bool = |topic| topic.as_str().len() <= MAX_TOPIC;
    let filter = MaxCountSubscriptionFilter {
        filter: CallbackSubscriptionFilter(short),
        max_subscribed_topics: options.limits.topics_per_peer,
        max_subscriptions_per_request: options.limits.topics_per_peer,
    };
    Gossipsub::new_with_subscription_filter(MessageAuthenticity::Signed(key.0.clone()), config, filter)
        .map_err(ToOwned::to_owned)
}

/// JavaScript's: the author's public key, then the sequence number. With another one the same message has two names, and
/// what a JavaScript peer offers is never asked for.
fn message_id(message: &gossipsub::Message) -> MessageId {
    /// A multihash that is the key itself begins with its code and its length.
    const HEADER: [u8; 2] = [0x00, 0x24];
    let author = message.source.map(PeerId::to_bytes).unwrap_or_default();
    let mut id = author.strip_prefix(&HEADER).map_or(author.clone(), <[u8]>::to_vec);
    id.extend(message.sequence_number.unwrap_or_default().to_be_bytes());
    MessageId::from(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use libp2p::identity::Keypair;

    #[test]
    fn a_message_is_named_by_the_key_of_its_author_and_its_number() {
        let key = Keypair::generate_ed25519().public();
        let message = gossipsub::Message {
            source: Some(key.to_peer_id()),
            data: vec![1],
            sequence_number: Some(0x0102_0304_0506_0708),
            topic: TopicHash::from_raw("topic"),
        };
        let expected = [key.encode_protobuf(), vec![1, 2, 3, 4, 5, 6, 7, 8]].concat();
        assert_eq!(message_id(&message).0, expected);
    }
}
