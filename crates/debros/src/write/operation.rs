//! [`Operation`]: one write, prepared by its caller, and without types.

use super::Target;
use crate::{WriteError, registry::Link};
use debros_core::{HookContext, Map, ModelDef, Value};
use debros_query::QuerySpec;

/// One write, prepared by its caller, and without types. There is no other way to write, so nothing gets around the hooks and
/// rules of a model.
#[derive(Debug)]
pub(crate) enum Operation {
    Create(Create),
    Update(Update),
    Delete(Delete),
    Link(LinkRow),
    Unlink(LinkRow),
    UpdateAll(UpdateAll),
    DeleteAll(DeleteAll),
}

/// A record that was made, checked and encoded.
#[derive(Debug)]
pub(crate) struct Create {
    pub(crate) model: &'static ModelDef,
    pub(crate) shard: u32,
    pub(crate) key: Value,
    /// Was the key generated? Then no other record has it.
    pub(crate) generated: bool,
    pub(crate) record: Map,
}

#[derive(Debug)]
pub(crate) struct Update {
    pub(crate) model: &'static ModelDef,
    pub(crate) target: Target,
    pub(crate) change: Change,
}

/// What to change of a stored record.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) set: Vec<Setting>,
    pub(crate) behaviour: Behaviour,
}

#[derive(Debug)]
pub(crate) struct Delete {
    pub(crate) model: &'static ModelDef,
    pub(crate) target: Target,
    pub(crate) behaviour: Behaviour,
}

/// Both ends of a link.
#[derive(Clone, Debug)]
pub(crate) struct LinkRow {
    pub(crate) link: Link,
    /// `Model.relation`, for errors.
    pub(crate) name: String,
    pub(crate) left: Value,
    pub(crate) right: Value,
}

#[derive(Debug)]
pub(crate) struct UpdateAll {
    pub(crate) query: QuerySpec,
    pub(crate) change: Change,
}

#[derive(Debug)]
pub(crate) struct DeleteAll {
    pub(crate) query: QuerySpec,
    pub(crate) behaviour: Behaviour,
}

/// A field, and its new value in stored form.
pub(crate) type Setting = (&'static str, Value);

/// What the struct of a model does with a stored record.
#[derive(Clone, Copy)]
pub(crate) struct Behaviour {
    /// Changes a record: runs the hook and checks the rules.
    pub(crate) change: fn(&Map, &[Setting], &HookContext) -> Result<Map, WriteError>,
    /// Runs the hook before it is deleted.
    pub(crate) before_delete: fn(&Map, &HookContext) -> Result<(), WriteError>,
}

impl std::fmt::Debug for Behaviour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Behaviour")
    }
}

/// What an operation did.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// The rows that it changed: what was stored, and what is.
    pub(crate) rows: Vec<(Option<Map>, Option<Map>)>,
    /// How many rows, or links, it changed.
    pub(crate) count: u64,
}
