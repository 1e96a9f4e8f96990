//! [`Archive`]: a node that follows everyone.

use crate::{Db, NetworkError, blocking};
use debros_core::UserId;
use debros_orbit::{ReadDocuments as _, ReadError, ReplicationEvent};
use debros_shard::DatabaseName;
use std::{collections::HashSet, time::Duration};
use tokio::time::{Instant, sleep_until};

/// So long after somebody is announced, everyone who was in the meantime is followed.
const SOON: Duration = Duration::from_millis(200);
/// And so often it is looked whether somebody was missed, or could not be followed.
const AGAIN: Duration = Duration::from_secs(60);

/// Follows everyone who is announced, so many users at most.
struct Archive {
    most: usize,
    followed: HashSet<UserId>,
}

impl Db {
    /// Follows everyone who is announced, now and later, if the database was opened as an archive.
    pub(crate) async fn begin_archive(&self) -> Result<(), NetworkError> {
        let Some((joined, most)) = self.joined().and_then(|joined| Some((joined, joined.archive()?))) else {
            return Ok(());
        };
        let mut events = joined.events();
        let of_thread = self.clone();
        let followed = blocking::run(move || held(&of_thread)).await?;
        let mut archive = Archive { most, followed };
        archive.follow_all(self).await?;
        // it goes on as long as somebody holds the database
        let (db, users) = (self.downgrade(), joined.users());
        joined.spawn(async move {
            let mut due = Instant::now() + AGAIN;
            loop {
                tokio::select! {
                    event = events.next() => match event {
                        Some(ReplicationEvent::Changed { database, .. }) if Some(database) == users => {
                            due = due.min(Instant::now() + SOON);
                        }
                        Some(_) => {}
                        None => return,
                    },
                    () = sleep_until(due) => {
                        let Some(db) = db() else { return };
                        // what fails is tried again then
                        let _ = archive.follow_all(&db).await;
                        due = Instant::now() + AGAIN;
                    }
                }
            }
        });
        Ok(())
    }
}

impl Archive {
    async fn follow_all(&mut self, db: &Db) -> Result<(), NetworkError> {
        let mut users = db.users().await?;
        // who came first
        users.sort_by_key(|user| user.first);
        let mut failed = Ok(());
        for user in users {
            if self.followed.len() >= self.most {
                break;
            }
            if !self.followed.contains(&user.id) {
                // one that fails keeps no others back
                match db.open_all(Some(user.id)).await {
                    Ok(()) => drop(self.followed.insert(user.id)),
                    Err(error) => failed = Err(error),
                }
            }
        }
        failed
    }
}

/// The users whose data is held here.
fn held(db: &Db) -> Result<HashSet<UserId>, ReadError> {
    let snapshot = db.snapshot()?;
    let mut users = HashSet::new();
    for model in db.stores().registry.families() {
        for info in snapshot.databases(&db.stores().family(model))? {
            let name: Option<DatabaseName> = info.spec.name.parse().ok();
            users.extend(name.and_then(|name| name.user?.parse::<UserId>().ok()));
        }
    }
    Ok(users)
}
