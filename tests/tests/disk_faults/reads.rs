//! Segments that cannot be read.

use crate::notes::{Notes, disk_error, temporary};
use debros_ipfs::{DiskError, Step};
use debros_orbit::{ReadError, StoreError};
use fail::FailScenario;
use std::fs;

const NOTES: u32 = 60;

/// A folder with some segments, whose youngest groups are not in the state file.
fn folder() -> tempfile::TempDir {
    let folder = temporary();
    let notes = Notes::open(folder.path(), Notes::options()).expect("it opens");
    for number in 0..NOTES {
        notes.write(number).expect("it writes");
    }
    folder
}

#[test]
fn a_read_that_fails_is_told_and_changes_nothing() {
    let scenario = FailScenario::setup();
    let folder = folder();
    let notes = Notes::open(folder.path(), Notes::options()).expect("it opens");
    fail::cfg(Step::SegmentRead.before(), "return(5)").expect("a failpoint");
    for number in 0..NOTES {
        let error = notes.read(number).expect_err("it cannot be read");
        assert!(matches!(&error, ReadError::Store(StoreError::Disk(DiskError::Other { .. }))), "{error:?}");
        assert!(error.to_string().contains(".car"), "{error}");
    }
    let report = notes.node.verify().expect("verify tells");
    assert!(!report.damage.is_empty() && report.to_string().contains("cannot be read"), "{report}");
    fail::remove(Step::SegmentRead.before());
    notes.assert_there(0..NOTES);
    notes.write(NOTES).expect("it writes");
    notes.close().expect("it closes");
    Notes::assert_recovers(folder.path(), 0..NOTES + 1);
    scenario.teardown();
}

/// Above all it is not taken for the end of what was written.
#[test]
fn a_read_that_fails_while_a_folder_is_opened_cuts_nothing() {
    let scenario = FailScenario::setup();
    let folder = folder();
    let lengths = || {
        let files = fs::read_dir(folder.path().join("segments")).expect("segments").map(|file| file.expect("segments"));
        let mut lengths: Vec<_> =
            files.map(|file| (file.file_name(), file.metadata().expect("it is there").len())).collect();
        lengths.retain(|(name, _)| name.to_string_lossy().ends_with(".car"));
        lengths.sort();
        lengths
    };
    let before = lengths();
    let mut refused = 0;
    for well in 0.. {
        let mut options = Notes::options();
        options.store.rebuild = true;
        fail::cfg(Step::SegmentRead.before(), &format!("{well}*off->1*return(5)->off")).expect("a failpoint");
        match Notes::open(folder.path(), options) {
            Err(error) => {
                assert!(matches!(disk_error(&*error), DiskError::Other { .. }), "{error}");
                assert_eq!(lengths(), before);
                refused += 1;
            }
            // it did not have to be read so often
            Ok(_) => break,
        }
    }
    assert!(before.len() > 3 && refused >= before.len(), "each segment is read: {refused}");
    fail::remove(Step::SegmentRead.before());
    Notes::assert_recovers(folder.path(), 0..NOTES);
    scenario.teardown();
}

#[test]
fn a_segment_that_is_something_else_is_told_and_nothing_is_cut() {
    let scenario = FailScenario::setup();
    let folder = folder();
    for number in 1..=3 {
        let segment = folder.path().join(format!("segments/{number:010}.car"));
        let aside = folder.path().join("aside");
        fs::rename(&segment, &aside).expect("it is there");
        fs::create_dir(&segment).expect("a folder");
        let mut options = Notes::options();
        options.store.rebuild = true;
        let error = Notes::open(folder.path(), options).err().expect("it cannot be read");
        assert!(error.to_string().contains(&segment.display().to_string()), "{error}");
        fs::remove_dir(&segment).expect("it is empty");
        fs::rename(&aside, &segment).expect("it is there");
    }
    Notes::assert_recovers(folder.path(), 0..NOTES);
    scenario.teardown();
}
