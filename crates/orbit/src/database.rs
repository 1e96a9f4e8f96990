//! [`DatabaseSpec`] and [`DatabaseInfo`]: a database, before and after it is opened.

use crate::{AccessAddress, AccessList, Address, DatabaseKind, Hash, Manifest};
use debros_core::{DagCborError, Value};
use std::{collections::BTreeSet, fmt};

/// A database of this node: its number in the node's journal. Means nothing to another node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DatabaseId(pub u32);

impl fmt::Display for DatabaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The family of the databases that say who may write others.
pub const ACCESS_FAMILY: &str = "!access";

/// What makes a database what it is. Name, kind, access and meta are its address: the same on every node. The other two
/// are this node's own.
#[derive(Clone, Debug, PartialEq)]
pub struct DatabaseSpec {
    /// Its name.
    pub name: String,
    /// What its entries mean.
    pub kind: DatabaseKind,
    /// Who may write.
    pub access: AccessSpec,
    /// Groups databases whose rows are scanned together: the stored name of a model.
    pub family: String,
    /// Anything that the floors above want to know of it.
    pub tag: Vec<u8>,
    /// Anything that its maker wanted to say in its manifest. `None` is not the same as null.
    pub meta: Option<Value>,
}

/// Who may write a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessSpec {
    /// A list that nobody can change. The order of the ids counts: another order is another database.
    Ipfs {
        /// The ids of users; `*` is everyone.
        write: Vec<String>,
    },
    /// OrbitDB's `orbitdb` access controller: a database of its own whose rows say who may write
    /// ([`Writer::grant`](crate::Writer::grant), [`Writer::revoke`](crate::Writer::revoke)). Its founding admins are
    /// fixed: they may write, and they alone may grant and revoke.
    Orbitdb {
        /// The name of that database.
        name: String,
        /// Its founding admins: the ids of users. The order counts, see [`AccessSpec::orbitdb`].
        admins: Vec<String>,
    },
    /// A rule of the application's own: an [`AccessController`](crate::AccessController) that the node was given.
    /// Without it, nobody may write.
    Custom {
        /// Its type.
        kind: String,
        /// A DAG-CBOR block of what it wants to know of this database.
        parameters: Vec<u8>,
    },
}

impl AccessSpec {
    /// An access database with these founding admins, in any order: they are sorted, each once, so that everyone who
    /// knows them comes to the same address.
    pub fn orbitdb<I: Into<String>>(name: impl Into<String>, admins: impl IntoIterator<Item = I>) -> AccessSpec {
        let admins: BTreeSet<String> = admins.into_iter().map(Into::into).collect();
        AccessSpec::Orbitdb { name: name.into(), admins: admins.into_iter().collect() }
    }

    /// The block that the manifest names, or that of the database that says who may write.
    pub(crate) fn block(&self) -> Vec<u8> {
        match self {
            AccessSpec::Ipfs { write: ids } | AccessSpec::Orbitdb { admins: ids, .. } => {
                AccessList::new(ids).to_bytes()
            }
            AccessSpec::Custom { parameters, .. } => parameters.clone(),
        }
    }

    /// The database that says who may write, where there is one.
    pub fn controller(&self) -> Option<DatabaseSpec> {
        match self {
            AccessSpec::Ipfs { .. } | AccessSpec::Custom { .. } => None,
            AccessSpec::Orbitdb { name, admins } => Some(DatabaseSpec {
                name: name.clone(),
                kind: DatabaseKind::KeyValue,
                access: AccessSpec::Ipfs { write: admins.clone() },
                family: ACCESS_FAMILY.to_owned(),
                tag: Vec::new(),
                meta: None,
            }),
        }
    }
}

impl DatabaseSpec {
    /// A documents database that only these users write.
    pub fn documents<I: Into<String>>(name: impl Into<String>, write: impl IntoIterator<Item = I>) -> DatabaseSpec {
        let name = name.into();
        DatabaseSpec {
            family: name.clone(),
            name,
            kind: DatabaseKind::Documents,
            access: AccessSpec::Ipfs { write: AccessList::new(write).write },
            tag: Vec::new(),
            meta: None,
        }
    }

    /// The same, of another kind.
    pub fn of_kind(mut self, kind: DatabaseKind) -> DatabaseSpec {
        self.kind = kind;
        self
    }

    /// The same, with another rule of who may write.
    pub fn with_access(mut self, access: AccessSpec) -> DatabaseSpec {
        self.access = access;
        self
    }

    /// Its manifest.
    ///
    /// # Errors
    /// If one cannot be written, which does not happen to texts.
    pub fn manifest(&self) -> Result<Manifest, DagCborError> {
        let access = match (&self.access, self.access.controller()) {
            (_, Some(controller)) => AccessAddress::Orbitdb(controller.address()?),
            (AccessSpec::Custom { kind, .. }, None) => {
                AccessAddress::Custom { kind: kind.clone(), block: Hash::of(&self.access.block()) }
            }
            (_, None) => AccessAddress::Ipfs(Hash::of(&self.access.block())),
        };
        Ok(Manifest { name: self.name.clone(), kind: self.kind, access, meta: self.meta.clone() })
    }

    /// Its address, which follows from its name, kind and access alone.
    ///
    /// ```
    /// use debros_orbit::DatabaseSpec;
    ///
    /// let notes = DatabaseSpec::documents("notes", ["*"]);
    /// assert_eq!(notes.address()?.to_string(), "/orbitdb/zdpuAuTyimRxCyGtFw7tEXaRdFji9eh1h56fS5Ao7UBdzmxNU");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If there is no manifest, which does not happen to texts.
    pub fn address(&self) -> Result<Address, DagCborError> {
        self.manifest()?.address()
    }
}

/// A database that is open on this node.
#[derive(Clone, Debug, PartialEq)]
pub struct DatabaseInfo {
    /// Its number here.
    pub id: DatabaseId,
    /// Its address, the same everywhere.
    pub address: Address,
    /// The address as text: what its entries carry as `id`.
    pub(crate) log: String,
    /// What it was opened as.
    pub spec: DatabaseSpec,
    /// The number of its family here.
    pub family: u32,
    /// The database that says who may write it, where there is one.
    pub controller: Option<DatabaseId>,
}
