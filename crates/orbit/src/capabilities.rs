//! [`Capabilities`]: who may do what, as the rows of an access database say.

use debros_core::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Who may do what in a database whose access controller is `orbitdb`: the rows of its access database, each a
/// capability and the ids of those who hold it, and the founding admins, who always hold `admin`.
///
/// ```
/// use debros_core::Value;
/// use debros_orbit::Capabilities;
///
/// let row = Capabilities::grant(None, "bob");
/// let capabilities = Capabilities::new([("write", &row)], ["alice"]);
/// assert!(capabilities.allows_write("alice") && capabilities.allows_write("bob"));
/// assert!(capabilities.holders("admin").eq(["alice"]));
/// // the last one is revoked: the row is to be deleted
/// assert_eq!(Capabilities::revoke(Some(&row), "bob"), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    holders: BTreeMap<String, BTreeSet<String>>,
}

/// To write the database.
pub(crate) const WRITE: &str = "write";
/// To write the database, too. What else it allows is for the application to say: the access database itself is written
/// by founding admins only.
pub(crate) const ADMIN: &str = "admin";
/// Everyone.
const ANYONE: &str = "*";

impl Capabilities {
    /// What these rows and founding admins make. A row that is no list of texts means nothing.
    pub fn new<'r, F: Into<String>>(
        rows: impl IntoIterator<Item = (&'r str, &'r Value)>,
        founders: impl IntoIterator<Item = F>,
    ) -> Capabilities {
        let mut capabilities = Capabilities::default();
        for (capability, row) in rows {
            if let Some(ids) = ids(row) {
                let ids = ids.into_iter().map(str::to_owned).collect();
                capabilities.holders.insert(capability.to_owned(), ids);
            }
        }
        capabilities.holders.entry(ADMIN.to_owned()).or_default().extend(founders.into_iter().map(Into::into));
        capabilities
    }

    /// May this user write the database?
    pub fn allows_write(&self, user: &str) -> bool {
        let held = [WRITE, ADMIN].into_iter().filter_map(|capability| self.holders.get(capability));
        held.into_iter().any(|holders| holders.contains(user) || holders.contains(ANYONE))
    }

    /// The ids of those who hold a capability; `*` is everyone.
    pub fn holders(&self, capability: &str) -> impl Iterator<Item = &str> {
        self.holders.get(capability).into_iter().flatten().map(String::as_str)
    }

    /// The capabilities that there are.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.holders.keys().map(String::as_str)
    }

    /// What the row of a capability becomes when it is granted to `id`, as JavaScript writes it.
    pub fn grant(row: Option<&Value>, id: &str) -> Value {
        let mut ids = row.and_then(ids).unwrap_or_default();
        if !ids.contains(&id) {
            ids.push(id);
        }
        ids.into_iter().map(Value::from).collect::<Vec<_>>().into()
    }

    /// What the row of a capability becomes when it is revoked from `id`; `None`: it is to be deleted, for nobody holds
    /// it any more.
    pub fn revoke(row: Option<&Value>, id: &str) -> Option<Value> {
        let mut ids = row.and_then(ids).unwrap_or_default();
        ids.retain(|holder| *holder != id);
        if ids.is_empty() { None } else { Some(ids.into_iter().map(Value::from).collect::<Vec<_>>().into()) }
    }
}

/// The ids of a row, each once, in their order; `None` if it is no list of texts.
fn ids(row: &Value) -> Option<Vec<&str>> {
    let Value::List(list) = row else { return None };
    let mut seen = BTreeSet::new();
    let ids: Option<Vec<_>> = list.iter().map(Value::as_text).collect();
    Some(ids?.into_iter().filter(|id| seen.insert(*id)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ids: &[&str]) -> Value {
        ids.iter().map(|id| Value::from(*id)).collect::<Vec<_>>().into()
    }

    #[test]
    fn rows_of_other_shapes_mean_nothing() {
        let bad =
            [Value::Null, "bob".into(), vec![Value::from("bob"), 1.into()].into(), Value::Map(Default::default())];
        for bad in &bad {
            let capabilities = Capabilities::new([("write", bad), ("admin", bad)], ["alice"]);
            assert!(capabilities.allows_write("alice") && !capabilities.allows_write("bob"));
            assert_eq!(Capabilities::grant(Some(bad), "carol"), row(&["carol"]));
            assert_eq!(Capabilities::revoke(Some(bad), "bob"), None);
        }
    }

    #[test]
    fn a_star_is_everyone() {
        let everyone = row(&["*"]);
        assert!(Capabilities::new([("write", &everyone)], [] as [&str; 0]).allows_write("bob"));
        assert!(Capabilities::new([("admin", &everyone)], [] as [&str; 0]).allows_write("bob"));
        assert!(!Capabilities::new([("read", &everyone)], [] as [&str; 0]).allows_write("bob"));
    }

    #[test]
    fn rows_keep_their_order_and_name_everyone_once() {
        let old = row(&["b", "a", "b"]);
        assert_eq!(Capabilities::grant(Some(&old), "a"), row(&["b", "a"]));
        assert_eq!(Capabilities::grant(Some(&old), "c"), row(&["b", "a", "c"]));
        assert_eq!(Capabilities::revoke(Some(&old), "b"), Some(row(&["a"])));
        assert_eq!(Capabilities::revoke(Some(&old), "x"), Some(row(&["b", "a"])));
    }
}
