//! [`Notes`]: a small application of a node, which remembers what it was answered.

use debros_core::{Collation, Map, Value};
use debros_orbit::{
    CommitError, DatabaseId, DatabaseSpec, Durability, Identity, NoSchema, Node, NodeOptions, OpenError,
    ReadDocuments as _, SigningKey, StoreError, WriteError,
};
use futures::executor::block_on;
use std::{path::Path, sync::Arc};

/// A small application of a node, which remembers what it was answered.
pub(crate) struct Notes {
    pub(crate) node: Node,
    database: DatabaseId,
    writer: Identity,
}

impl Notes {
    /// Small segments and frequent checkpoints, so that every step comes soon; blocks are read from the files.
    pub(crate) fn options() -> NodeOptions {
        let mut options = NodeOptions::default();
        options.store.segment_size = 16 << 10;
        options.store.checkpoint_bytes = 8 << 10;
        options.store.block_cache = 0;
        options
    }

    /// Opens a folder. The error is that of the node, or of opening the database.
    pub(crate) fn open(folder: &Path, options: NodeOptions) -> Result<Notes, Box<dyn std::error::Error>> {
        let key = |n| SigningKey::from_bytes(&[n; 32]).expect("a key");
        let writer = Identity::new(&key(1), key(2));
        let node = loop {
            match Node::open(folder, options.clone(), Arc::new(NoSchema)) {
                // one that was dropped in the middle of a write lets the folder go after it
                Err(OpenError::Store(debros_ipfs::OpenError::Locked { .. })) => std::thread::yield_now(),
                opened => break opened?,
            }
        };
        let spec = DatabaseSpec::documents("notes", [writer.id()]);
        let database = block_on(node.write(Durability::Local, move |w| w.open(&spec)))?;
        Ok(Notes { node, database, writer })
    }

    /// Writes a note; every third is answered before it is synced.
    pub(crate) fn write(&self, number: u32) -> Result<(), CommitError<WriteError>> {
        let durability = if number % 3 == 2 { Durability::Buffered } else { Durability::Local };
        let (database, writer) = (self.database, self.writer.clone());
        block_on(self.node.write(durability, move |w| w.put(database, &writer, note(number)).map(drop)))
    }

    /// Writes a note in another database beside.
    pub(crate) fn write_beside(&self, number: u32) -> Result<(), CommitError<WriteError>> {
        let (database, writer) = (self.beside(), self.writer.clone());
        block_on(self.node.write(Durability::Local, move |w| w.put(database, &writer, note(number)).map(drop)))
    }

    /// Drops that database.
    pub(crate) fn drop_beside(&self) {
        block_on(self.node.drop_database(self.beside())).expect("it is dropped");
    }

    fn beside(&self) -> DatabaseId {
        let spec = DatabaseSpec::documents("beside", [self.writer.id()]);
        block_on(self.node.write(Durability::Local, move |w| w.open(&spec))).expect("the database opens")
    }

    /// The note of this number.
    pub(crate) fn read(&self, number: u32) -> Result<Option<Map>, debros_orbit::ReadError> {
        let mut key = Vec::new();
        Collation::Plain.encode_whole(&number.to_string().into(), &mut key);
        Ok(self
            .node
            .snapshot()
            .map_err(debros_orbit::ReadError::from)?
            .get(self.database, &key)?
            .map(|found| found.record))
    }

    /// Notes with these numbers are there.
    pub(crate) fn assert_there(&self, numbers: std::ops::Range<u32>) {
        for number in numbers {
            let found = self.read(number).expect("the store reads");
            assert_eq!(found, Some(note(number)), "note {number}");
        }
    }

    /// Everything is there after the disk works again, and goes on.
    pub(crate) fn assert_recovers(folder: &Path, answered: std::ops::Range<u32>) {
        let notes = Notes::open(folder, Notes::options()).expect("the folder opens once the disk works again");
        notes.assert_there(answered.clone());
        let report = notes.node.verify().expect("verify runs");
        assert!(report.is_clean(), "{report}");
        notes.write(answered.end).expect("it writes again");
        notes.close().expect("it closes");
        let notes = Notes::open(folder, Notes::options()).expect("it opens again");
        notes.assert_there(answered.start..answered.end + 1);
        notes.close().expect("it closes");
    }

    pub(crate) fn close(self) -> Result<(), StoreError> {
        block_on(self.node.close())
    }
}

/// A folder in memory, where the system has a place for that: these disks fail without having to be slow.
pub(crate) fn temporary() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder")
}

fn note(number: u32) -> Map {
    let text = Value::from(format!("note {number} ").repeat(60));
    Map::from_iter([("_id", Value::from(number.to_string())), ("text", text)])
}

/// The disk's error that is told, whichever way it took.
pub(crate) fn disk_error<'e>(error: &'e (dyn std::error::Error + 'static)) -> &'e debros_ipfs::DiskError {
    let store = if let Some(error) = error.downcast_ref::<OpenError>() {
        match error {
            OpenError::Store(debros_ipfs::OpenError::Disk(error)) => return error,
            OpenError::Store(debros_ipfs::OpenError::Store(error)) => error,
            other => panic!("{other:?}"),
        }
    } else if let Some(error) = error.downcast_ref::<CommitError<WriteError>>() {
        poison(error)
    } else if let Some(error) = error.downcast_ref::<CommitError<debros_orbit::OpenDatabaseError>>() {
        poison(error)
    } else {
        error.downcast_ref::<StoreError>().unwrap_or_else(|| panic!("{error:?}"))
    };
    match store {
        StoreError::Disk(error) => error,
        StoreError::Poisoned(poison) => match poison.cause() {
            StoreError::Disk(error) => error,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn poison<E: std::fmt::Debug>(error: &CommitError<E>) -> &StoreError {
    match error {
        CommitError::Poisoned(poison) => poison.cause(),
        other => panic!("{other:?}"),
    }
}
