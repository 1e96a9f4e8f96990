//! [`View`]: a user's data, to read.

use crate::Db;
use debros_core::UserId;

/// The data of a user, as far as it is held here, and the global models: read only. A cheap clone.
#[derive(Clone, Debug)]
pub struct View {
    db: Db,
    user: UserId,
}

impl View {
    pub(crate) fn new(db: Db, user: UserId) -> View {
        View { db, user }
    }

    /// The database.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// Whose data it reads.
    pub fn user(&self) -> UserId {
        self.user
    }
}
