//! Connections through relays: being reached by them, being one, and doing without.

mod detours;
mod places;
mod relay_limits;
mod reservations;
mod server;

use libp2p::{
    PeerId, dcutr, relay,
    swarm::{NetworkBehaviour, behaviour::toggle::Toggle},
};

pub use relay_limits::RelayLimits;
pub(super) use reservations::{Reservations, relay_of};

use detours::Detours;
use server::Server;

/// What a node speaks that has to do with relays.
#[derive(NetworkBehaviour)]
pub(super) struct Relay {
    client: relay::client::Behaviour,
    server: Toggle<Server>,
    holes: dcutr::Behaviour,
    detours: Detours,
}

impl Relay {
    pub(super) fn new(me: PeerId, client: relay::client::Behaviour, limits: Option<&RelayLimits>) -> Relay {
        let server = limits.map(|limits| Server::new(me, limits));
        Relay { client, server: server.into(), holes: dcutr::Behaviour::new(me), detours: Detours::default() }
    }
}
