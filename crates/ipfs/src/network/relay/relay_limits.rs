use std::time::Duration;

/// What a relay does for others, at most.
///
/// Besides, there is a bound on how often it is asked: 30 times by a peer for a reservation, and once more every two minutes; 60 times by
/// an IP address, and once more every minute; 60 times by a peer for a connection with another, and once more every ten seconds; 240 times by an IP
/// address, and once more every three seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RelayLimits {
    /// Peers that can be reached through it (default 128). Each keeps a connection with the relay, which counts against
    /// [`NetworkLimits::inbound_connections`](crate::NetworkLimits::inbound_connections), too.
    pub reservations: usize,
    /// How long a reservation lasts unless it is renewed, which is done after three quarters of that (default an hour).
    pub reservation_lasts: Duration,
    /// Connections between others that it carries at a time (default 64).
    pub circuits: usize,
    /// Such connections that one peer has opened (default 8).
    pub circuits_per_peer: usize,
    /// How long one lasts (default an hour). The peers connect again.
    pub circuit_lasts: Duration,
    /// Bytes that one carries, both ways together (default 256 MiB); 0 is as many as it takes. The peers connect again.
    pub circuit_bytes: u64,
}

impl Default for RelayLimits {
    fn default() -> RelayLimits {
        RelayLimits {
            reservations: 128,
            reservation_lasts: Duration::from_secs(3600),
            circuits: 64,
            circuits_per_peer: 8,
            circuit_lasts: Duration::from_secs(3600),
            circuit_bytes: 256 << 20,
        }
    }
}
