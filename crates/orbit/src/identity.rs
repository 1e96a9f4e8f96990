//! [`Identity`]: a user on this device.

use crate::{Hash, IdentityBlock, IdentityError, PublicKey, SigningKey};
use std::{fmt, sync::Arc};

/// A user on this device: what signs entries. A cheap clone.
///
/// Two keys belong to it. The **root key** is the user: its public half is the user's id, on every device. It signs
/// only once per device, to certify the **device key**, which signs entries. So two devices of one user never share a
/// clock.
#[derive(Clone)]
pub struct Identity {
    inner: Arc<Inner>,
}

struct Inner {
    block: IdentityBlock,
    bytes: Vec<u8>,
    hash: Hash,
    /// Hash, id and key as text: every entry carries them.
    hash_text: String,
    id: String,
    public_key: String,
    device: SigningKey,
}

impl Identity {
    /// The identity of a user on a device.
    ///
    /// ```
    /// use debros_orbit::{Identity, SigningKey};
    ///
    /// let root = SigningKey::generate()?;
    /// let phone = Identity::new(&root, SigningKey::generate()?);
    /// let laptop = Identity::new(&root, SigningKey::generate()?);
    /// assert_eq!(phone.id(), laptop.id());
    /// assert_ne!(phone.hash(), laptop.hash());
    /// # Ok::<(), debros_orbit::KeyError>(())
    /// ```
    pub fn new(root: &SigningKey, device: SigningKey) -> Identity {
        let (id, public_key) = (root.public_key(), device.public_key());
        let id_signature = device.sign(id.to_string().as_bytes());
        let key_signature = root.sign(IdentityBlock::certified(public_key, &id_signature).as_bytes());
        Identity::from_parts(IdentityBlock { id, public_key, id_signature, key_signature }, device)
    }

    /// The identity of a user on a device that the root key has certified before: `certificate` is
    /// [`Identity::certificate`].
    ///
    /// # Errors
    /// If the certificate is not one of this user for this device.
    pub fn certified(id: PublicKey, device: SigningKey, certificate: &str) -> Result<Identity, IdentityError> {
        let block = IdentityBlock {
            id,
            public_key: device.public_key(),
            id_signature: device.sign(id.to_string().as_bytes()),
            key_signature: certificate.to_owned(),
        };
        block.verify()?;
        Ok(Identity::from_parts(block, device))
    }

    fn from_parts(block: IdentityBlock, device: SigningKey) -> Identity {
        let bytes = block.to_bytes();
        let (hash, id, public_key) = (Hash::of(&bytes), block.id.to_string(), block.public_key.to_string());
        Identity { inner: Arc::new(Inner { block, bytes, hash, hash_text: hash.to_string(), id, public_key, device }) }
    }

    /// The user: their public root key, 66 hexadecimal digits.
    pub fn id(&self) -> &str {
        &self.inner.id
    }

    /// The device's public key, 66 hexadecimal digits.
    pub fn public_key(&self) -> &str {
        &self.inner.public_key
    }

    /// The root key's signature that certifies the device.
    pub fn certificate(&self) -> &str {
        &self.inner.block.key_signature
    }

    /// What everyone sees of it.
    pub fn block(&self) -> &IdentityBlock {
        &self.inner.block
    }

    /// The bytes of its block.
    pub fn bytes(&self) -> &[u8] {
        &self.inner.bytes
    }

    /// The name of its block.
    pub fn hash(&self) -> Hash {
        self.inner.hash
    }

    pub(crate) fn hash_text(&self) -> &str {
        &self.inner.hash_text
    }

    /// Signs with the device's key.
    pub fn sign(&self, message: &[u8]) -> String {
        self.inner.device.sign(message)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("id", &self.inner.id).field("public_key", &self.inner.public_key).finish()
    }
}
impl PartialEq for Identity {
    /// The same user on the same device.
    fn eq(&self, other: &Identity) -> bool {
        self.hash() == other.hash()
    }
}
impl Eq for Identity {}
