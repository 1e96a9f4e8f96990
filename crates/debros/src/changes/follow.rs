use crate::{Db, Session, View};
use debros_core::UserId;
use debros_query::Execute;

/// Handles that follow what changes: [`Db`], [`Session`] and [`View`].
pub trait Follow: Execute + sealed::Handle {}

impl Follow for Db {}
impl Follow for Session {}
impl Follow for View {}

mod sealed {
    use super::{Db, Session, UserId, View};

    pub trait Handle {
        fn db(&self) -> &Db;
        /// For whom it speaks.
        fn user(&self) -> Option<UserId>;
    }

    impl Handle for Db {
        fn db(&self) -> &Db {
            self
        }
        fn user(&self) -> Option<UserId> {
            None
        }
    }
    impl Handle for Session {
        fn db(&self) -> &Db {
            Session::db(self)
        }
        fn user(&self) -> Option<UserId> {
            Some(Session::user(self))
        }
    }
    impl Handle for View {
        fn db(&self) -> &Db {
            View::db(self)
        }
        fn user(&self) -> Option<UserId> {
            Some(View::user(self))
        }
    }
}
