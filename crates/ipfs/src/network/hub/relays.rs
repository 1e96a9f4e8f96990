//! What a hub does with the relays through which its node is to be reached.

use std::{error::Error, io, time::Instant};

use libp2p::{Multiaddr, core::transport::ListenerId};

use super::{Hub, NetworkEvent, is_relayed};
use crate::network::relay::relay_of;

impl Hub {
    /// Asks the relays that are to be asked by now.
    pub(super) fn ask_relays(&mut self) {
        let now = Instant::now();
        for (relay, address) in self.reservations.due(now) {
            match self.swarm.listen_on(address) {
                Ok(listener) => self.reservations.asks(&relay, listener),
                Err(_) => self.reservations.not_asked(&relay, now),
            }
        }
    }

    /// A relay lets peers through: this is where.
    pub(super) fn relay_lets(&mut self, address: Multiaddr) -> Option<NetworkEvent> {
        if !is_relayed(&address) {
            return None;
        }
        let mut listened = address.clone();
        listened.pop();
        if let Some(relay) = relay_of(&listened) {
            self.reservations.made(&relay);
        }
        self.known.send_modify(|known| {
            if !known.addresses.contains(&address) {
                known.addresses.push(address.clone());
            }
        });
        Some(NetworkEvent::Reachable(address))
    }

    /// A relay says where it is. The node tells its own user the address that it was given, not what a relay makes of itself.
    pub(super) fn relay_tells(&mut self, id: ListenerId, address: Multiaddr) {
        if let Some(relay) = self.reservations.tells(id, address) {
            // an error means that it has just gone
            let _ = self.swarm.disconnect_peer_id(relay);
        }
    }

    /// A listener has ended, which may be one at a relay.
    pub(super) fn relay_ended(&mut self, id: ListenerId, ended: io::Result<()>) -> Option<NetworkEvent> {
        let (relay, failed) = self.reservations.ended(id, Instant::now())?;
        let reason = match ended {
            Err(error) => with_causes(&error),
            Ok(()) => failed.unwrap_or_else(|| "the connection with it has ended".to_owned()),
        };
        Some(NetworkEvent::Unreachable { relay, reason })
    }
}

/// The text of an error, and of those below it that it does not repeat.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let below = error.to_string();
        if !text.contains(&below) {
            text = format!("{}: {below}", text.trim_end_matches('.'));
        }
        cause = error.source();
    }
    text
}
