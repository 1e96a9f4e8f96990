//! [`Network`]: a database and its peers.

use crate::{Db, Identity, UnfollowError, WriteError, blocking, builder::JoinOptions};
use debros_core::{Timestamp, UserId};
use debros_orbit::{
    DatabaseId, Multiaddr, NetworkOptions, Node, NotReplicated, PeerId, PublicKey, ReadDocuments as _, ReadError,
    Rendezvous, RendezvousError, Replication, ReplicationError, ReplicationEvent, ReplicationEvents, SyncState,
    Traffic, missing_feature,
};
use debros_query::SourceError;
use std::{
    collections::HashSet,
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};

/// A database and its peers: [`Db::network`] gives it. A cheap clone.
///
/// What is replicated is what is held here: the global models, one's own data, and that of the users who are
/// [followed](Network::follow); and who has [announced](Db::users) themselves. What peers write is checked, joins in the background, and is seen by the next query.
#[derive(Clone, Debug)]
pub struct Network {
    db: Db,
}

/// The network of a database that was opened with one.
pub(crate) struct Joined {
    replication: Replication,
    /// Are users announced by themselves?
    announce: bool,
    /// How many users an archive follows.
    archive: Option<usize>,
    /// The database in which users announce themselves, once it is open.
    users: OnceLock<DatabaseId>,
    /// The databases that are replicated.
    open: Mutex<HashSet<DatabaseId>>,
    replicated_within: Duration,
}

/// Why something was not done in the network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// The database was opened without a network.
    #[error(
        "this database was opened without a network: say where it listens, `Db::builder(..).listen(\"/ip4/0.0.0.0/tcp/0\")`"
    )]
    NotListening,
    /// A text that is no address of a peer.
    #[error(
        "`{address}` is no address of a peer: expected one as `/ip4/192.0.2.1/tcp/4001`, with `/p2p/` and its id or without: {reason}"
    )]
    Address {
        /// The text.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An address that takes more than what was compiled.
    #[error(
        "`{address}` takes the cargo feature `{feature}`: `debros = {{ version = \"..\", features = [\"{feature}\"] }}`"
    )]
    Feature {
        /// The address.
        address: String,
        /// The feature.
        feature: &'static str,
    },
    /// The peer is not to be reached.
    #[error("the peer at {address} is not to be reached: {source}")]
    Dial {
        /// Its address.
        address: String,
        /// Why.
        source: debros_orbit::DialError,
    },
    /// A rendezvous list that is of no use.
    #[error(transparent)]
    Rendezvous(#[from] RendezvousError),
    /// A user's data was not taken away.
    #[error(transparent)]
    Unfollow(#[from] UnfollowError),
    /// What is to be replicated cannot be opened here.
    #[error(transparent)]
    Open(Box<WriteError>),
    /// Replication.
    #[error(transparent)]
    Replication(#[from] ReplicationError),
    /// The local databases could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Who is announced could not be read.
    #[error(transparent)]
    Users(#[from] SourceError),
}

impl From<WriteError> for NetworkError {
    fn from(error: WriteError) -> NetworkError {
        NetworkError::Open(Box::new(error))
    }
}

/// A peer that is connected.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NetworkPeer {
    /// Its id.
    pub id: String,
    /// Where it is. While it is connected through a relay alone, the address has a `/p2p-circuit/`.
    pub address: String,
}

/// How far a database agrees with the peers that have it, too.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DatabaseSync {
    /// The stored name of the model, or `Model.relation` for links; `!users` for the announcements of users.
    pub model: String,
    /// Whose data it is, if the model is user-scoped.
    pub user: Option<UserId>,
    /// Its address.
    pub address: String,
    /// Heads here and there, and what is missing.
    pub state: SyncState,
}

/// What happens in the network.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum NetworkEvent {
    /// A peer is connected.
    Connected {
        /// Its id.
        peer: String,
    },
    /// A peer is connected no more.
    Disconnected {
        /// Its id.
        peer: String,
    },
    /// A peer that was connected through a relay is connected directly.
    #[cfg(feature = "relay")]
    Direct {
        /// Its id.
        peer: String,
    },
    /// A relay lets peers reach this node.
    #[cfg(feature = "relay")]
    Reachable {
        /// Where they do.
        address: String,
    },
    /// A relay does not let peers reach this node, or not any more. It is asked again and again.
    #[cfg(feature = "relay")]
    Unreachable {
        /// The relay's id.
        relay: String,
        /// Why.
        reason: String,
    },
    /// A peer did too much that no honest one does, and is refused for some time.
    Refused {
        /// Its id.
        peer: String,
        /// For how long.
        lasts: Duration,
    },
    /// An exchange with a peer has ended: each was sent what it lacked of what the other had.
    Synced {
        /// The stored name of the model, or `Model.relation` for links.
        model: String,
        /// Whose data it is, if the model is user-scoped.
        user: Option<UserId>,
        /// The peer's id.
        peer: String,
        /// What went over the wire.
        traffic: Traffic,
    },
    /// A model has other records here: they were written here, or have come from peers.
    Changed {
        /// The stored name of the model, or `Model.relation` for links.
        model: String,
        /// Whose data it is, if the model is user-scoped.
        user: Option<UserId>,
        /// How many entries the log has.
        entries: u64,
    },
    /// Users have announced themselves, or say something else of themselves: [`Db::users`] tells who there is.
    Users,
    /// Entries of a model have come from peers.
    Received {
        /// The stored name of the model, or `Model.relation` for links.
        model: String,
        /// Whose data it is, if the model is user-scoped.
        user: Option<UserId>,
        /// How many have joined at once; those that wait for others follow.
        joined: u64,
        /// Entries that are held back, and why: who may not write, or is forged.
        refused: Vec<String>,
    },
}

