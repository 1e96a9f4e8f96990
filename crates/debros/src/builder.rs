//! [`Builder`]: how a database is opened.

use crate::{Db, Durability, OpenError};
use debros_core::{Models, UserId};
#[cfg(feature = "kubo")]
use debros_ipfs::KuboOptions;
use std::path::{Path, PathBuf};
#[cfg(any(feature = "kubo", feature = "network"))]
use std::time::Duration;

/// How a database is opened: [`Db::builder`] makes one.
#[derive(Clone, Debug)]
#[must_use = "nothing is opened without `.open(models![..])`"]
pub struct Builder {
    pub(crate) folder: PathBuf,
    pub(crate) application: String,
    pub(crate) admins: Vec<UserId>,
    pub(crate) durability: Durability,
    pub(crate) store: debros_ipfs::StoreOptions,
    pub(crate) open_databases: usize,
    #[cfg(feature = "kubo")]
    pub(crate) kubo: Option<KuboOptions>,
    #[cfg(feature = "kubo")]
    pub(crate) kubo_optional: bool,
    #[cfg(feature = "kubo")]
    pub(crate) kubo_peers: bool,
    #[cfg(feature = "kubo")]
    pub(crate) pinned_within: Duration,
    #[cfg(feature = "network")]
    pub(crate) network: Option<JoinOptions>,
    #[cfg(feature = "network")]
    pub(crate) replicated_within: Duration,
}

/// How a database takes part in the network.
#[cfg(feature = "network")]
#[derive(Clone, Debug)]
pub(crate) struct JoinOptions {
    /// Where it listens, as it was said.
    pub(crate) listen: Vec<String>,
    pub(crate) discovery: bool,
    pub(crate) announce: bool,
    /// How many users an archive follows.
    pub(crate) archive: Option<usize>,
    /// Addresses of peers, as they were said.
    pub(crate) peers: Vec<String>,
    /// Lists of peers, and who is to have signed them.
    pub(crate) rendezvous: Vec<(UserId, Vec<u8>)>,
    pub(crate) limits: debros_orbit::NetworkLimits,
    #[cfg(feature = "relay")]
    pub(crate) relay: Option<debros_orbit::RelayLimits>,
}

#[cfg(feature = "network")]
impl Default for JoinOptions {
    fn default() -> JoinOptions {
        JoinOptions {
            listen: Vec::new(),
            discovery: true,
            announce: true,
            archive: None,
            peers: Vec::new(),
            rendezvous: Vec::new(),
            limits: debros_orbit::NetworkLimits::default(),
            #[cfg(feature = "relay")]
            relay: None,
        }
    }
}

impl Builder {
    pub(crate) fn new(folder: &Path, application: &str) -> Builder {
        Builder {
            folder: folder.to_owned(),
            application: application.to_owned(),
            admins: Vec::new(),
            durability: Durability::default(),
            store: debros_ipfs::StoreOptions::default(),
            open_databases: 1024,
            #[cfg(feature = "kubo")]
            kubo: None,
            #[cfg(feature = "kubo")]
            kubo_optional: false,
            #[cfg(feature = "kubo")]
            kubo_peers: false,
            #[cfg(feature = "kubo")]
            pinned_within: Duration::from_secs(30),
            #[cfg(feature = "network")]
            network: None,
            #[cfg(feature = "network")]
            replicated_within: Duration::from_secs(30),
        }
    }

    /// The founding admins of the application: who writes models with `writers = admins`. The addresses of these models follow from
    /// them, so every peer must name the same ones; their order does not matter.
    pub fn admins(mut self, admins: impl IntoIterator<Item = UserId>) -> Builder {
        self.admins = admins.into_iter().collect();
        self
    }

    /// When a write is answered, unless a session says otherwise: [`Durability::Local`] by default.
    pub fn durability(mut self, durability: Durability) -> Builder {
        self.durability = durability;
        self
    }

    /// Keeps the blocks in a Kubo daemon, too: the address of its RPC, as `http://127.0.0.1:5001`, or [`KuboOptions`] with what it
    /// takes to be let in. Everything that was and will be written is sent there and pinned, in the background; the data folder stays
    /// what counts, and the daemon may go away and come back. Opening is an error if the daemon cannot be used, unless it is
    /// [optional](Builder::optional).
    #[cfg(feature = "kubo")]
    pub fn kubo(mut self, daemon: impl Into<KuboOptions>) -> Builder {
        self.kubo = Some(daemon.into());
        self
    }

    /// The Kubo daemon need not be there when the database is opened: [`Kubo::status`](crate::Kubo::status) tells how it stands, and
    /// it is tried again and again.
    #[cfg(feature = "kubo")]
    pub fn optional(mut self) -> Builder {
        self.kubo_optional = true;
        self
    }

    /// Whether the database becomes the same as those of others, through the Kubo daemon: false by default. What the daemon holds is told on
    /// its pubsub, and what others tell of is fetched by it, checked, and joins in the background. The daemons have to be connected, and
    /// their pubsub on (`ipfs config --json Pubsub.Enabled true`): [`Kubo::status`](crate::Kubo::status) tells if it is not. What is replicated
    /// are the global models, one's own data, and that of users who are [followed](crate::Kubo::follow), or were before.
    #[cfg(feature = "kubo")]
    pub fn kubo_peers(mut self, on: bool) -> Builder {
        self.kubo_peers = on;
        self
    }

    /// How long a write with [`Durability::Pinned`] waits for the daemon: 30 seconds by default.
    #[cfg(feature = "kubo")]
    pub fn pinned_within(mut self, within: Duration) -> Builder {
        self.pinned_within = within;
        self
    }

