//! [`Insert`]: a record before it is one.

use crate::{Model, Timestamp, UserId};
use uuid::Uuid;

/// `NewX`: the fields of a record that its creator must give. debros fills in the rest.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the `New..` struct of a model",
    label = "`create` takes the `New..` struct that `#[model]` makes"
)]
pub trait Insert: Sized + Send + 'static {
    /// The model.
    type Model: Model;
    /// The record, with its defaults, and with what debros fills in.
    fn build(self, seed: &Seed) -> Self::Model;
}

/// What debros fills into a new record.
#[derive(Clone, Copy, Debug)]
pub struct Seed {
    /// The generated key, if the model has one.
    pub id: Uuid,
    /// For `#[field(created)]` and `#[field(updated)]`.
    pub now: Timestamp,
    /// For `#[field(owner)]`.
    pub user: UserId,
}
