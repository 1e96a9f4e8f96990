//! Which database holds a record: names and addresses, shards, and the databases of a node, opened when they are needed.

mod application;
mod database_name;
mod databases;
mod jump_hash;
mod place;

pub use application::{Application, ApplicationError, shard_of_record, shards};
pub use database_name::{ACCESS, DatabaseName, NotADatabaseName, USERS, is_name};
pub use databases::{Databases, Opening};
pub use jump_hash::shard_of;
pub use place::Place;
