use super::Announcement;
use std::net::{Ipv4Addr, Ipv6Addr};

/// How well an address of a daemon serves others: the smaller, the better.
///
/// A daemon gives its addresses as sorted texts, four for each interface, so that the first ones are often all of the machine itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reach {
    transport: Transport,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Transport {
    /// TCP and QUIC, which every daemon speaks.
    Common,
    /// Those that were made for browsers.
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Public,
    Private,
    Loopback,
}

impl Reach {
    /// `None`, if the text is no address of this daemon that another one could dial.
    fn of(address: &str, peer: &str) -> Option<Reach> {
        let (route, id) = address.rsplit_once("/p2p/")?;
        let sound = address.len() <= Announcement::MAX_ADDRESSES.1
            && address.bytes().all(|byte| byte.is_ascii_graphic())
            // what leads over another peer would have the daemon dial that one
            && !route.contains("/p2p");
        if !sound || id != peer || peer.is_empty() {
            return None;
        }
        let mut parts = route.strip_prefix('/')?.split('/');
        let place = match (parts.next()?, parts.next()?) {
            ("ip4", ip) => Place::of_v4(ip.parse().ok()?),
            ("ip6", ip) => Place::of_v6(ip.parse().ok()?),
            ("dns" | "dns4" | "dns6" | "dnsaddr", name) if !name.is_empty() => Place::Public,
            _ => return None,
        };
        let common = parts.all(|part| !matches!(part, "webtransport" | "webrtc-direct" | "webrtc" | "ws" | "wss"));
        let transport = if common { Transport::Common } else { Transport::Other };
        Some(Reach { transport, place })
    }

    /// So many of the addresses of a daemon, those that reach it best first.
    pub(super) fn best(addresses: &[String], peer: &str, most: usize) -> Vec<String> {
        let mut good: Vec<(Reach, &String)> =
            addresses.iter().filter_map(|address| Some((Reach::of(address, peer)?, address))).collect();
        good.sort_by_key(|(reach, _)| *reach);
        good.dedup();
        good.into_iter().take(most).map(|(_, address)| address.clone()).collect()
    }
}

impl Place {
    fn of_v4(ip: Ipv4Addr) -> Place {
        if ip.is_loopback() || ip.is_unspecified() {
            Place::Loopback
        } else if ip.is_private() || ip.is_link_local() || matches!(ip.octets(), [100, 64..=127, ..]) {
            Place::Private
        } else {
            Place::Public
        }
    }

    fn of_v6(ip: Ipv6Addr) -> Place {
        if let Some(ip) = ip.to_ipv4_mapped() {
            Place::of_v4(ip)
        } else if ip.is_loopback() || ip.is_unspecified() {
            Place::Loopback
        } else if ip.is_unique_local() || ip.is_unicast_link_local() {
            Place::Private
        } else {
            Place::Public
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `/id` of a daemon with the default configuration gives.
    fn default_daemon(peer: &str) -> Vec<String> {
        let hash = "uEiDxYhCmPGXnVjkQ0XyBqJ8NQ4v3dJvXfZkPvBdpGzC1aA";
        let ips = ["ip4/127.0.0.1", "ip4/172.17.0.1", "ip4/192.168.1.5", "ip4/203.0.113.7", "ip6/::1"];
        let of_one = |ip: &str| {
            [
                format!("/{ip}/tcp/4001/p2p/{peer}"),
                format!("/{ip}/udp/4001/quic-v1/p2p/{peer}"),
                format!("/{ip}/udp/4001/quic-v1/webtransport/certhash/{hash}/certhash/{hash}/p2p/{peer}"),
                format!("/{ip}/udp/4001/webrtc-direct/certhash/{hash}/p2p/{peer}"),
            ]
        };
        let mut all: Vec<String> = ips.into_iter().flat_map(of_one).collect();
        all.sort();
        all
    }

    #[test]
    fn what_others_can_reach_comes_before_what_only_this_machine_can() {
        let all = default_daemon("a");
        let expected = [
            "/ip4/203.0.113.7/tcp/4001/p2p/a",
            "/ip4/203.0.113.7/udp/4001/quic-v1/p2p/a",
            "/ip4/172.17.0.1/tcp/4001/p2p/a",
            "/ip4/172.17.0.1/udp/4001/quic-v1/p2p/a",
            "/ip4/192.168.1.5/tcp/4001/p2p/a",
            "/ip4/192.168.1.5/udp/4001/quic-v1/p2p/a",
            "/ip4/127.0.0.1/tcp/4001/p2p/a",
            "/ip4/127.0.0.1/udp/4001/quic-v1/p2p/a",
        ];
        assert_eq!(Reach::best(&all, "a", 8), expected);
        // and those who hear it take the first of these
        assert_eq!(Reach::best(&expected.map(str::to_owned), "a", 6), expected[..6]);
        let every = Reach::best(&all, "a", usize::MAX);
        assert_eq!(every.len(), all.len());
        assert!(every[10].contains("203.0.113.7") && every[19].contains("webrtc-direct"), "{every:?}");
    }

    #[test]
    fn nobody_tells_of_others_or_nonsense() {
        let long = format!("/dns/{}/tcp/1/p2p/a", "x".repeat(256));
        for bad in [
            "",
            "a",
            "/p2p/a",
            "/unix/x/p2p/a",
            "/ip4/192.0.2.1/tcp/1/p2p/b",
            "/ip4/192.0.2.1 /tcp/1/p2p/a",
            "/ip4/192.0.2/tcp/1/p2p/a",
            "/dns//p2p/a",
            "/ip4/192.0.2.1/tcp/1/p2p/b/p2p/a",
            "/ip4/192.0.2.1/tcp/1/p2p/b/p2p-circuit/p2p/a",
            &long,
        ] {
            assert_eq!(Reach::of(bad, "a"), None, "{bad}");
        }
    }
}
