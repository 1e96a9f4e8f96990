use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Arc,
};

use redb::{Database, ReadOnlyDatabase, ReadOnlyTable, ReadableDatabase, ReadableTable, TableDefinition, TableHandle};

use crate::{
    DiskError, StoreError, Table, journal_end::JournalEnd, layered::Layered, overlay::Overlay, state_meta::StateMeta,
    step::Step,
};

type Rows = TableDefinition<'static, &'static [u8], &'static [u8]>;
pub(crate) type BaseTable = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// The store's own table. Its name begins with a control character, which tables of others may not.
const META: Rows = TableDefinition::new("\u{1}meta");
const FORMAT: &[u8] = b"format";
const FINGERPRINT: &[u8] = b"fingerprint";
const END: &[u8] = b"end";
const COMPACTED: &[u8] = b"compacted";
/// Smaller files are not compacted.
const MIN_COMPACTION: u64 = 8 << 20;

/// The redb file with the state as of the last checkpoint.
pub(crate) struct StateFile {
    path: PathBuf,
    database: Database,
}

/// The tables of the state file as of one checkpoint, for reading.
pub(crate) struct Base {
    path: PathBuf,
    tables: BTreeMap<String, BaseTable>,
}

impl StateFile {
    /// Opens or creates the file; `None` when it is there but cannot be used, so that it must be built anew.
    pub(crate) fn open(path: &Path, cache_size: usize) -> Result<Option<StateFile>, StoreError> {
        // redb trusts a file that it closed itself, and may panic over one that was damaged since.
        let opened = catch_unwind(|| Database::builder().set_cache_size(cache_size).create(path));
        match opened {
            Ok(Ok(database)) => Ok(Some(StateFile { path: path.to_path_buf(), database })),
            Ok(Err(error)) => match error {
                redb::DatabaseError::Storage(redb::StorageError::Io(source))
                    if source.kind() != std::io::ErrorKind::InvalidData =>
                {
                    Err(DiskError::new("opening", path, source).into())
                }
                redb::DatabaseError::DatabaseAlreadyOpen => Err(failed(path, error)),
                _ => Ok(None),
            },
            Err(_panic) => Ok(None),
        }
    }

    /// What a file says of itself, without changing a byte of it; `None` when it cannot be used as it is.
    pub(crate) fn peek(path: &Path) -> Option<StateMeta> {
        let read = || read_meta(&ReadOnlyDatabase::open(path).ok()?).ok().flatten();
        catch_unwind(read).ok().flatten()
    }

    /// What the file says of itself; `None` when it is new, or says nothing that makes sense.
    pub(crate) fn meta(&self) -> Result<Option<StateMeta>, StoreError> {
        match catch_unwind(AssertUnwindSafe(|| read_meta(&self.database))) {
            Ok(Ok(meta)) => Ok(meta),
            Ok(Err(redb::Error::Corrupted(_))) | Err(_) => Ok(None),
            Ok(Err(error)) => Err(failed(&self.path, error)),
        }
    }

    /// Writes what the layers (oldest first) change, and what the file then says of itself, in one durable commit.
    pub(crate) fn write(&self, layers: &[Arc<Overlay>], meta: &StateMeta) -> Result<(), StoreError> {
        let write = || -> Result<(), redb::Error> {
            let mut transaction = self.database.begin_write()?;
            transaction.set_quick_repair(true);
            let tables: BTreeSet<Table> = layers.iter().flat_map(|layer| layer.tables()).collect();
            for table in tables {
                let mut rows = transaction.open_table(definition(table))?;
                for (key, value) in Layered::new(layers.iter().rev().map(Arc::as_ref), table, b"", None, false) {
                    match value {
                        Some(value) => drop(rows.insert(key, value)?),
                        None => drop(rows.remove(key)?),
                    }
                }
            }
            {
                let mut rows = transaction.open_table(META)?;
                rows.insert(FORMAT, meta.format.to_be_bytes().as_slice())?;
                rows.insert(FINGERPRINT, meta.fingerprint.as_slice())?;
                rows.insert(END, meta.end.to_bytes().as_slice())?;
            }
            Step::StateCommit.run(|| Ok(transaction.commit()?))
        };
        write().map_err(|error| failed(&self.path, error))
    }

    /// The tables as of the last [`StateFile::write`].
    pub(crate) fn base(&self) -> Result<Base, StoreError> {
        let read = || -> Result<BTreeMap<String, BaseTable>, redb::Error> {
            let transaction = self.database.begin_read()?;
            let mut tables = BTreeMap::new();
            for handle in transaction.list_tables()? {
                if handle.name() != META.name() {
                    let table = transaction.open_table(TableDefinition::new(handle.name()))?;
                    tables.insert(handle.name().to_owned(), table);
                }
            }
            Ok(tables)
        };
        let tables = read().map_err(|error| failed(&self.path, error))?;
        Ok(Base { path: self.path.clone(), tables })
    }

