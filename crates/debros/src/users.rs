//! [`KnownUser`]: who has announced themselves.

use crate::{Db, Identity, WriteError, blocking, source};
use debros_core::{Map, UserId, Value};
use debros_orbit::{DatabaseId, LastEvent, PublicKey, ReadDocuments as _, ReadError};
use debros_query::SourceError;

/// The most characters of a user's name.
const NAME: usize = 64;

/// A user who has announced themselves in the application: [`Db::users`] gives them.
///
/// That there is such a user, and that a device is theirs, is signed by the user's key. The name is whatever they say: several
/// may have one. An announcement gives nobody a right.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KnownUser {
    /// The user.
    pub id: UserId,
    /// The name that they give themselves, on the device that said one last: 1 to 64 characters, none of them a control character.
    pub name: Option<String>,
    /// Their devices that have announced themselves, by key; the last 16.
    pub devices: Vec<KnownDevice>,
    /// When they announced themselves first, as far as is known, by the clock of the announcements: a larger number is later.
    pub first: u64,
    /// When they did last.
    pub last: u64,
}

/// A device of a [`KnownUser`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KnownDevice {
    /// Its public key: 66 hexadecimal digits.
    pub key: String,
    /// When it announced itself first, by the clock of the announcements.
    pub first: u64,
    /// When it did last.
    pub last: u64,
}

/// Why a user was not announced.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnnounceError {
    /// The name cannot be one.
    #[error(
        "`{name}` cannot be a user's name: take 1 to {NAME} characters, no control characters, and not only spaces"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// It could not be written.
    #[error(transparent)]
    Write(Box<WriteError>),
}

impl From<WriteError> for AnnounceError {
    fn from(error: WriteError) -> AnnounceError {
        AnnounceError::Write(Box::new(error))
    }
}

impl Db {
    /// Tells the application's other nodes of a user on this device, with a name or without. It takes the place of what was announced
    /// on this device before; to announce the same again does nothing. It can be done without a network, and is known once there is one.
    ///
    /// A database with a network announces each user without a name, as soon as its identity is
    /// [taken](Db::identity), unless [`Builder::announce_users`](crate::Builder::announce_users) says otherwise.
    ///
    /// # Errors
    /// If the name is not 1 to 64 characters without control characters, or it could not be written.
    pub async fn announce<'n>(
        &self,
        identity: &Identity,
        name: impl Into<Option<&'n str>>,
    ) -> Result<(), AnnounceError> {
        let name = match name.into() {
            Some(name) if !is_name(name) => {
                return Err(AnnounceError::Name { name: name.chars().take(2 * NAME).collect() });
            }
            name => name.map_or(Value::Null, Value::from),
        };
        Ok(self.say(identity, Some(Map::from_iter([("name", name)]))).await?)
    }

    /// The users who have announced themselves, here or at a peer, by id: 16,384 devices at most. Who announced themselves earlier are
    /// known before others.
    ///
    /// # Errors
    /// If the databases cannot be read.
    pub async fn users(&self) -> Result<Vec<KnownUser>, SourceError> {
        let db = self.clone();
        blocking::run(move || known(&db, None).map_err(source::error)).await
    }

    /// What this user has announced; `None` if nothing that is known here.
    ///
    /// # Errors
    /// If the databases cannot be read.
    pub async fn user(&self, user: UserId) -> Result<Option<KnownUser>, SourceError> {
        let db = self.clone();
        blocking::run(move || Ok(known(&db, Some(&user)).map_err(source::error)?.pop())).await
    }

    /// Announces that this user has this device, unless it said something before.
    pub(crate) async fn announce_device(&self, identity: &Identity) -> Result<(), WriteError> {
        match self.say(identity, None).await {
            // nobody is kept from working because others have announced so many users; whoever announces by hand is told
            Err(WriteError::Log(debros_orbit::WriteError::Record { .. })) => Ok(()),
            other => other,
        }
    }

    /// Says something of a user on this device, unless it was said last; or, without anything to say, that there is one.
    async fn say(&self, identity: &Identity, what: Option<Map>) -> Result<(), WriteError> {
        self.check_folder(identity)?;
        let (spec, signer) = (self.stores().databases.application().users(), identity.signer.clone());
        let job = move |writer: &mut debros_orbit::Writer<'_>| {
            let database = writer.open(&spec)?;
            let mut before = None;
            for event in writer.last_events(database, Some(&signer.block().id)) {
                let event = event.map_err(debros_orbit::WriteError::from)?;
                if event.device == signer.block().public_key {
                    before = Some(event.value);
                }
            }
            let is_said = match (&before, &what) {
                (Some(Value::Map(before)), Some(what)) => before == what,
                (before, None) => before.is_some(),
                _ => false,
            };
            if !is_said {
                writer.add(database, &signer, Value::Map(what.unwrap_or_default()))?;
            }
            Ok::<DatabaseId, WriteError>(database)
        };
        let database = self.commit(job).await?;
        if let Some(joined) = self.joined() {
            // it is written; that it cannot be told to peers any more means that the network was closed
            let _ = joined.replicate([database]).await;
        }
        Ok(())
    }
}

/// The users who have announced themselves, by id; or the one of this id.
fn known(db: &Db, user: Option<&UserId>) -> Result<Vec<KnownUser>, ReadError> {
    let snapshot = db.snapshot()?;
    let Some(info) = snapshot.find(&db.stores().databases.application().users())? else { return Ok(Vec::new()) };
    let user = user.map(|user| PublicKey::from_bytes(*user.as_bytes()));
    let mut users: Vec<KnownUser> = Vec::new();
    // when the name was said
    let mut named = 0;
    for event in snapshot.last_events(info.id, user.as_ref()) {
        let LastEvent { user, device, value, first, last, .. } = event?;
        // anything else is no announcement
        let Value::Map(says) = value else { continue };
        let id = UserId::from_bytes(*user.as_bytes());
        if users.last().is_none_or(|user| user.id != id) {
            users.push(KnownUser { id, name: None, devices: Vec::new(), first, last });
            named = 0;
        }
        let Some(user) = users.last_mut() else { continue };
        if says.contains_key("name") && last > named {
            named = last;
            user.name = says.field("name").as_text().filter(|name| is_name(name)).map(str::to_owned);
        }
        user.devices.push(KnownDevice { key: device.to_string(), first, last });
        (user.first, user.last) = (user.first.min(first), user.last.max(last));
    }
    Ok(users)
}

/// May this be shown as a user's name, on a terminal, too?
fn is_name(name: &str) -> bool {
    // those that turn the direction of writing hide what a name is
    let misleads = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (1..=NAME).contains(&name.chars().count()) && !name.contains(misleads) && !name.trim().is_empty()
}
