use crate::{
    Capabilities, DatabaseId, DatabaseInfo, Hash, Identity, Payload, ReadDocuments as _, ReadError, WriteError, Writer,
    capabilities::{ADMIN, WRITE},
    database::ACCESS_FAMILY,
    state::{FRONTIER, PROTECTED, key_of, past, rights_row},
};
use debros_core::Value;
use std::sync::Arc;

impl Writer<'_> {
    /// Gives a user a right, in the database that says who may write others
    /// ([`DatabaseInfo::controller`](crate::DatabaseInfo)): `write` to write what it protects, `admin` the same. `*` is
    /// everyone. Only founding admins can grant. Entries of the user that were held back join.
    ///
    /// # Errors
    /// If this identity is none of a founding admin, the database says nothing about rights, or the store fails.
    pub fn grant(
        &mut self,
        access: DatabaseId,
        identity: &Identity,
        right: &str,
        user: &str,
    ) -> Result<Option<Hash>, WriteError> {
        self.access_database(access, right)?;
        let row = rights_row(self.core, self.job.as_state(), access, right)?;
        if row.as_ref().is_some_and(|row| holds(row, user)) {
            return Ok(None);
        }
        self.append(access, identity, Payload::put(right.into(), Capabilities::grant(row.as_ref(), user))).map(Some)
    }

    /// Takes a right from a user. What they wrote before, and is here now, stays valid, also for replicas that see it
    /// later: a row records the heads of the protected databases at this moment. What is not here is refused by those who
    /// get it afterwards, and stays where it was before. `None` if the user did not have the right.
    ///
    /// A founding admin cannot be revoked: they are part of the address.
    ///
    /// # Errors
    /// As [`Writer::grant`].
    pub fn revoke(
        &mut self,
        access: DatabaseId,
        identity: &Identity,
        right: &str,
        user: &str,
    ) -> Result<Option<Hash>, WriteError> {
        self.access_database(access, right)?;
        let row = rights_row(self.core, self.job.as_state(), access, right)?;
        if !row.as_ref().is_some_and(|row| holds(row, user)) {
            return Ok(None);
        }
        if right == WRITE || right == ADMIN {
            // first, so that nobody sees the revocation without it
            let mut frontier = Vec::new();
            let prefix = key_of(access, &[]);
            let rows = self.job.scan(PROTECTED, &prefix, past(&prefix).as_deref(), false);
            let rows = rows.collect::<Result<Vec<_>, _>>().map_err(ReadError::from)?;
            for (key, _) in rows {
                let Some(number) = key.get(4..).and_then(|rest| rest.first_chunk()) else { continue };
                let protected = self.database_info(DatabaseId(u32::from_be_bytes(*number)))?;
                let heads = self.heads(protected.id)?;
                if !heads.is_empty() {
                    frontier.push(Value::from(protected.address.to_string()));
                    frontier.extend(heads.iter().map(|head| Value::from(head.to_string())));
                }
            }
            self.append(access, identity, Payload::put(format!("{FRONTIER}{user}").into(), frontier.into()))?;
        }
        let payload = match Capabilities::revoke(row.as_ref(), user) {
            None => Payload::del(right.into()),
            Some(row) => Payload::put(right.into(), row),
        };
        self.append(access, identity, payload).map(Some)
    }

    fn access_database(&mut self, access: DatabaseId, right: &str) -> Result<Arc<DatabaseInfo>, WriteError> {
        let info = self.database_info(access)?;
        if info.spec.family != ACCESS_FAMILY {
            return Err(WriteError::NoRights { database: info.spec.name.clone() });
        }
        if right.is_empty() || right.chars().count() > 64 || right.contains('/') {
            return Err(WriteError::NotARight(right.chars().take(80).collect()));
        }
        Ok(info)
    }
}

fn holds(row: &Value, user: &str) -> bool {
    matches!(row, Value::List(ids) if ids.iter().any(|id| id.as_text() == Some(user)))
}
