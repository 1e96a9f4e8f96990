use libp2p::{Multiaddr, multiaddr::Protocol};

/// The cargo feature without which nobody is reached, or heard, at this address.
pub fn missing_feature(address: &Multiaddr) -> Option<&'static str> {
    address.iter().find_map(|part| match part {
        Protocol::QuicV1 if !cfg!(feature = "quic") => Some("quic"),
        Protocol::P2pCircuit if !cfg!(feature = "relay") => Some("relay"),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_tells_what_it_takes() {
        let id = libp2p::PeerId::random();
        let missing = |address: &str| missing_feature(&address.parse().unwrap());
        assert_eq!(missing("/ip4/192.0.2.1/tcp/4001"), None);
        assert_eq!(missing("/ip4/192.0.2.1/udp/4001/quic-v1"), (!cfg!(feature = "quic")).then_some("quic"));
        let circuit = format!("/ip4/192.0.2.1/tcp/4001/p2p/{id}/p2p-circuit");
        assert_eq!(missing(&circuit), (!cfg!(feature = "relay")).then_some("relay"));
    }
}
