//! Who may write a database.

use super::{
    Author, Core, DocumentRow, StateError,
    core::load_value,
    tables::{DOCUMENTS, key_of},
};
use crate::{
    AccessSpec, DatabaseId, DatabaseInfo, Hash, Request,
    capabilities::{ADMIN, WRITE},
    schema::plain_key,
};
use debros_core::Value;
use debros_ipfs::ReadState;

/// May somebody write?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    Has,
    HasNot,
    /// Had it once: what was in the log when it was revoked counts.
    Had,
}

/// Rows of this name and a user's id hold the heads of the protected databases at the moment at which the user's right
/// was revoked: the address of each, followed by its heads. JavaScript reads every row as a list of those who have the
/// right of that name, so this is a list of texts, too.
pub(crate) const FRONTIER: &str = "frontier/";

impl Core {
    /// May this be written?
    pub(crate) fn right(
        &self,
        state: &dyn ReadState,
        database: &DatabaseInfo,
        author: &Author,
        payload: &Value,
        time: u64,
    ) -> Result<Right, StateError> {
        let has = match &database.spec.access {
            AccessSpec::Ipfs { write } => has(write, &author.id),
            AccessSpec::Orbitdb { admins, .. } => {
                if has(admins, &author.id) {
                    return Ok(Right::Has);
                }
                let Some(controller) = database.controller else {
                    return Err(StateError::Broken(format!("what protects database {} is not known", database.id)));
                };
                for right in [WRITE, ADMIN] {
                    if has(&holders(self, state, controller, right)?, &author.id) {
                        return Ok(Right::Has);
                    }
                }
                let had = list(self, state, controller, &format!("{FRONTIER}{}", author.id))?.is_some();
                return Ok(if had { Right::Had } else { Right::HasNot });
            }
            AccessSpec::Custom { kind, parameters } => {
                let request = Request {
                    database: database.address,
                    parameters,
                    user: &author.id,
                    device: author.key,
                    payload,
                    time,
                };
                // without its rule, nobody may
                self.controllers.get(kind).is_some_and(|controller| controller.allows(&request))
            }
        };
        Ok(if has { Right::Has } else { Right::HasNot })
    }

    /// May this user write something?
    pub(crate) fn may_write(
        &self,
        state: &dyn ReadState,
        database: &DatabaseInfo,
        user: &str,
    ) -> Result<bool, StateError> {
        Ok(match &database.spec.access {
            AccessSpec::Ipfs { write } => has(write, user),
            AccessSpec::Orbitdb { admins, .. } => {
                let granted = |right| {
                    Ok::<_, StateError>(match database.controller {
                        Some(controller) => has(&holders(self, state, controller, right)?, user),
                        None => false,
                    })
                };
                has(admins, user) || granted(WRITE)? || granted(ADMIN)?
            }
            AccessSpec::Custom { kind, .. } => self.controllers.contains_key(kind),
        })
    }

    /// The heads that a protected database had when this user's right was revoked, if it was.
    pub(crate) fn frontier(
        &self,
        state: &dyn ReadState,
        database: &DatabaseInfo,
        user: &str,
    ) -> Result<Option<Vec<Hash>>, StateError> {
        let Some(controller) = database.controller else { return Ok(None) };
        let Some(all) = list(self, state, controller, &format!("{FRONTIER}{user}"))? else { return Ok(None) };
        let of_this = all.iter().skip_while(|text| **text != database.log).skip(1);
        Ok(Some(of_this.map_while(|text| text.parse().ok()).collect()))
    }
}

fn has(ids: &[String], user: &str) -> bool {
    ids.iter().any(|id| id == user || id == "*")
}

fn holders(core: &Core, state: &dyn ReadState, access: DatabaseId, right: &str) -> Result<Vec<String>, StateError> {
    Ok(list(core, state, access, right)?.unwrap_or_default())
}

/// A row of an access database.
pub(crate) fn rights_row(
    core: &Core,
    state: &dyn ReadState,
    access: DatabaseId,
    key: &str,
) -> Result<Option<Value>, StateError> {
    let Some(row) = state.get(DOCUMENTS, &key_of(access, &plain_key(&Value::from(key))))? else { return Ok(None) };
    let row = DocumentRow::from_bytes(&row)
        .ok_or_else(|| StateError::Broken("a row of an access database is unreadable".to_owned()))?;
    load_value(core, state, row.position).map(Some)
}

/// The texts in a row of an access database. A value of another shape means nothing.
fn list(core: &Core, state: &dyn ReadState, access: DatabaseId, key: &str) -> Result<Option<Vec<String>>, StateError> {
    let Some(Value::List(items)) = rights_row(core, state, access, key)? else { return Ok(None) };
    Ok(items.iter().map(|item| item.as_text().map(str::to_owned)).collect())
}
