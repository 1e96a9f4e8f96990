//! [`ReadDocuments`]: reading the databases of a node.

use crate::{
    AccessSpec, Address, Capabilities, DatabaseId, DatabaseInfo, DatabaseSpec, Document, Entry, EventRange, EventsRead,
    Hash, HeldEntry, LastEvent, LastEventsRead, Payload, Problem, PublicKey, ReadError, RowRef, Wanted,
    state::{
        ADDRESSES, Core, DOCUMENTS, DocumentRow, FAMILIES, FAMILY_ROWS, FRONTIER, FieldReader, HELD, HeldRow, INDEXES,
        MEMBERS, NAMES, PROBLEMS, family_prefix, hash_at, index_prefix, is_dropped, key_of, load_record, load_value,
        name_key, open_entry, open_payload, past, problem_key, problem_parts,
    },
};
use debros_core::{Map, Value};
use debros_ipfs::{Bytes, Position, ReadState, Table};
use std::sync::Arc;

/// Rows, one by one, read as they are asked for. After an error there are no more.
pub type RowRefs<'s> = Box<dyn Iterator<Item = Result<RowRef, ReadError>> + 's>;

/// What reading needs; only a [`Snapshot`](crate::Snapshot) and a [`Writer`](crate::Writer) have it.
pub(crate) trait Readable {
    fn state(&self) -> &dyn ReadState;
    fn core(&self) -> &Core;
    /// Is it the state that everyone sees, rather than one that may yet be dropped?
    fn is_committed(&self) -> bool;
}