/// What happens in the network, one after the other: [`Network::events`] gives it.
#[derive(Debug)]
pub struct NetworkEvents {
    db: Db,
    events: ReplicationEvents,
}

impl Network {
    pub(crate) fn new(db: Db) -> Network {
        Network { db }
    }

    fn joined(&self) -> Result<&Joined, NetworkError> {
        self.db.joined().ok_or(NetworkError::NotListening)
    }

    /// Where peers can dial this one: addresses that end with its id; those through relays as long as these let peers through. Empty without a
    /// network.
    pub fn addresses(&self) -> Vec<String> {
        let Ok(joined) = self.joined() else { return Vec::new() };
        joined.replication.addresses().iter().map(ToString::to_string).collect()
    }

    /// The peers that are connected.
    pub fn peers(&self) -> Vec<NetworkPeer> {
        let Ok(joined) = self.joined() else { return Vec::new() };
        let peers = joined.replication.peers().into_iter();
        peers.map(|peer| NetworkPeer { id: peer.id.to_string(), address: peer.address.to_string() }).collect()
    }

    /// Connects to the peer at this address, and gives its id.
    ///
    /// # Errors
    /// If the text is no address, or one that takes a cargo feature which is not there, or nobody answers there.
    pub async fn dial(&self, address: &str) -> Result<String, NetworkError> {
        let joined = self.joined()?;
        let peer = joined.replication.dial(parse(address)?).await;
        let peer = peer.map_err(|source| NetworkError::Dial { address: address.to_owned(), source })?;
        Ok(peer.to_string())
    }

    /// Stays connected with the peers of a rendezvous list, if this user has signed it for this application, it has not expired, and none
    /// that was issued later was accepted in this folder before: they are dialled again and again. Gives their addresses.
    ///
    /// # Errors
    /// If it is no list, or none for this application now, or there is no network. Addresses that take a cargo feature which is not
    /// there are left out.
    pub async fn rendezvous(&self, publisher: UserId, list: &[u8]) -> Result<Vec<String>, NetworkError> {
        let joined = self.joined()?;
        let application = self.db.stores().databases.application().name();
        let list = meeting(self.db.node(), application, vec![(publisher, list.to_vec())]).await?;
        for address in &list {
            joined.replication.keep(address.clone());
        }
        Ok(list.iter().map(ToString::to_string).collect())
    }

