//! [`AccessList`]: those who may write, in a block.

use crate::{AccessAddress, Hash, limits::MAX_ACCEPTED, scanner::Scanner};
use debros_core::{Map, Value};

/// OrbitDB's `ipfs` access controller: a list of users who may write, in a block that nobody can change. The order
/// counts: it makes another block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessList {
    /// The ids of users; `*` is everyone.
    pub write: Vec<String>,
}

/// Why a block is no access list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this block is no access list: {0}")]
pub struct AccessListError(pub String);

const TYPE: &str = "ipfs";

impl AccessList {
    /// A list of these.
    pub fn new<I: Into<String>>(write: impl IntoIterator<Item = I>) -> AccessList {
        AccessList { write: write.into_iter().map(Into::into).collect() }
    }

    /// May this user write?
    pub fn allows(&self, user: &str) -> bool {
        self.write.iter().any(|id| id == user || id == "*")
    }

    /// The block's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let write = self.write.iter().map(|id| Value::from(id.as_str())).collect::<Vec<_>>();
        let fields = Map::from_iter([("type", Value::text(TYPE)), ("write", Value::from(write))]);
        Value::from(fields).to_dag_cbor().expect("a map of texts can be written as DAG-CBOR")
    }

    /// Where the block is.
    pub fn address(&self) -> AccessAddress {
        AccessAddress::Ipfs(Hash::of(&self.to_bytes()))
    }

    /// Reads a block.
    ///
    /// # Errors
    /// If it is not canonical DAG-CBOR, or no access list.
    pub fn decode(bytes: &[u8]) -> Result<AccessList, AccessListError> {
        if bytes.len() > MAX_ACCEPTED {
            return Err(AccessListError("it is larger than 4 MiB".to_owned()));
        }
        Scanner::new(bytes).item().map_err(|e| AccessListError(e.to_string()))?;
        let value = Value::from_dag_cbor(bytes).map_err(|e| AccessListError(e.to_string()))?;
        let parse = || {
            let fields = value.as_map().filter(|fields| fields.len() == 2)?;
            fields.field("type").as_text().filter(|&kind| kind == TYPE)?;
            let Value::List(write) = fields.field("write") else { return None };
            write.iter().map(|id| id.as_text().map(str::to_owned)).collect()
        };
        let write = parse().ok_or_else(|| {
            AccessListError("it has not exactly the fields type, which is `ipfs`, and write, a list of ids".to_owned())
        })?;
        Ok(AccessList { write })
    }
}