/// Reading the databases of a node: as they were at one moment ([`Snapshot`](crate::Snapshot)), or as a write sees
/// them, with what it has done so far ([`Writer`](crate::Writer)).
///
/// Ranges are half open: `start <= bytes < end`, and without `end` to the last.
#[expect(private_bounds, reason = "nobody else may implement it")]
pub trait ReadDocuments: Readable {
    /// The database with this name or address. Of several with one name, the one that was opened first.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn database(&self, name: &str) -> Result<Option<Arc<DatabaseInfo>>, ReadError> {
        if let Ok(address) = name.parse() {
            return self.at(&address);
        }
        let prefix = name_key(name, None);
        for row in self.state().scan(NAMES, &prefix, past(&prefix).as_deref(), false) {
            let database = database_at(&row?.0, prefix.len())?;
            if !is_dropped(self.state(), database)? {
                return self.info(database).map(Some);
            }
        }
        Ok(None)
    }

    /// The database with this address; `None`, too, if it was dropped.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn at(&self, address: &Address) -> Result<Option<Arc<DatabaseInfo>>, ReadError> {
        let Some(row) = self.state().get(ADDRESSES, address.manifest().digest())? else { return Ok(None) };
        let database = database_at(&row, 0)?;
        if is_dropped(self.state(), database)? { Ok(None) } else { self.info(database).map(Some) }
    }

    /// The database that opening this would give, if it is open.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn find(&self, spec: &DatabaseSpec) -> Result<Option<Arc<DatabaseInfo>>, ReadError> {
        let address = spec.address().map_err(|e| ReadError::State(Box::new(e)))?;
        self.at(&address)
    }

    /// The database with this number.
    ///
    /// # Errors
    /// If there is none, or the store cannot be read.
    fn info(&self, database: DatabaseId) -> Result<Arc<DatabaseInfo>, ReadError> {
        let info = self.core().info(self.state(), database)?.ok_or(ReadError::NoDatabase(database))?;
        if self.is_committed() {
            self.core().remember_database(&info);
        }
        Ok(info)
    }

    /// The databases of a family, in the order in which they were opened here.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn databases(&self, family: &str) -> Result<Vec<Arc<DatabaseInfo>>, ReadError> {
        let Some(family) = family_number(self.state(), family)? else { return Ok(Vec::new()) };
        let prefix = family.to_be_bytes();
        let members = self.state().scan(MEMBERS, &prefix, past(&prefix).as_deref(), false);
        members.map(|row| self.info(database_at(&row?.0, 4)?)).collect()
    }

    /// How many rows a database has.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn count(&self, database: DatabaseId) -> Result<u64, ReadError> {
        Ok(self.core().log(self.state(), database)?.rows)
    }

    /// How many entries the log of a database has.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn entries(&self, database: DatabaseId) -> Result<u64, ReadError> {
        Ok(self.core().log(self.state(), database)?.entries)
    }

    /// The heads of a database's log, newest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn heads(&self, database: DatabaseId) -> Result<Vec<Hash>, ReadError> {
        Ok(crate::heads::sorted(self.core(), self.state(), database)?.into_iter().map(|(_, hash)| hash).collect())
    }

    /// The bytes of a block: an entry, an identity, a manifest, an access list.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn block(&self, hash: &Hash) -> Result<Option<Bytes>, ReadError> {
        Ok(self.state().block(&hash.cid())?.map(|(_, bytes)| bytes))
    }

    /// What a key holds.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn get(&self, database: DatabaseId, key: &[u8]) -> Result<Option<Document>, ReadError> {
        let state = self.state();
        let Some(row) = state.get(DOCUMENTS, &key_of(database, key))? else { return Ok(None) };
        let row = document_row(&row)?;
        let problem = match row.problem {
            true => state.get(PROBLEMS, &problem_key(database, false, key))?.map(|row| problem_at(&row)).transpose()?,
            false => None,
        };
        Ok(Some(Document {
            position: row.position,
            author: author(self, row.stamp.author)?,
            first_author: author(self, row.first.unwrap_or(row.stamp).author)?,
            record: load_record(self.core(), state, row.position)?,
            problem: problem.map(|(_, _, reason)| reason),
        }))
    }

    /// The events of an events database, newest first: those of a range, as JavaScript's `iterator` gives them. Reads
    /// what it gives, and no more.
    ///
    /// ```
    /// use debros_orbit::{DatabaseKind, DatabaseSpec, Durability, EventRange, NoSchema, Node, NodeOptions, ReadDocuments, WriteError};
    /// use std::sync::Arc;
    ///
    /// # futures::executor::block_on(async {
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path();
    /// let node = Node::open(folder, NodeOptions::default(), Arc::new(NoSchema))?;
    /// let me = node.identity("me")?;
    /// let chat = DatabaseSpec::documents("chat", [me.id()]).of_kind(DatabaseKind::Events);
    /// let chat = node.write(Durability::Local, move |w| {
    ///     let chat = w.open(&chat).expect("it has a writer");
    ///     for text in ["hello", "how are you?", "bye"] {
    ///         w.add(chat, &me, text.into())?;
    ///     }
    ///     Ok::<_, WriteError>(chat)
    /// })
    /// .await?;
    /// let snapshot = node.snapshot()?;
    /// let last_two: Vec<_> = snapshot.events(chat, &EventRange::all().amount(2))?.collect::<Result<_, _>>()?;
    /// assert_eq!([&last_two[0].value, &last_two[1].value], [&"bye".into(), &"how are you?".into()]);
    /// let since = snapshot.events(chat, &EventRange::all().gt(last_two[1].hash))?;
    /// assert_eq!(since.count(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// If the log does not have an entry that bounds the range, there is no such database, or the store cannot be read.
    fn events(&self, database: DatabaseId, range: &EventRange) -> Result<EventsRead<'_>, ReadError> {
        crate::event_reader::events(self.core(), self.state(), &*self.info(database)?, range)
    }

    /// What a key of a keyvalue database holds.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn value(&self, database: DatabaseId, key: &Value) -> Result<Option<Value>, ReadError> {
        let key = key_of(database, &crate::schema::plain_key(key));
        let row = self.state().get(DOCUMENTS, &key)?;
        row.map(|row| self.load_value(document_row(&row)?.position)).transpose()
    }

    /// What devices said last, by user and device; those of one user, if one is named. Only for events databases of which
    /// nothing else counts ([`Schema::last_events`](crate::Schema::last_events)).
    fn last_events<'s>(&'s self, database: DatabaseId, user: Option<&PublicKey>) -> LastEventsRead<'s> {
        let prefix = key_of(database, user.map_or(&[], |user| user.as_bytes()));
        Box::new(range(self.state(), DOCUMENTS, &prefix, &[], None, false).map(|row| {
            let (key, row) = row?;
            let row = document_row(&row)?;
            let mut key = FieldReader::new(&key[4..]);
            let mut read = || Some((PublicKey::from_bytes(key.array()?), PublicKey::from_bytes(key.array()?)));
            let (user, device) = read().ok_or_else(|| broken("the key of a last event"))?;
            let (first, last) = (row.first.unwrap_or(row.stamp).time, row.stamp.time);
            Ok(LastEvent { user, device, value: self.load_value(row.position)?, first, last })
        }))
    }

    /// The rows of a database whose key is in a range, by key. Of an events database: its events, in the order of the
    /// log.
    fn scan_keys<'s>(&'s self, database: DatabaseId, start: &[u8], end: Option<&[u8]>, reverse: bool) -> RowRefs<'s> {
        let prefix = key_of(database, &[]);
        Box::new(range(self.state(), DOCUMENTS, &prefix, start, end, reverse).filter_map(move |row| {
            let found = row.and_then(|(key, row)| {
                let row = document_row(&row)?;
                Ok((!row.problem).then(|| found(database, row.position, key[4..].to_vec(), 0)))
            });
            found.transpose()
        }))
    }

    /// The rows of a database whose index row is in a range, by values and then key. The range is over values and key,
    /// one after the other.
    fn scan_index<'s>(
        &'s self,
        database: DatabaseId,
        index: u16,
        start: &[u8],
        end: Option<&[u8]>,
        reverse: bool,
    ) -> RowRefs<'s> {
        let prefix = index_prefix(database, index, 0);
        Box::new(range(self.state(), INDEXES, &prefix, start, end, reverse).map(move |row| {
            let (key, row) = row?;
            let (position, values) = index_row(&row)?;
            if values > key.len() - 6 {
                return Err(broken("an index row"));
            }
            Ok(found(database, position, key[6..].to_vec(), values))
        }))
    }

    /// The rows of all databases of a family whose index row is in a range, by values, then database, then key; without
    /// an index by key, then database. The range is over the values of the index, or over the keys. Only databases of
    /// which [`Schema::has_family`](crate::Schema::has_family) is true have such rows.
    fn scan_family<'s>(
        &'s self,
        family: &str,
        index: Option<u16>,
        start: &[u8],
        end: Option<&[u8]>,
        reverse: bool,
    ) -> RowRefs<'s> {
        let number = match family_number(self.state(), family) {
            Ok(Some(number)) => number,
            Ok(None) => return Box::new(std::iter::empty()),
            Err(error) => return Box::new(std::iter::once(Err(error))),
        };
        let prefix = family_prefix(number, index, 0);
        Box::new(range(self.state(), FAMILY_ROWS, &prefix, start, end, reverse).map(move |row| {
            let (key, row) = row?;
            let (position, values) = index_row(&row)?;
            let mut bytes = key[7..].to_vec();
            if bytes.len() < values + 4 {
                return Err(broken("a family row"));
            }
            let database = database_at(&bytes, values)?;
            bytes.drain(values..values + 4);
            Ok(found(database, position, bytes, if index.is_some() { values } else { 0 }))
        }))
    }

    /// The record of a row.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn load(&self, position: Position) -> Result<Map, ReadError> {
        Ok(load_record(self.core(), self.state(), position)?)
    }

    /// The value of a row of a keyvalue or events database.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn load_value(&self, position: Position) -> Result<Value, ReadError> {
        Ok(load_value(self.core(), self.state(), position)?)
    }

    /// May this user write this database now? An [`AccessController`](crate::AccessController) of the application's own
    /// may yet refuse a single entry.
    ///
    /// # Errors
    /// If the store cannot be read, or there is no such database.
    fn may_write(&self, database: DatabaseId, user: &str) -> Result<bool, ReadError> {
        let info = self.info(database)?;
        Ok(self.core().may_write(self.state(), &info, user)?)
    }

    /// Who has which right, as an access database says: its rows, and its founding admins as `admin`.
    ///
    /// # Errors
    /// If the store cannot be read, or there is no such database.
    fn capabilities(&self, access: DatabaseId) -> Result<Capabilities, ReadError> {
        let info = self.info(access)?;
        let AccessSpec::Ipfs { write: admins } = &info.spec.access else { return Ok(Capabilities::default()) };
        let mut rows = Vec::new();
        for row in self.scan_keys(access, &[], None, false) {
            let (_, payload) = self.put_at(access, row?.position)?;
            rows.push((payload.key, payload.value));
        }
        let rows = rows.iter().filter_map(|(key, value)| Some((key.as_text()?, value)));
        Ok(Capabilities::new(rows.filter(|(key, _)| !key.starts_with(FRONTIER)), admins))
    }

    /// The entries that are held back, and why; of one database, if one is named.
    fn held(&self, database: Option<DatabaseId>) -> Box<dyn Iterator<Item = Result<HeldEntry, ReadError>> + '_> {
        let prefix = database.map_or_else(Vec::new, |database| key_of(database, &[]));
        Box::new(range(self.state(), HELD, &prefix, &[], None, false).filter_map(|row| {
            let found = row.and_then(|(key, row)| {
                let row = HeldRow::from_bytes(&row).ok_or_else(|| broken("an entry that is held back"))?;
                let Some(held) = row.held else { return Ok(None) };
                Ok(Some(HeldEntry {
                    database: database_at(&key, 0)?,
                    hash: hash_at(&key, 4)?,
                    hold: held.hold,
                    from: held.from,
                    since: held.since,
                    bytes: row.position.len,
                    missing: row.missing,
                    needed: held.needed,
                }))
            });
            found.transpose()
        }))
    }

    /// The blocks that entries wait for that may join with them, each once; of one database, if one is named, and at
    /// most so many. Where there are more, each call begins elsewhere, so that all of them come up.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn wanted(&self, database: Option<DatabaseId>, most: usize) -> Result<Vec<Wanted>, ReadError> {
        let mut wanted = crate::wanted::identities(self.core(), self.state(), database, most)?;
        crate::wanted::entries(self.state(), database, most, &mut wanted)?;
        Ok(wanted)
    }

    /// A hash over everything that the log of a database means: what each key holds and by which entry, what is deleted,
    /// and the heads. Replicas with the same heads, of the database and of the one that says who may write it, and with
    /// the same keys for what is encrypted, have the same hash; unless an entry that was written while its user's right was being
    /// revoked came to one of them before the revocation ([`Writer::revoke`](crate::Writer::revoke)). Reads every row.
    ///
    /// # Errors
    /// If the store cannot be read, or there is no such database.
    fn state_hash(&self, database: DatabaseId) -> Result<[u8; 32], ReadError> {
        Ok(crate::state::state_hash(self.state(), self.core(), &*self.info(database)?)?)
    }

    /// The entry that put a row, and what it says: also the key, where the database's own form of it is not enough.
    ///
    /// # Errors
    /// If the store cannot be read, or there is no such entry.
    fn put_at(&self, database: DatabaseId, position: Position) -> Result<(Hash, Payload), ReadError> {
        let (info, state) = (self.info(database)?, self.state());
        let block = state.block_at(position)?;
        let hash = Hash::of(&block);
        let entry = Entry::decode(&open_entry(self.core(), state, position, block)?);
        let entry = entry.map_err(|e| ReadError::State(Box::new(e)))?;
        let payload = open_payload(self.core(), &info.log, entry.payload().clone()).and_then(Payload::from_value);
        payload.map(|payload| (hash, payload)).ok_or_else(|| broken("the payload of a row"))
    }

    /// What is in the logs and is no row, database by database; of one database, if one is named.
    fn problems(&self, database: Option<DatabaseId>) -> Box<dyn Iterator<Item = Result<Problem, ReadError>> + '_> {
        let prefix = database.map_or_else(Vec::new, |database| key_of(database, &[]));
        Box::new(range(self.state(), PROBLEMS, &prefix, &[], None, false).map(move |row| {
            let (key, row) = row?;
            let (position, number, reason) = problem_at(&row)?;
            let (kind, of) = problem_parts(&key).ok_or_else(|| broken("a problem"))?;
            Ok(Problem {
                database: database_at(&key, 0)?,
                key: of.to_vec(),
                position,
                author: author(self, number)?,
                kind,
                reason,
            })
        }))
    }
}

