//! The schema of a model, as constant data.

use crate::{Collation, DecodeError, Map};

/// Everything that debros knows about a model. `#[model]` makes one per struct, as a constant.
#[derive(Debug)]
pub struct ModelDef {
    /// The struct's name.
    pub name: &'static str,
    /// The module path and name of the struct: tells two models of one name apart.
    pub path: &'static str,
    /// The name that its databases carry: `#[model(name = ..)]`, else the struct's.
    pub stored: &'static str,
    /// Whose databases hold its records.
    pub scope: Scope,
    /// How its databases keep records.
    pub store: StoreKind,
    /// The version of the schema, stored in each record as `_v`.
    pub version: u32,
    /// Its columns, in the order of declaration. Relations are not among them.
    pub fields: &'static [FieldDef],
    /// Positions in `fields` of the key: one, or several for a composite key.
    pub key: &'static [usize],
    /// Its relations, in the order of declaration.
    pub relations: &'static [RelationDef],
    /// Its indexes: `index` and `unique`, of one field or several, and the key fields of every `belongs_to`.
    pub indexes: &'static [IndexDef],
    /// How its records are divided, if they are.
    pub sharding: Option<Sharding>,
    /// Does a stored record decode into the struct?
    pub check: fn(&Map) -> Result<(), DecodeError>,
}

impl ModelDef {
    /// The column of this name.
    pub fn field(&self, name: &str) -> Option<&'static FieldDef> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The relation of this name.
    pub fn relation(&self, name: &str) -> Option<&'static RelationDef> {
        self.relations.iter().find(|relation| relation.name == name)
    }

    /// Has each user databases of their own?
    pub fn is_user_scoped(&self) -> bool {
        self.scope == Scope::User
    }

    /// The columns of the key, in order.
    pub fn key_fields(&self) -> impl ExactSizeIterator<Item = &'static FieldDef> + use<> {
        let fields = self.fields;
        self.key.iter().map(move |&at| &fields[at])
    }

    /// The name under which a field is stored: `_id` for a single key, else its own.
    pub fn stored_name(&self, field: &'static str) -> &'static str {
        match self.key {
            [at] if self.fields[*at].name == field => ID,
            _ => field,
        }
    }

    /// How the stored key (`_id`) compares. A composite key is text.
    pub fn key_collation(&self) -> Collation {
        match self.key {
            [at] => self.fields[*at].kind.collation(),
            _ => Collation::Plain,
        }
    }
}

/// The stored name of a record's key.
pub const ID: &str = "_id";
/// The stored name of a record's schema version.
pub const VERSION: &str = "_v";
/// The stored name of the nonce that ties a generated id to its creator.
pub const NONCE: &str = "_n";

/// Whose databases hold the records of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Each user has a set of databases that only that user writes.
    User,
    /// One set of databases for the application.
    Global(Writers),
}

/// Who may write a global model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writers {
    /// Anyone.
    Anyone,
    /// The application's admins.
    Admins,
    /// Anyone creates; only the user to whom a record's id commits changes it.
    Owner,
}

/// How a database keeps records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// An OrbitDB documents database: records by key, that can be changed and deleted.
    Documents,
    /// An OrbitDB events database: records that are added and stay as they are. The first one with a key is the row.
    Events,
}

/// One column.
#[derive(Debug)]
pub struct FieldDef {
    /// The field's name.
    pub name: &'static str,
    /// What it holds, without the `Option`.
    pub kind: Kind,
    /// May it be absent?
    pub optional: bool,
    /// What is within it: [`Field::shape`](crate::Field::shape).
    pub shape: fn(depth: u8) -> u64,
    /// Who fills it.
    pub role: Role,
    /// The rules that `len`, `range`, `matches` and `check` set, as text for people: `len = 3..=32`.
    pub rules: &'static [&'static str],
}

/// Who fills a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The caller.
    Plain,
    /// The caller, at creation only: a natural key.
    Key,
    /// debros: a generated id.
    GeneratedKey,
    /// debros, with the time of creation, unless the caller does at creation.
    Created,
    /// debros, with the time of the last write.
    Updated,
    /// debros, with the user of the session that creates the record.
    Owner,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `bool`.
    Bool,
    /// An integer of 8 to 64 bits.
    Int {
        /// Its smallest value.
        min: i128,
        /// Its largest value.
        max: i128,
    },
    /// `f32` or `f64`.
    Float,
    /// `String`.
    Text,
    /// `Vec<u8>`.
    Bytes,
    /// `Vec<T>`.
    List,
    /// A map with text keys.
    Map,
    /// `Id<M>`: a UUID as text.
    Id,
    /// `Timestamp`: integer milliseconds since 1970 UTC.
    Timestamp,
    /// `Uuid`, as text.
    Uuid,
    /// `Decimal`, as text.
    Decimal,
    /// `UserId`, as text: the user's public key in hex.
    User,
    /// An enum without data: the name of the variant, as text.
    Enum,
    /// A nested struct: a map of its fields.
    Struct,
    /// Any other type, through serde.
    Serde,
}

impl Kind {
    /// How values of this kind compare.
    pub const fn collation(self) -> Collation {
        match self {
            Kind::Id | Kind::Uuid => Collation::Uuid,
            Kind::Decimal => Collation::Decimal,
            _ => Collation::Plain,
        }
    }
}

/// One index. Several fields sort one after the other.
#[derive(Debug, PartialEq, Eq)]
pub struct IndexDef {
    /// The names of its fields.
    pub fields: &'static [&'static str],
    /// May a combination of values stand once only? Where one of the values is absent, it may stand often.
    pub unique: bool,
}

/// One relation.
#[derive(Debug)]
pub struct RelationDef {
    /// The field's name.
    pub name: &'static str,
    /// Which kind.
    pub kind: RelationKind,
    /// [`ModelDef::path`] of the model that it leads to.
    pub target: &'static str,
    /// `belongs_to`: the fields of this model that hold the target's key, in the order of its key. `has_one`, `has_many`: the
    /// fields of the target that hold this model's key. `many_to_many`: empty.
    pub keys: &'static [&'static str],
    /// `BelongsTo<Option<..>>` and `HasOne`: may there be no row?
    pub optional: bool,
    /// `many_to_many(inverse = f)`: the field of the target on whose side the links are.
    pub inverse: Option<&'static str>,
    /// `many_to_many` without `inverse`: the model of the link rows, user-scoped, with the stored name `Model.field` and the
    /// fields `l` and `r`, both indexed. `None` elsewhere; the inverse side finds it on the other.
    pub links: Option<&'static ModelDef>,
}

/// The kinds of relations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelationKind {
    /// This record names its parent.
    BelongsTo,
    /// At most one record of the target names this one.
    HasOne,
    /// Records of the target name this one.
    HasMany,
    /// Links, in a database of their own.
    ManyToMany,
}

/// How the records of a model are divided over databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sharding {
    /// Which function.
    pub strategy: Strategy,
    /// The field by which records are divided.
    pub key: &'static str,
    /// How many databases there are.
    pub count: u32,
}

/// The function that names a record's shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Jump hash of the first 8 bytes, big-endian, of SHA-256 of the key's DAG-CBOR.
    Hash,
}