    /// Ends the connections with a peer, of this id.
    ///
    /// # Errors
    /// If the text is no id of a peer.
    pub fn disconnect(&self, peer: &str) -> Result<(), NetworkError> {
        let wrong = |reason: String| NetworkError::Address { address: peer.chars().take(80).collect(), reason };
        let id: PeerId = peer.parse().map_err(|_| wrong("it is no id of a peer".to_owned()))?;
        self.joined()?.replication.disconnect(id);
        Ok(())
    }

    /// Replicates the data of a user, that of all models, from now on, and whenever the folder is opened with a network, until the
    /// user is [unfollowed](Network::unfollow).
    ///
    /// # Errors
    /// If the data cannot be opened here.
    pub async fn follow(&self, user: UserId) -> Result<(), NetworkError> {
        self.joined()?;
        self.db.open_all(Some(user)).await
    }

    /// Replicates the data of a user no more, and takes it away: afterwards no query sees it, and the folder does not follow the user
    /// when it is opened again. It begins in one write, and goes on whether or not it is waited for. To follow the user again fetches it again. The global models stay as they are, with what the user
    /// wrote there.
    ///
    /// The rows go in small steps, and what was begun goes on when the folder is opened again. Then the room on the disk is given
    /// back, in the background and where it is a good part of a file: see [`Db::reclaim`](crate::Db::reclaim).
    /// A Kubo daemon's pins of the data are removed as soon as the daemon is there.
    ///
    /// # Errors
    /// If the user has an identity in this folder ([`UnfollowError::OwnUser`]), or the store fails.
    pub async fn unfollow(&self, user: UserId) -> Result<(), NetworkError> {
        self.joined()?;
        Ok(self.db.drop_user(user).await?)
    }

    /// How far each database agrees with the peers that have it, too.
    ///
    /// # Errors
    /// If the databases cannot be read.
    pub async fn sync(&self) -> Result<Vec<DatabaseSync>, NetworkError> {
        let joined = self.joined()?;
        let mut open: Vec<DatabaseId> = joined.open().iter().copied().collect();
        open.sort_unstable();
        let mut all = Vec::with_capacity(open.len());
        for id in open {
            let state = joined.replication.sync(id).await?;
            let Some((model, user, address)) = self.db.told(id)? else { continue };
            all.push(DatabaseSync { model, user, address, state });
        }
        Ok(all)
    }

    /// What happens from now on.
    ///
    /// # Errors
    /// Without a network.
    pub fn events(&self) -> Result<NetworkEvents, NetworkError> {
        Ok(NetworkEvents { db: self.db.clone(), events: self.joined()?.replication.events() })
    }
}

impl NetworkEvents {
    /// The next event; `None` when the database was closed. Who is too slow misses the oldest.
    pub async fn next(&mut self) -> Option<NetworkEvent> {
        loop {
            match self.events.next().await? {
                ReplicationEvent::Connected(peer) => return Some(NetworkEvent::Connected { peer: peer.to_string() }),
                ReplicationEvent::Disconnected(peer) => {
                    return Some(NetworkEvent::Disconnected { peer: peer.to_string() });
                }
                #[cfg(feature = "relay")]
                ReplicationEvent::Direct(peer) => return Some(NetworkEvent::Direct { peer: peer.to_string() }),
                #[cfg(feature = "relay")]
                ReplicationEvent::Reachable(address) => {
                    return Some(NetworkEvent::Reachable { address: address.to_string() });
                }
                #[cfg(feature = "relay")]
                ReplicationEvent::Unreachable { relay, reason } => {
                    return Some(NetworkEvent::Unreachable { relay: relay.to_string(), reason });
                }
                ReplicationEvent::Refused { peer, lasts } => {
                    return Some(NetworkEvent::Refused { peer: peer.to_string(), lasts });
                }
                ReplicationEvent::Synced { database, peer, traffic } => {
                    let Ok(Some((model, user, _))) = self.db.told(database) else { continue };
                    return Some(NetworkEvent::Synced { model, user, peer: peer.to_string(), traffic });
                }
                ReplicationEvent::Changed { database, .. } if self.db.is_of_users(database) => {
                    return Some(NetworkEvent::Users);
                }
                ReplicationEvent::Changed { database, entries } => {
                    let Ok(Some((model, user, _))) = self.db.told(database) else { continue };
                    return Some(NetworkEvent::Changed { model, user, entries });
                }
                ReplicationEvent::Received { database, joined, held, .. } => {
                    // what cannot be told of any more was closed
                    let Ok(Some((model, user, _))) = self.db.told(database) else { continue };
                    let refused = held.iter().map(|(hash, hold)| format!("{hash}: {hold}")).collect();
                    return Some(NetworkEvent::Received { model, user, joined, refused });
                }
                _ => {}
            }
        }
    }
}

