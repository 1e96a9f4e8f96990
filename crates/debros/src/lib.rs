//! Decorate plain structs, and get typed queries, relations, validation and hooks over replicated, signed, append-only logs.
//!
//! ```
//! use debros::prelude::*;
//!
//! #[model(scope = global, writers = anyone)]
//! #[derive(Debug, Clone)]
//! pub struct User {
//!     #[field(key)]
//!     pub id: Id<User>,
//!     #[field(unique, len = 3..=32)]
//!     pub username: String,
//!     #[has_many]
//!     pub posts: HasMany<Post>,
//! }
//!
//! #[model(scope = user)]
//! #[derive(Debug, Clone)]
//! pub struct Post {
//!     #[field(key)]
//!     pub id: Id<Post>,
//!     pub user_id: Id<User>,
//!     pub title: String,
//!     #[field(index, default = false)]
//!     pub published: bool,
//!     #[belongs_to(key = user_id)]
//!     pub author: BelongsTo<User>,
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> debros::Result<()> {
//! # let folder = tempfile::tempdir().expect("a folder");
//! let db = Db::open(folder.path(), "blog", models![User, Post]).await?;
//! let me = db.session(&db.identity("alice").await?);
//!
//! let alice = me.create(NewUser { username: "alice".into() }).await?;
//! let post = me.create(NewPost { user_id: alice.id, title: "Hi".into() }).set(|p| p.published, true).await?;
//!
//! let posts = Post::query()
//!     .filter(|p| p.published.eq(true) & p.author.is(|u| u.username.eq("alice")))
//!     .with(|p| p.author)
//!     .order_by(|p| p.title.asc())
//!     .fetch(&me)
//!     .await?;
//! assert_eq!(posts[0].author().username, "alice");
//!
//! me.update(&post).set(|p| p.title, "Hello").await?;
//! me.delete(&post).await?;
//! db.close().await?;
//! # Ok(()) }
//! ```
//!
//! What happened once and stays so is stored as events. Such records are created and queried in the same way; to update or delete one does not
//! compile.
//!
//! ```
//! # use debros::prelude::*;
//! #[model(scope = global, writers = anyone, store = events)]
//! #[derive(Debug, Clone)]
//! pub struct Visit {
//!     #[field(key)]
//!     pub id: Id<Visit>,
//!     #[field(index)]
//!     pub page: String,
//!     #[field(created)]
//!     pub at: Timestamp,
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> debros::Result<()> {
//! # let folder = tempfile::tempdir().expect("a folder");
//! let db = Db::open(folder.path(), "site", models![Visit]).await?;
//! let me = db.session(&db.identity("alice").await?);
//!
//! let visit = me.create(NewVisit { page: "/".into() }).await?;
//! assert_eq!(Visit::query().filter(|v| v.page.eq("/")).one(&db).await?.id, visit.id);
//! # db.close().await?;
//! # Ok(()) }
//! ```

#[cfg(feature = "network")]
mod archive;
mod blocking;
mod builder;
mod changes;
mod db;
mod durability;
mod error;
mod execute;
mod identity;
mod keys;
#[cfg(feature = "kubo")]
mod kubo;
mod may_write;
#[cfg(feature = "network")]
mod network;
mod open_error;
mod owner;
pub mod prelude;
mod problem;
mod registry;
#[cfg(any(feature = "kubo", feature = "network"))]
mod replicated;
mod schema;
mod session;
mod source;
mod stores;
#[cfg(any(feature = "kubo", feature = "network"))]
mod unfollow_error;
#[cfg(feature = "network")]
mod users;
mod view;
mod write;
mod write_error;

#[doc(hidden)]
pub mod __private {
    //! What generated code names. No part of the API.
    pub use crate::changes::Changes;
    pub use debros_core::*;
    pub use debros_derive::Model;
    pub use debros_query::{Get, Query, Related};
}

pub mod typed {
    //! What the typed surface is made of: what a function of your own names that takes a column, a relation or a row, and what the compiler names
    //! where something does not fit.
    pub use crate::{changes::Follow, may_write::MayWrite};
    pub use debros_core::{
        AtCreation, Bare, Changeable, Checks, ChildOf, Codec, Differs, Field, HasDefault, Inc, Include, IncludeOne,
        IntoFilter, IntoKey, IntoValue, Key, KeyField, Length, Linkable, List, LoadedName, LoadedRow, Many, Matched,
        MayBeAbsent, ModelOf, NoneYet, Of, One, Ordered, Path, PerUser, Plain, Ranged, ReadOnly, RefersTo, RefersToAll,
        Rel, RelAt, RelOf, Relation, Settable, SettableAtCreation, Shape, Slot, Text, ToMany, ToOne, ViaSerde, With,
        World, Yields, rule,
    };
    pub use debros_query::{Execute, HasOrder, Keys, Number, Reads, Sorted, Unsorted, UpdateAll, Writes};
}

pub use builder::Builder;
pub use changes::{ChangeKind, ChangeStream, Changes, ChangesError, RecordChanges, RowChange};
pub use db::Db;
pub use debros_core::{
    BelongsTo, DecodeError, EncodeError, EventHooks, Filter, HasMany, HasOne, HookContext, HookError, Hooks, Id,
    Insert, Loaded, ManyToMany, Model, Models, NotATimestamp, NotAUserId, NotAnId, Row, Sort, Timestamp, UserId,
    ValidationError, Value, Violation, models,
};
pub use debros_derive::{Value, model};
#[cfg(feature = "kubo")]
pub use debros_ipfs::{KuboError, KuboOptions};
#[cfg(feature = "relay")]
pub use debros_orbit::RelayLimits;
#[cfg(feature = "kubo")]
pub use debros_orbit::{
    CatchUpError, CaughtUp, HintStatus, LastShipment, NotPinned, Pubsub, ShippingError, ShippingStatus,
};
pub use debros_orbit::{
    FeedPosition, KeystoreError, NotAFeedPosition, ReclaimError, Reclaimed, Report as VerifyReport, StoreError,
};
#[cfg(feature = "network")]
pub use debros_orbit::{NetworkLimits, NotReplicated, PeerSync, RendezvousError, ReplicationError, SyncState, Traffic};
pub use debros_query::{Answer, Coverage, Explained, Get, Page, Partial, Query, QueryError, Related, SourceError};
pub use durability::Durability;
pub use error::{Error, Result};
pub use identity::{Identity, IdentityError};
#[cfg(feature = "kubo")]
pub use kubo::{Kubo, KuboReadError};
#[cfg(feature = "network")]
pub use network::{DatabaseSync, Network, NetworkError, NetworkEvent, NetworkEvents, NetworkPeer};
pub use open_error::OpenError;
pub use owner::OwnerError;
pub use problem::{Problem, ProblemKind};
pub use registry::ModelError;
pub use session::Session;
#[cfg(any(feature = "kubo", feature = "network"))]
pub use unfollow_error::UnfollowError;
#[cfg(feature = "network")]
pub use users::{AnnounceError, KnownDevice, KnownUser};
pub use view::View;
pub use write::{Batch, Change, Create, Creation, Pending, Update, Writing};
pub use write_error::WriteError;
