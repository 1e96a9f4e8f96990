//! The OrbitDB layer of debros: identities, signed entries, logs, databases and their state. It knows nothing of
//! models.
//!
//! # What it is
//! The formats are those of `@orbitdb/core` 4, byte for byte, as its vectors show: entries, identities, manifests, access
//! lists, addresses. Beyond them, every entry of others is checked for what JavaScript lets pass ([`Writer::join`]),
//! equal clocks are told apart, everything from outside is bounded, and databases are read from indexes, never by a walk
//! of the log.
//!
//! | to | use |
//! |---|---|
//! | take what came from a peer | [`Node::receive`], [`Receipt`], [`ReadDocuments::held`], [`ReadDocuments::wanted`], [`Node::fetch_from`] |
//! | say who may write | [`AccessSpec`], [`Writer::grant`], [`Writer::revoke`], [`AccessController`] |
//! | encrypt | [`Encryption`], [`Cipher`], [`Node::set_encryption`] |
//! | compare replicas | [`ReadDocuments::state_hash`] |
//! | bound what others may send | [`Limits`] |
//! | open a data folder | [`Node`] |
//! | be somebody | [`Node::identity`], [`Identity`], [`Keystore`], [`UserKey`] |
//! | write, all or nothing | [`Node::write`], [`Writer`] |
//! | read what was there at one moment | [`Node::snapshot`], [`Snapshot`], [`ReadDocuments`] |
//! | follow what changes | [`Node::feed`], [`Feed`], [`Change`], [`FeedPosition`] |
//! | name a database | [`DatabaseSpec`], [`Address`], [`Manifest`], [`AccessList`] |
//! | tell keys and index rows of records | [`Schema`] |
//! | look into a folder without its schema | [`Inspection`] |
//! | handle the formats themselves | [`Entry`], [`IdentityBlock`], [`Log`], [`Documents`], [`Events`], [`Capabilities`], [`SigningKey`], [`PublicKey`] |
//! | encrypt payloads or whole entries | [`Encryption`], [`Cipher`], [`XChaCha20Cipher`], [`SimpleEncryption`] |
//! | replicate with peers (feature `network`; over QUIC `quic`, through relays `relay`) | `Node::replicate`, `Replication` |
//! | replicate through Kubo daemons (feature `kubo`) | `Node::ship`, `Courier::replicate`, `KuboReplication` |
//! | know what a JavaScript peer sees | [`JavaScriptLog`], [`JavaScriptEntry`] |
//!
//! # A database without models
//! ```
//! use debros_core::{Collation, Map};
//! use debros_orbit::{DatabaseSpec, Durability, NoSchema, Node, NodeOptions, ReadDocuments, WriteError};
//! use std::sync::Arc;
//!
//! # futures::executor::block_on(async {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let node = Node::open(folder, NodeOptions::default(), Arc::new(NoSchema))?;
//! let me = node.identity("me")?;
//! let notes = DatabaseSpec::documents("notes", [me.id()]);
//!
//! let (spec, writer) = (notes.clone(), me.clone());
//! node.write(Durability::Local, move |w| {
//!     let notes = w.open(&spec)?;
//!     w.put(notes, &writer, Map::from_iter([("_id", "milk"), ("text", "buy some")]))?;
//!     Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
//! })
//! .await?;
//! node.close().await?;
//! drop(node);
//!
//! let node = Node::open(folder, NodeOptions::default(), Arc::new(NoSchema))?;
//! let snapshot = node.snapshot()?;
//! let notes = snapshot.find(&notes)?.expect("it was opened before").id;
//! let mut key = Vec::new();
//! Collation::Plain.encode_whole(&"milk".into(), &mut key);
//! let milk = snapshot.get(notes, &key)?.expect("it was put before");
//! assert_eq!(milk.record.field("text").as_text(), Some("buy some"));
//! assert_eq!(milk.author, me.id());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! # How state follows from the log
//! The journal of the store below records what happened: a database was opened, an identity was checked, an entry joined,
//! or was received and is held back, was judged again, released. Everything else is derived from these and from the blocks beside them, by the same functions when it is
//! written and when it is replayed: heads, what each key holds, index rows, problems, counts. [`Node::verify`] derives
//! it anew and compares.
//!
//! Of a key, the entry with the larger clock wins, then that of the larger key, then that of the larger hash; so
//! replicas agree in whatever order entries arrive. Deletions are remembered until something newer is put.
//!
//! # What is stricter than in JavaScript
//! An entry joins only if it has exactly the nine fields, in canonical bytes; `key` and `clock.id` are the key of the
//! identity it names; `v` is 2; its time is an integer larger than those it follows, by no more than [`MAX_JUMP`]; it
//! is at most [`MAX_ACCEPTED`] bytes and [`MAX_DEPTH`] levels deep; and everything that it follows or refers to is
//! here, in the log or refused. Honest JavaScript entries pass. A payload that means nothing joins the log and changes no
//! state.
//!
//! What does not pass, or not yet, is held back ([`Hold`]) and judged again when what it lacked arrives. What builds on a
//! refused entry joins without it.