/// What the application said of the network, understood.
pub(crate) struct Joining {
    options: NetworkOptions,
    announce: bool,
    archive: Option<usize>,
    peers: Vec<Multiaddr>,
    application: String,
    rendezvous: Vec<(UserId, Vec<u8>)>,
}

impl Joining {
    pub(crate) fn of(join: JoinOptions, application: &str) -> Result<Joining, NetworkError> {
        let parse_all = |all: &[String]| all.iter().map(|address| parse(address)).collect::<Result<Vec<_>, _>>();
        let mut options = NetworkOptions::default();
        options.listen = parse_all(&join.listen)?;
        options.mdns = join.discovery;
        options.limits = join.limits;
        #[cfg(feature = "relay")]
        {
            options.relay = join.relay;
        }
        let peers = parse_all(&join.peers)?;
        for (publisher, list) in &join.rendezvous {
            Rendezvous::open(list, application, &PublicKey::from_bytes(*publisher.as_bytes()), Timestamp::now())?;
        }
        let JoinOptions { announce, archive, rendezvous, .. } = join;
        Ok(Joining { options, announce, archive, peers, application: application.to_owned(), rendezvous })
    }

    pub(crate) async fn join(self, node: &Node, replicated_within: Duration) -> Result<Joined, NetworkError> {
        let Joining { options, announce, archive, peers, application, rendezvous } = self;
        let listed = meeting(node, &application, rendezvous).await?;
        let replication = node.replicate(options).await?;
        for address in peers.into_iter().chain(listed) {
            replication.keep(address);
        }
        let (users, open) = (OnceLock::new(), Mutex::default());
        Ok(Joined { replication, announce, archive, users, open, replicated_within })
    }
}

impl Joined {
    /// Waits until so many peers have what these databases hold now.
    pub(crate) async fn replicated(&self, databases: &[DatabaseId], peers: usize) -> Result<(), NotReplicated> {
        self.replication.replicated(databases, peers, self.replicated_within).await
    }

    fn open(&self) -> std::sync::MutexGuard<'_, HashSet<DatabaseId>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replicates this database no more.
    pub(crate) async fn leave(&self, database: DatabaseId) -> Result<(), ReplicationError> {
        self.replication.close_database(database).await?;
        self.open().remove(&database);
        Ok(())
    }

    /// How many users it follows, if this is an archive.
    pub(crate) fn archive(&self) -> Option<usize> {
        self.archive
    }

    /// The database in which users announce themselves, once it is open.
    pub(crate) fn users(&self) -> Option<DatabaseId> {
        self.users.get().copied()
    }

    pub(crate) fn events(&self) -> ReplicationEvents {
        self.replication.events()
    }

    /// Runs something until the network ends.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.replication.spawn(work);
    }

    /// Replicates these databases, unless they are.
    pub(crate) async fn replicate(
        &self,
        databases: impl IntoIterator<Item = DatabaseId>,
    ) -> Result<(), ReplicationError> {
        for database in databases {
            if !self.open().insert(database) {
                continue;
            }
            if let Err(error) = self.replication.open(database).await {
                self.open().remove(&database);
                return Err(error);
            }
        }
        Ok(())
    }

    pub(crate) async fn close(&self) {
        self.replication.close().await;
    }
}