impl<R: Readable> ReadDocuments for R {}

fn broken(what: &str) -> ReadError {
    crate::state::StateError::Broken(format!("{what} is unreadable")).into()
}

fn family_number(state: &dyn ReadState, family: &str) -> Result<Option<u32>, ReadError> {
    let Some(row) = state.get(FAMILIES, family.as_bytes())? else { return Ok(None) };
    Ok(Some(database_at(&row, 0)?.0))
}

fn author<R: Readable + ?Sized>(read: &R, number: u32) -> Result<String, ReadError> {
    let author = read.core().author(read.state(), number)?;
    if read.is_committed() {
        read.core().remember_author(&author);
    }
    Ok(author.id.clone())
}

/// The rows of a table whose key begins with `prefix`, and goes on within a range.
fn range<'s>(
    state: &'s dyn ReadState,
    table: Table,
    prefix: &[u8],
    start: &[u8],
    end: Option<&[u8]>,
    reverse: bool,
) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), ReadError>> + use<'s> {
    let start = [prefix, start].concat();
    let end = match end {
        Some(end) => Some([prefix, end].concat()),
        None => past(prefix),
    };
    state.scan(table, &start, end.as_deref(), reverse).map(|row| row.map_err(ReadError::from))
}

fn found(database: DatabaseId, position: Position, bytes: Vec<u8>, values: usize) -> RowRef {
    RowRef { database, position, bytes, values }
}

fn document_row(row: &[u8]) -> Result<DocumentRow, ReadError> {
    DocumentRow::from_bytes(row).ok_or_else(|| broken("a row"))
}

fn index_row(row: &[u8]) -> Result<(Position, usize), ReadError> {
    let mut row = FieldReader::new(row);
    let mut read = || Some((row.position()?, usize::try_from(row.number()?).ok()?));
    read().ok_or_else(|| broken("an index row"))
}

fn problem_at(row: &[u8]) -> Result<(Position, u32, String), ReadError> {
    let mut row = FieldReader::new(row);
    let mut read = || Some((row.position()?, row.number32()?));
    let (position, author) = read().ok_or_else(|| broken("a problem"))?;
    Ok((position, author, String::from_utf8_lossy(row.rest()).into_owned()))
}

/// The number of a database that lies in a key or row.
fn database_at(bytes: &[u8], at: usize) -> Result<DatabaseId, ReadError> {
    let number = bytes.get(at..).and_then(|rest| rest.first_chunk());
    number.map(|number| DatabaseId(u32::from_be_bytes(*number))).ok_or_else(|| broken("the number of a database"))
}
