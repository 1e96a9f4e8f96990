//! [`Manifest`]: what makes a database what it is.

use crate::{AccessAddress, Address, DatabaseKind, Hash, limits::MAX_ACCEPTED, scanner::Scanner};
use debros_core::{DagCborError, Map, Value};

/// What makes a database what it is: its name, the meaning of its entries, and who may write. Its hash is the
/// database's address.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The database's name.
    pub name: String,
    /// What its entries mean.
    pub kind: DatabaseKind,
    /// Who may write.
    pub access: AccessAddress,
    /// Anything else that its maker wanted to say. To say null is not the same as to say nothing.
    pub meta: Option<Value>,
}

/// Why a block is no manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this block is no manifest of a database: {0}")]
pub struct ManifestError(pub String);

impl Manifest {
    /// The block's bytes.
    ///
    /// # Errors
    /// If `meta` holds something that DAG-CBOR does not.
    pub fn to_bytes(&self) -> Result<Vec<u8>, DagCborError> {
        let mut fields = Map::from_iter([
            ("name", self.name.as_str()),
            ("type", self.kind.word()),
            ("accessController", self.access.to_string().as_str()),
        ]);
        if let Some(meta) = &self.meta {
            fields.insert("meta", meta.clone());
        }
        Value::from(fields).to_dag_cbor()
    }

    /// The address of the database.
    ///
    /// # Errors
    /// If `meta` holds something that DAG-CBOR does not.
    pub fn address(&self) -> Result<Address, DagCborError> {
        Ok(Address::of(Hash::of(&self.to_bytes()?)))
    }

    /// Reads a block.
    ///
    /// # Errors
    /// If it is not canonical DAG-CBOR, or not a manifest of a type and an access controller that are known.
    pub fn decode(bytes: &[u8]) -> Result<Manifest, ManifestError> {
        if bytes.len() > MAX_ACCEPTED {
            return Err(ManifestError("it is larger than 4 MiB".to_owned()));
        }
        Scanner::new(bytes).item().map_err(|e| ManifestError(e.to_string()))?;
        let value = Value::from_dag_cbor(bytes).map_err(|e| ManifestError(e.to_string()))?;
        let fields = value.as_map().ok_or_else(|| ManifestError("it is no map".to_owned()))?;
        let text = |field: &str| {
            let text = fields.field(field).as_text();
            text.ok_or_else(|| ManifestError(format!("its field `{field}` is no text")))
        };
        let manifest = Manifest {
            name: text("name")?.to_owned(),
            kind: text("type")?.parse().map_err(|e: crate::NotADatabaseKind| ManifestError(e.to_string()))?,
            access: text("accessController")?
                .parse()
                .map_err(|e: crate::NotAnAccessAddress| ManifestError(e.to_string()))?,
            meta: fields.get("meta").cloned(),
        };
        if fields.len() != 3 + usize::from(manifest.meta.is_some()) {
            return Err(ManifestError("it has fields that a manifest does not have".to_owned()));
        }
        Ok(manifest)
    }
}