mod access_controller;
mod access_list;
mod address;
#[cfg(any(feature = "kubo", feature = "network"))]
mod agenda;
mod capabilities;
mod cipher;
mod clock;
mod database;
mod database_kind;
mod document;
mod documents;
mod effect;
mod encoder;
mod encryption;
mod entry;
mod event_range;
mod event_reader;
mod events;
mod feed;
mod fetching;
mod frontier;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod hash;
mod heads;
mod heads_exchange;
mod held_entry;
mod hold;
mod identity;
mod identity_block;
mod inspection;
mod javascript;
mod journal_op;
mod key_file;
mod keystore;
#[cfg(feature = "kubo")]
mod kubo_replication;
mod last_event;
mod limits;
mod log;
mod manifest;
mod node;
mod payload;
mod problem;
mod public_key;
mod read;
mod read_error;
mod receipt;
mod received;
mod reclaimer;
#[cfg(feature = "rendezvous")]
mod rendezvous;
#[cfg(feature = "network")]
mod replication;
mod scanner;
mod schema;
mod shipping;
mod signing_key;
mod simple_encryption;
#[cfg(feature = "rendezvous")]
mod small_file;
mod snapshot;
mod state;
mod tender;
mod turns;
mod user_key;
mod verifier;
mod wanted;
mod writer;
mod xchacha20_cipher;

pub use access_controller::{AccessController, Request};
pub use access_list::{AccessList, AccessListError};
pub use address::{AccessAddress, Address, NotAnAccessAddress, NotAnAddress};
pub use capabilities::Capabilities;
pub use cipher::{Cipher, CipherError};
pub use clock::Clock;
pub use database::{ACCESS_FAMILY, AccessSpec, DatabaseId, DatabaseInfo, DatabaseSpec};
pub use database_kind::{DatabaseKind, NotADatabaseKind};
#[cfg(feature = "relay")]
pub use debros_ipfs::RelayLimits;
pub use debros_ipfs::{
    CommitError, Damage, Durability, FolderSizes, FolderState, Place, Position, Report, StoreError, StoreOptions,
    Unfinished,
};
#[cfg(feature = "network")]
pub use debros_ipfs::{
    DialError, Multiaddr, NetworkError, NetworkLimits, NetworkOptions, Peer, PeerId, missing_feature,
};
pub use document::{Document, RowRef};
pub use documents::{DocumentError, Documents, Row};
pub use encryption::{Encryption, EncryptionError};
pub use entry::{Entry, EntryError, EntryLinks};
pub use event_range::{EventRange, UnknownBound};
pub use event_reader::EventsRead;
pub use events::{Event, Events};
pub use feed::{Change, ChangeKind, Feed, FeedBatch, FeedError, FeedPosition, NotAFeedPosition};
pub use fetching::{BlockSource, Fetcher, Fetching};
pub use hash::{Hash, NotAHash};
pub use heads_exchange::{HeadsExchange, HeadsExchangeError};
pub use held_entry::{HeldEntry, Wanted};
pub use hold::Hold;
pub use identity::Identity;
pub use identity_block::{IdentityBlock, IdentityError};
pub use inspection::{
    InspectedAuthor, InspectedDaemon, InspectedDatabase, Inspection, InspectionError, InspectionFault,
};
pub use javascript::{JavaScriptEntry, JavaScriptError, JavaScriptLog, NotJavaScriptCbor, decode_as_javascript};
pub use key_file::KeyFileError;
pub use keystore::{Keystore, KeystoreError};
#[cfg(feature = "kubo")]
pub use kubo_replication::{Announcement, Hint, HintStatus, KuboReplication, Pubsub};
pub use last_event::{LastEvent, LastEventsRead};
pub use limits::{
    LimitError, Limits, MAX_ACCEPTED, MAX_DEPTH, MAX_HEADS, MAX_JUMP, MAX_KEY, MAX_LINKS, MAX_TIME, MAX_WRITTEN,
};
pub use log::{Log, LogError};
pub use manifest::{Manifest, ManifestError};
pub use node::{Node, NodeOptions, OpenError, ReceiveError};
pub use payload::{Op, Payload};
pub use problem::{Problem, ProblemKind};
pub use public_key::{NotAPublicKey, PublicKey};
pub use read::{ReadDocuments, RowRefs};
pub use read_error::ReadError;
pub use receipt::Receipt;
pub use received::Received;
pub use reclaimer::{ReclaimError, Reclaimed};
#[cfg(feature = "rendezvous")]
pub use rendezvous::{Rendezvous, RendezvousError};
#[cfg(feature = "simulation")]
#[doc(hidden)]
pub use replication::simulation;
#[cfg(feature = "network")]
pub use replication::{
    NotReplicated, PeerSync, Replication, ReplicationError, ReplicationEvent, ReplicationEvents, SyncState, Traffic,
};
pub use scanner::ScanError;
pub use schema::{IndexRow, LastEvents, NoSchema, Schema, Verdict};
#[cfg(feature = "kubo")]
pub use shipping::{
    BlockList, BlockListError, CatchUpError, CaughtUp, Courier, LastShipment, NotPinned, ShippingError, ShippingStatus,
};
pub use signing_key::{KeyError, SigningKey};
pub use simple_encryption::SimpleEncryption;
pub use snapshot::Snapshot;
pub use user_key::UserKey;
pub use writer::{DropDatabaseError, JoinError, OpenDatabaseError, WriteError, Writer};
pub use xchacha20_cipher::XChaCha20Cipher;
