//! Options of later versions, and options that stand in the wrong attribute.

/// Options that are planned and that nothing reads yet: refused, never accepted and ignored.
pub(crate) const OPTIONS: &[&str] = &[
    "cache",
    "cascade",
    "conflict",
    "encrypted",
    "events",
    "merge",
    "on_delete",
    "pinning",
    "searchable",
    "through",
    "version",
    "was",
];

/// Words that are planned as values: stores and sharding strategies.
pub(crate) const STORES: &[&str] = &["counter", "feed", "keyvalue"];
pub(crate) const STRATEGIES: &[&str] = &["range", "user"];

/// What to say of one of them.
pub(crate) fn not_yet(name: &str) -> String {
    format!("this version of debros does not have `{name}` yet: leave it out")
}

/// The attribute that an option belongs to, where it is one only.
pub(crate) fn home_of(option: &str) -> Option<&'static str> {
    Some(match option {
        "scope" | "writers" | "store" | "name" | "sharding" | "hooks" | "crate" => "model",
        "unique" | "index" | "default" | "created" | "updated" | "owner" | "serde" | "len" | "range" | "matches"
        | "check" => "field",
        "inverse" => "many_to_many",
        _ => return None,
    })
}
