//! The IPFS layer of DeBros: content-addressed blocks in an embedded, crash-safe store; with the feature `kubo` a client of
//! Kubo daemons, with the feature `network` a node of the peer-to-peer network,
//! which with `quic` also speaks QUIC, and with `relay` is reached through relays, or is one.
mod apply;
mod apply_error;
mod block;
mod block_cache;
mod block_error;
mod block_filter;
mod car;
mod car_writer;
mod cbor_head;
mod checkpointer;
mod cid_table;
mod commit_error;
mod committer;
mod damage;
mod disk_error;
mod durability;
mod file_at;
mod file_pool;
mod folder;
mod folder_items;
mod folder_reader;
mod folder_sizes;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod gaps;
mod group;
mod group_blocks;
mod groups;
mod job;
mod journal_end;
mod journal_record;
#[cfg(feature = "kubo")]
mod kubo;
mod layered;
mod lock;
mod locked;
mod merged_rows;
#[cfg(feature = "network")]
mod network;
mod open_error;
mod options;
mod overlay;
mod pipeline;
mod place;
mod poison;
mod position;
mod read_state;
mod recovery;
mod replay;
mod report;
mod rewriting;
mod sections;
mod segment_file;
mod segment_index;
mod segment_writer;
mod segments;
mod shared;
mod snapshot;
mod state_file;
mod state_meta;
mod step;
mod store;
mod store_error;
mod store_mark;
mod stored_groups;
mod table;
mod tail;
mod unfinished;
mod varint;
mod verify;
mod view;
mod views;
mod writer;

pub use apply::Apply;
pub use apply_error::ApplyError;
pub use block_error::BlockError;
pub use bytes::Bytes;
pub use car_writer::CarWriter;
pub use cid::Cid;
pub use commit_error::CommitError;
pub use damage::Damage;
pub use disk_error::DiskError;
pub use durability::Durability;
pub use folder_items::{FolderItem, FolderItems};
pub use folder_reader::{FolderReader, FolderState};
pub use folder_sizes::FolderSizes;
pub use group::Group;
pub use groups::{CommittedGroup, Groups};
#[cfg(feature = "kubo")]
pub use kubo::{
    ExportedBlocks, Imported, Kubo, KuboDaemon, KuboError, KuboMessage, KuboOptions, KuboPin, KuboSubscription,
    RepoStat,
};
pub use lock::Holder;
#[cfg(feature = "relay")]
pub use network::RelayLimits;
#[cfg(feature = "network")]
pub use network::{
    BlockSource, DialError, FetchError, IncomingStreams, Multiaddr, Network, NetworkError, NetworkEvent, NetworkEvents,
    NetworkKey, NetworkLimits, NetworkOptions, Peer, PeerId, PeerStream, PublishError, StreamError, TopicMessage,
    Verdict, missing_feature,
};
pub use open_error::OpenError;
pub use options::StoreOptions;
pub use place::Place;
pub use poison::Poison;
pub use position::Position;
pub use read_state::{ReadState, Row, Rows};
pub use recovery::Recovery;
pub use report::{Difference, Report};
pub use rewriting::Rewritten;
pub use snapshot::Snapshot;
#[cfg(feature = "failpoints")]
pub use step::Step;
pub use store::Store;
pub use store_error::StoreError;
pub use table::Table;
pub use unfinished::Unfinished;

/// Most bytes that a block may have (8 MiB).
pub const MAX_BLOCK: usize = 8 << 20;