impl Db {
    /// The database's peers. Without [`Builder::listen`](crate::Builder::listen) there are none.
    pub fn network(&self) -> Network {
        Network::new(self.clone())
    }

    /// Replicates what is held here, and the global models.
    pub(crate) async fn join_network(&self) -> Result<(), NetworkError> {
        self.open_all(None).await?;
        let users = self.stores().databases.application().users();
        let users = self.commit(move |writer| writer.open(&users)).await?;
        if let Some(joined) = self.joined() {
            let _ = joined.users.set(users);
            joined.replicate([users]).await?;
        }
        let held = self.held()?;
        if let Some(joined) = self.joined() {
            joined.replicate(held).await?;
        }
        Ok(())
    }

    /// Replicates the data of a user of this folder, and announces them.
    pub(crate) async fn take_into_network(&self, identity: &Identity) -> Result<(), NetworkError> {
        let Some(joined) = self.joined() else { return Ok(()) };
        self.open_all(Some(identity.user())).await?;
        if joined.announce {
            self.announce_device(identity).await?;
        }
        Ok(())
    }

    /// Is this the database in which users announce themselves?
    fn is_of_users(&self, database: DatabaseId) -> bool {
        self.joined().is_some_and(|joined| joined.users() == Some(database))
    }

    /// Opens the databases of a user, or of the global models, and replicates them.
    pub(crate) async fn open_all(&self, user: Option<UserId>) -> Result<(), NetworkError> {
        let _alone = self.following().await;
        let opened = self.open_of(user).await?;
        if let Some(joined) = self.joined() {
            joined.replicate(opened.iter().copied()).await?;
        }
        // that it cannot be told any more means that the database was closed
        #[cfg(feature = "kubo")]
        let _ = self.replicate_through_kubo(&opened).await;
        Ok(())
    }

    /// The model, the user and the address of a database.
    fn told(&self, database: DatabaseId) -> Result<Option<(String, Option<UserId>, String)>, ReadError> {
        let info = self.snapshot()?.info(database)?;
        if self.is_of_users(database) {
            return Ok(Some((debros_shard::USERS.to_owned(), None, info.address.to_string())));
        }
        let Some(model) = self.stores().model_of(&info.spec.family) else { return Ok(None) };
        let name: Option<debros_shard::DatabaseName> = info.spec.name.parse().ok();
        let user = name.and_then(|name| name.user?.parse().ok());
        Ok(Some((model.stored.to_owned(), user, info.address.to_string())))
    }
}

/// The addresses of rendezvous lists that are for this application, now, and were not replaced by newer ones.
async fn meeting(
    node: &Node,
    application: &str,
    lists: Vec<(UserId, Vec<u8>)>,
) -> Result<Vec<Multiaddr>, NetworkError> {
    let (node, application) = (node.clone(), application.to_owned());
    let accept = move || {
        let mut addresses = Vec::new();
        for (publisher, list) in lists {
            let publisher = PublicKey::from_bytes(*publisher.as_bytes());
            let list = node.accept_rendezvous(&list, &application, &publisher, Timestamp::now())?;
            // of a peer that has several addresses, those that take another feature are for others
            let parsed = list.peers().map(|address| parse(&address));
            let ours = parsed.filter(|address| !matches!(address, Err(NetworkError::Feature { .. })));
            addresses.extend(ours.collect::<Result<Vec<_>, _>>()?);
        }
        Ok(addresses)
    };
    blocking::run(accept).await
}

/// An address, or what is wrong with the text, or with how this was compiled.
pub(crate) fn parse(address: &str) -> Result<Multiaddr, NetworkError> {
    let text = || address.chars().take(200).collect();
    let parsed: Multiaddr = address.parse().map_err(|error: <Multiaddr as std::str::FromStr>::Err| {
        NetworkError::Address { address: text(), reason: error.to_string() }
    })?;
    match missing_feature(&parsed) {
        Some(feature) => Err(NetworkError::Feature { address: text(), feature }),
        None => Ok(parsed),
    }
}
