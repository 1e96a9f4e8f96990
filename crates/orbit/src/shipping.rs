//! Keeping the blocks of databases in a Kubo daemon, too.
//!
//! A *shipment* is a tree of block lists over blocks of one database that the daemon holds and pins by its
//! root. Which shipments there are is recorded in the journal, so that what is still to be sent follows from the segments.

#[cfg(feature = "kubo")]
mod block_list;
#[cfg(feature = "kubo")]
mod catch_up;
#[cfg(feature = "kubo")]
mod confirmed;
#[cfg(feature = "kubo")]
mod courier;
#[cfg(feature = "kubo")]
mod pin_name;
#[cfg(feature = "kubo")]
mod round;
mod shipment;
#[cfg(feature = "kubo")]
mod shipments;
mod shipped;
#[cfg(feature = "kubo")]
mod shipper;
#[cfg(feature = "kubo")]
mod shipping_error;
#[cfg(feature = "kubo")]
mod status;
#[cfg(feature = "kubo")]
mod taken_lists;

#[cfg(feature = "kubo")]
pub use self::{
    block_list::{BlockList, BlockListError},
    catch_up::{CatchUpError, CaughtUp},
    courier::{Courier, NotPinned},
    shipping_error::ShippingError,
    status::{LastShipment, ShippingStatus},
};
#[cfg(feature = "kubo")]
pub(crate) use self::{
    catch_up::{CatchUp, Named},
    confirmed::Confirmed,
    courier::Running,
    taken_lists::TakenLists,
};
#[cfg(feature = "kubo")]
pub(crate) use self::{
    round::{Parcel, Round},
    shipments::Shipments,
    shipped::Again,
    shipper::Wish,
};
pub(crate) use shipment::Shipment;
pub(crate) use shipped::Shipped;
