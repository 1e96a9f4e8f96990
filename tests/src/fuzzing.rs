//! Properties that hold for whatever bytes arrive: the bodies of the fuzz targets in `tests/fuzz`, which also run briefly
//! with the other tests.

mod access_list;
#[cfg(feature = "export")]
mod announcement;
mod cipher;
mod entry;
#[cfg(feature = "export")]
mod export;
mod heads;
mod identity;
mod javascript;
mod journal;
mod manifest;
mod mutation;
#[cfg(feature = "network")]
mod peer_message;
mod rendezvous;
mod segment;
mod target;
mod vectors;

pub use mutation::Mutation;
pub use target::Target;