    /// Takes part in the network, and listens for peers at this address, as `/ip4/0.0.0.0/tcp/0` (any free port). It can be
    /// said several times. What is held here is replicated from then on: see [`Network`](crate::Network).
    ///
    /// With the feature `quic` also over QUIC, as at `/ip4/0.0.0.0/udp/0/quic-v1`. With the feature `relay` also through a relay, whose address
    /// `/p2p-circuit` follows: `/ip4/192.0.2.1/tcp/4001/p2p/12D3Koo…/p2p-circuit`. The relay is asked until it lets peers through, and whenever it
    /// does not any more; nobody waits for it when the database is opened. [`Network::addresses`](crate::Network::addresses) has the address by
    /// which peers come through it as long as they can.
    #[cfg(feature = "network")]
    pub fn listen(mut self, address: impl Into<String>) -> Builder {
        self.network.get_or_insert_default().listen.push(address.into());
        self
    }

    /// Takes part in the network without being reachable: peers are [dialled](crate::Network::dial), or found on the local network.
    #[cfg(feature = "network")]
    pub fn dial_only(mut self) -> Builder {
        self.network.get_or_insert_default();
        self
    }

    /// Takes part in the network, and stays connected with the peer at this address, as `/dns4/peers.example.org/tcp/4001/p2p/12D3Koo…`:
    /// it is dialled again and again, with longer and longer pauses, up to a minute. It can be said several times. With the feature `relay` a
    /// peer is also reached through a relay, as at `/ip4/192.0.2.1/tcp/4001/p2p/12D3Koo…/p2p-circuit/p2p/12D3Koo…`, and then, if that is possible, without.
    #[cfg(feature = "network")]
    pub fn peer(mut self, address: impl Into<String>) -> Builder {
        self.network.get_or_insert_default().peers.push(address.into());
        self
    }

    /// Takes part in the network, and stays connected with the peers of a rendezvous list, which has to be signed by this user, for
    /// this application, not to have expired, and not to be older than one of that user that this folder has accepted before: else the
    /// database is not opened. [`Network::rendezvous`](crate::Network::rendezvous)
    /// does the same later, and tells what is wrong without that. `debros rendezvous sign` makes such a list.
    #[cfg(feature = "network")]
    pub fn rendezvous(mut self, publisher: UserId, list: impl Into<Vec<u8>>) -> Builder {
        self.network.get_or_insert_default().rendezvous.push((publisher, list.into()));
        self
    }

    /// Whether peers on the local network are looked for, by mDNS, and this one is found there: true by default.
    #[cfg(feature = "network")]
    pub fn local_discovery(mut self, on: bool) -> Builder {
        self.network.get_or_insert_default().discovery = on;
        self
    }

    /// Whether users are [announced](Db::announce) to the application's other nodes as soon as their identity is taken: true by
    /// default. Without it, whoever is to follow them has to be told their ids.
    #[cfg(feature = "network")]
    pub fn announce_users(mut self, on: bool) -> Builder {
        self.network.get_or_insert_default().announce = on;
        self
    }

    /// Takes part in the network, and follows everyone who is [announced](Db::announce), until data of `users` users is held here, so that
    /// there is a node that has it while others are not there. Who is followed stays so when the folder is opened without it.
    ///
    /// It holds the models that the database is opened with, and no others. Anyone can announce users, so bound `users` by what the
    /// disk holds: whoever is followed decides how much they write.
    #[cfg(feature = "network")]
    pub fn archive(mut self, users: usize) -> Builder {
        self.network.get_or_insert_default().archive = Some(users);
        self
    }

    /// What is taken from peers, at most.
    #[cfg(feature = "network")]
    pub fn network_limits(mut self, limits: debros_orbit::NetworkLimits) -> Builder {
        self.network.get_or_insert_default().limits = limits;
        self
    }

    /// Makes this node a relay: those who cannot be reached themselves are reached by others through it, within these limits. It has to
    /// [listen](Builder::listen), where everybody can reach it. What passes is encrypted between the two, and need not have to do with the
    /// application.
    #[cfg(feature = "relay")]
    pub fn relay(mut self, limits: debros_orbit::RelayLimits) -> Builder {
        self.network.get_or_insert_default().relay = Some(limits);
        self
    }

    /// How long a write with [`Durability::Replicated`] waits for peers: 30 seconds by default.
    #[cfg(feature = "network")]
    pub fn replicated_within(mut self, within: Duration) -> Builder {
        self.replicated_within = within;
        self
    }

    /// Memory for pages of indexes and heads, in bytes: 64 MiB by default.
    pub fn cache_size(mut self, bytes: usize) -> Builder {
        self.store.cache_size = bytes;
        self
    }

    /// A segment file of the local store is sealed when it has this many bytes: 64 MiB by default, at most 2 GiB.
    pub fn segment_size(mut self, bytes: u32) -> Builder {
        self.store.segment_size = bytes;
        self
    }

    /// After so many bytes of writes the indexes are made durable, too: 4 MiB by default. Opening after a crash reads again at
    /// most about twice as many.
    pub fn checkpoint_bytes(mut self, bytes: u64) -> Builder {
        self.store.checkpoint_bytes = bytes;
        self
    }

    /// How many databases (one for each model, user and shard) are kept open at a time: 1,024 by default. An open one costs some hundred
    /// bytes; those not used for longest are closed, and opened again when they are needed.
    pub fn open_databases(mut self, count: usize) -> Builder {
        self.open_databases = count;
        self
    }

    /// Makes all indexes again from the log when the folder is opened, which takes about a minute for a million records. Never
    /// needed, unless [`Db::verify`] says that they differ.
    pub fn rebuild(mut self) -> Builder {
        self.store.rebuild = true;
        self
    }

    /// Opens the database, and makes its folder if it is not there.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(self, models: Models) -> Result<Db, OpenError> {
        Db::open_with(self, models).await
    }
}
