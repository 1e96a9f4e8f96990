//! [`Durability`]: when a write is answered.

/// When a write is answered. Whatever it is, an answered write is seen by every query after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Durability {
    /// When it is on this machine's disk, synced: a crash or a power cut loses nothing that was answered.
    #[default]
    Local,
    /// When it is handed to the operating system: a crash of the program loses nothing, a power cut may lose the last moments.
    Buffered,
    /// When it is on this machine's disk, synced, and the Kubo daemon that the database was opened with holds and pins it. If the
    /// daemon does not confirm in time, the answer is [`WriteError::NotPinned`](crate::WriteError::NotPinned), and the write is
    /// stored all the same.
    #[cfg(feature = "kubo")]
    Pinned,
    /// When it is on this machine's disk, synced, and so many peers have said that they have it on theirs. Nodes that are not
    /// written with this library do not say so. If they are not there in time, the answer is
    /// [`WriteError::NotReplicated`](crate::WriteError::NotReplicated), and the write is stored all the same.
    #[cfg(feature = "network")]
    Replicated(usize),
}

impl Durability {
    /// What the local store is asked for.
    pub(crate) fn local(self) -> debros_orbit::Durability {
        match self {
            Durability::Buffered => debros_orbit::Durability::Buffered,
            Durability::Local => debros_orbit::Durability::Local,
            #[cfg(feature = "kubo")]
            Durability::Pinned => debros_orbit::Durability::Local,
            #[cfg(feature = "network")]
            Durability::Replicated(_) => debros_orbit::Durability::Local,
        }
    }
}
