//! [`Identity`]: a user on this device.

use debros_core::UserId;
use debros_orbit::KeystoreError;
use std::{fmt, path::Path, sync::Arc};

/// A user on this device: [`Db::identity`](crate::Db::identity) gives one. A cheap clone.
#[derive(Clone)]
pub struct Identity {
    pub(crate) signer: debros_orbit::Identity,
    user: UserId,
    root: Option<Arc<debros_orbit::UserKey>>,
    /// The data folder that its keys are kept in.
    folder: Arc<Path>,
}

/// Why an identity could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The name, or the keys.
    #[error(transparent)]
    Keys(#[from] KeystoreError),
    /// The database was closed.
    #[error("the database was closed; open it again to use its identities")]
    Closed,
    /// The keys are there, but in the network the user's data cannot be replicated, or the user not be announced.
    #[cfg(feature = "network")]
    #[error(transparent)]
    Network(Box<crate::NetworkError>),
    /// The keys are there, but the user's data cannot be replicated through the Kubo daemon.
    #[cfg(feature = "kubo")]
    #[error(transparent)]
    Kubo(Box<crate::KuboReadError>),
}

#[cfg(feature = "kubo")]
impl From<crate::KuboReadError> for IdentityError {
    fn from(error: crate::KuboReadError) -> IdentityError {
        IdentityError::Kubo(Box::new(error))
    }
}

#[cfg(feature = "network")]
impl From<crate::NetworkError> for IdentityError {
    fn from(error: crate::NetworkError) -> IdentityError {
        IdentityError::Network(Box::new(error))
    }
}

impl Identity {
    pub(crate) fn new(
        signer: debros_orbit::Identity,
        root: Option<debros_orbit::UserKey>,
        folder: Arc<Path>,
    ) -> Identity {
        let user = UserId::from_bytes(*signer.block().id.as_bytes());
        Identity { signer, user, root: root.map(Arc::new), folder }
    }

    /// Are its keys kept in this data folder? A device's key must not write in two: each would count its clock for itself.
    pub(crate) fn is_of(&self, folder: &Path) -> bool {
        *self.folder == *folder
    }

    /// The user: the public root key.
    pub fn user(&self) -> UserId {
        self.user
    }

    /// Is the user's root key in this data folder? Without it this device goes on writing, but the user cannot be exported.
    pub fn has_root_key(&self) -> bool {
        self.root.is_some()
    }

    /// The user's root key, as a few lines of text, to be kept safe or imported on another device
    /// ([`Db::import_identity`](crate::Db::import_identity)). **Whoever has them is this user.** Empty if
    /// [`Identity::has_root_key`] says no.
    pub fn export(&self) -> Vec<u8> {
        self.root.as_ref().map(|key| key.export().as_bytes().to_vec()).unwrap_or_default()
    }
}

impl PartialEq for Identity {
    /// The same user on the same device.
    fn eq(&self, other: &Identity) -> bool {
        self.signer == other.signer
    }
}
impl Eq for Identity {}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("user", &self.user).finish_non_exhaustive()
    }
}
