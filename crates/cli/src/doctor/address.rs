/// Where a daemon listens: a multiaddress, as `/ip4/127.0.0.1/tcp/5001`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address<'a>(pub(crate) &'a str);

impl Address<'_> {
    /// Whether only programs on the same machine can reach it.
    pub(crate) fn is_local(&self) -> bool {
        let mut parts = self.0.trim_start_matches('/').split('/');
        match (parts.next(), parts.next()) {
            (Some("ip4"), Some(ip)) => ip.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback()),
            (Some("ip6"), Some(ip)) => ip.parse::<std::net::Ipv6Addr>().is_ok_and(|ip| ip.is_loopback()),
            (Some("dns" | "dns4" | "dns6"), Some(name)) => name.eq_ignore_ascii_case("localhost"),
            (Some("unix"), _) => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_local() {
        for local in [
            "/ip4/127.0.0.1/tcp/5001",
            "/ip4/127.1.2.3/tcp/1",
            "/ip6/::1/tcp/5001",
            "/dns4/localhost/tcp/1",
            "/unix/run/ipfs",
        ] {
            assert!(Address(local).is_local(), "{local}");
        }
        for open in
            ["/ip4/0.0.0.0/tcp/5001", "/ip4/192.168.0.2/tcp/5001", "/ip6/::/tcp/5001", "/dns4/kubo/tcp/1", "", "x"]
        {
            assert!(!Address(open).is_local(), "{open}");
        }
    }
}