    /// Gives free space of the file back to the system if it has grown out of proportion: beyond the segments, which it
    /// derives from, and by a quarter since the last time. Compaction writes the file anew, so it is not done lightly.
    pub(crate) fn compact_if_worth_it(&mut self, segment_bytes: u64) -> Result<(), StoreError> {
        let before = self.disk_len()?;
        if before < MIN_COMPACTION || before < segment_bytes / 10 * 9 || before / 5 * 4 < self.compacted_len()? {
            return Ok(());
        }
        let compact = || match self.database.compact() {
            Ok(_) => Ok(true),
            // Somebody still reads an old state.
            Err(redb::CompactionError::TransactionInProgress) => Ok(false),
            Err(error) => Err(redb::Error::from(error)),
        };
        if !Step::StateCompact.run(compact).map_err(|error| failed(&self.path, error))? {
            return Ok(());
        }
        let after = self.disk_len()?;
        self.note_compacted(after).map_err(|error| failed(&self.path, error))
    }

    /// What the file takes on the disk, in bytes: redb lets it grow by doubling, and most of that is a hole.
    fn disk_len(&self) -> Result<u64, DiskError> {
        let meta = std::fs::metadata(&self.path).map_err(DiskError::at("reading", &self.path))?;
        #[cfg(unix)]
        let len = std::os::unix::fs::MetadataExt::blocks(&meta) * 512;
        #[cfg(not(unix))]
        let len = meta.len();
        Ok(len)
    }

    /// What the file took after its last compaction; 0 when there was none.
    fn compacted_len(&self) -> Result<u64, StoreError> {
        let read = || -> Result<Option<u64>, redb::Error> {
            let table = self.database.begin_read()?.open_table(META)?;
            Ok(ReadableTable::get(&table, COMPACTED)?
                .and_then(|v| Some(u64::from_be_bytes(v.value().try_into().ok()?))))
        };
        read().map(Option::unwrap_or_default).map_err(|error| failed(&self.path, error))
    }

    fn note_compacted(&self, len: u64) -> Result<(), redb::Error> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_quick_repair(true);
        transaction.open_table(META)?.insert(COMPACTED, len.to_be_bytes().as_slice())?;
        transaction.commit()?;
        Ok(())
    }

    /// Closes the file; states that are still read give errors from then on.
    pub(crate) fn close(self) -> Result<(), StoreError> {
        let close = || Ok::<_, redb::Error>(self.database.close()?);
        Step::StateClose.run(close).map_err(|error| failed(&self.path, error))
    }
}

impl Base {
    /// Without tables.
    pub(crate) fn empty() -> Base {
        Base { path: PathBuf::new(), tables: BTreeMap::new() }
    }

    pub(crate) fn table(&self, table: Table) -> Option<&BaseTable> {
        self.tables.get(table.0)
    }

    pub(crate) fn table_names(&self) -> impl Iterator<Item = &str> {
        self.tables.keys().map(String::as_str)
    }

    pub(crate) fn named(&self, name: &str) -> Option<&BaseTable> {
        self.tables.get(name)
    }

    pub(crate) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(table) = self.table(table) else { return Ok(None) };
        let value = ReadableTable::get(table, key).map_err(|error| self.failed(error))?;
        Ok(value.map(|value| value.value().to_vec()))
    }

    pub(crate) fn failed(&self, error: redb::StorageError) -> StoreError {
        failed(&self.path, error)
    }
}

fn read_meta(database: &impl ReadableDatabase) -> Result<Option<StateMeta>, redb::Error> {
    let transaction = database.begin_read()?;
    let table = match transaction.open_table(META) {
        Ok(table) => table,
        Err(redb::TableError::Storage(error)) => return Err(error.into()),
        Err(_) => return Ok(None),
    };
    let format = table.get(FORMAT)?.and_then(|v| Some(u32::from_be_bytes(v.value().try_into().ok()?)));
    let fingerprint = table.get(FINGERPRINT)?.map(|v| v.value().to_vec());
    let end = table.get(END)?.and_then(|v| JournalEnd::from_bytes(v.value()));
    Ok(format.zip(fingerprint).zip(end).map(|((format, fingerprint), end)| StateMeta { format, fingerprint, end }))
}

fn definition(table: Table) -> Rows {
    TableDefinition::new(table.0)
}

fn failed(path: &Path, error: impl Into<redb::Error>) -> StoreError {
    match error.into() {
        redb::Error::Io(source) => DiskError::new("reading or writing", path, source).into(),
        source => StoreError::State { path: path.to_path_buf(), source: Box::new(source) },
    }
}
