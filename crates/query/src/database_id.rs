//! [`DatabaseId`].

/// A database of the local node: its number in the node's journal. Means nothing to another node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DatabaseId(pub u32);
