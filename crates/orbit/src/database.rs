//! [`DatabaseSpec`] and [`DatabaseInfo`]: a database, before and after it is opened.

use crate::{AccessAddress, AccessList, Address, DatabaseKind, Manifest};
use debros_core::DagCborError;
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

/// What makes a database what it is. The first three fields are its address: the same on every node. The other two are
/// this node's own.
#[derive(Clone, Debug, PartialEq, Eq)]
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
}

/// Who may write a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessSpec {
    /// A list that nobody can change. The order of the ids counts: another order is another database.
    Ipfs {
        /// The ids of users; `*` is everyone.
        write: Vec<String>,
    },
    /// OrbitDB's `orbitdb` access controller: a database of its own whose rows say who may write, and whose founding
    /// admins are fixed. Rows beyond them (grants) are not honoured yet, and cannot be written yet.
    Orbitdb {
        /// The name of that database.
        name: String,
        /// Its founding admins: the ids of users, in any order.
        admins: Vec<String>,
    },
}

impl AccessSpec {
    /// May this user write?
    pub fn allows(&self, user: &str) -> bool {
        let (AccessSpec::Ipfs { write: ids } | AccessSpec::Orbitdb { admins: ids, .. }) = self;
        ids.iter().any(|id| id == user || id == "*")
    }

    /// The list of the database itself, or of the database that says who may write it. Founding admins are sorted, each
    /// once.
    pub fn list(&self) -> AccessList {
        match self {
            AccessSpec::Ipfs { write } => AccessList::new(write),
            AccessSpec::Orbitdb { admins, .. } => AccessList::new(admins.iter().collect::<BTreeSet<_>>()),
        }
    }

    /// The database that says who may write, where there is one.
    pub fn controller(&self) -> Option<DatabaseSpec> {
        match self {
            AccessSpec::Ipfs { .. } => None,
            AccessSpec::Orbitdb { name, .. } => Some(DatabaseSpec {
                name: name.clone(),
                kind: DatabaseKind::KeyValue,
                access: AccessSpec::Ipfs { write: self.list().write },
                family: ACCESS_FAMILY.to_owned(),
                tag: Vec::new(),
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
        }
    }

    /// Its manifest.
    ///
    /// # Errors
    /// If one cannot be written, which does not happen to texts.
    pub fn manifest(&self) -> Result<Manifest, DagCborError> {
        let access = match self.access.controller() {
            None => self.access.list().address(),
            Some(controller) => AccessAddress::Orbitdb(controller.address()?),
        };
        Ok(Manifest { name: self.name.clone(), kind: self.kind, access, meta: None })
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
}
