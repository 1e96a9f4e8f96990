// Derives above and below, serde's among them, and fields that come and go with `cfg`.
#![deny(warnings)]
use debros::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[model]
#[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "camelCase")]
pub struct Above {
    #[field(key)]
    pub id: Id<Above>,
    #[serde(skip)]
    pub secret: String,
    #[cfg(any())]
    pub gone: NoSuchType,
    #[cfg(all())]
    #[field(default)]
    pub here: Vec<u8>,
    #[cfg_attr(all(), field(index))]
    pub other_id: Option<Id<Above>>,
    #[belongs_to]
    #[serde(skip)]
    pub other: BelongsTo<Option<Above>>,
    /// The old way.
    #[deprecated]
    pub old: Option<i64>,
}

#[model]
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Below {
    #[field(key)]
    pub name: String,
    #[field(serde)]
    pub place: (f64, f64),
}

fn main() {
    let _ = models![Above, Below];
    let _ = Below::default();
    let _ = NewAbove { secret: String::new() };
    let _ = NewBelow { name: String::new(), place: (0.0, 0.0) };
    fn all<T: Clone + PartialEq + Eq + Ord + std::hash::Hash + Serialize>() {}
    all::<Above>();
}
