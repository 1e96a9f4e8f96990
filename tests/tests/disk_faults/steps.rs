//! Each step that a store takes on the disk fails.

use crate::notes::{Notes, disk_error, temporary};
use debros_ipfs::{DiskError, Step};
use fail::FailScenario;
use std::{fs, path::Path};

/// Error numbers of the system.
const IO: u32 = 5;
const FULL: u32 = 28;

/// When a step that fails is noticed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Noticed {
    /// The folder does not open.
    Opening,
    /// Writing ends.
    Writing,
    /// Closing gives an error.
    Closing,
    /// Never: it is done again when the folder is opened the next time.
    Never,
}

fn noticed(step: Step) -> Option<Noticed> {
    Some(match step {
        Step::FormatWrite | Step::FormatRename | Step::FolderSync | Step::TemporaryClear | Step::LockWrite => {
            Noticed::Opening
        }
        Step::StateRemove | Step::TailCut | Step::TailSync | Step::RecoveryWrite | Step::RecoverySync => {
            Noticed::Opening
        }
        Step::SegmentCreate | Step::SegmentCreateSync | Step::SegmentFolderSync => Noticed::Writing,
        Step::SegmentAppend | Step::SegmentSync | Step::CheckpointSync | Step::StateCommit => Noticed::Writing,
        Step::StateClose => Noticed::Closing,
        Step::IndexWrite | Step::IndexSync | Step::IndexRename | Step::IndexFolderSync => Noticed::Never,
        // where a database is dropped: see below
        Step::SegmentRewrite | Step::SegmentRewriteSync | Step::SegmentReplace | Step::SegmentReplaceSync => {
            return None;
        }
        // reads have tests of their own; the others need a power cut, and a state file of some megabytes
        Step::SegmentRead | Step::TailCopy | Step::StateCompact => return None,
    })
}

#[test]
fn a_step_that_fails_is_told_and_loses_nothing() {
    let scenario = FailScenario::setup();
    for step in Step::ALL {
        let Some(noticed) = noticed(step) else { continue };
        for point in [step.before(), step.after()] {
            for code in [IO, FULL] {
                // at once, and after it went well for a while
                for well in [0, 2] {
                    let seen = fails(step, &point, code, well);
                    // opening and closing take their steps twice at most
                    let once = matches!(noticed, Noticed::Opening | Noticed::Closing);
                    let expected = if well > 0 && once { Noticed::Never } else { noticed };
                    assert_eq!(seen, expected, "{point}, error {code}, after {well} that went well");
                }
            }
        }
    }
    scenario.teardown();
}

/// Writes until a step fails, and looks at what is there afterwards. When it was noticed.
fn fails(step: Step, point: &str, code: u32, well: u32) -> Noticed {
    let folder = temporary();
    let folder = folder.path();
    let mut answered = 0;
    if !matches!(step, Step::FormatWrite | Step::FormatRename) {
        let notes = Notes::open(folder, Notes::options()).expect("it opens");
        for number in 0..3 {
            notes.write(number).expect("it writes");
        }
        // as if it was killed
        drop(notes);
        answered = 3;
    }
    if step == Step::TemporaryClear {
        fs::create_dir_all(folder.join("tmp/verify-x")).expect("a folder");
    }
    if matches!(step, Step::TailCut | Step::TailSync) {
        tear(folder);
    }
    let mut options = Notes::options();
    options.store.rebuild = step == Step::StateRemove;
    fail::cfg(point, &format!("{well}*off->return({code})")).expect("a failpoint");
    let seen = write_until(folder, options, &mut answered, step, code);
    fail::remove(point);
    Notes::assert_recovers(folder, 0..answered);
    seen
}

fn write_until(
    folder: &Path,
    options: debros_orbit::NodeOptions,
    answered: &mut u32,
    step: Step,
    code: u32,
) -> Noticed {
    let is_it = |error: &(dyn std::error::Error + 'static)| {
        let error = disk_error(error);
        assert_eq!(matches!(error, DiskError::Full { .. }), code == FULL, "{step:?}: {error}");
    };
    let notes = match Notes::open(folder, options) {
        Ok(notes) => notes,
        Err(error) => {
            is_it(&*error);
            return if error.is::<debros_orbit::OpenError>() { Noticed::Opening } else { Noticed::Writing };
        }
    };
    // writing waits for checkpoints when they fall behind, so each step comes within these
    let most = if noticed(step) == Some(Noticed::Writing) { 2_000 } else { 80 };
    for _ in 0..most {
        let Err(error) = notes.write(*answered) else {
            *answered += 1;
            continue;
        };
        is_it(&error);
        assert!(error.to_string().contains("takes no more writes"), "{error}");
        // nobody is told that anything more is written, and what was is read
        let again = notes.write(*answered).expect_err("writing has ended");
        assert_eq!(again.to_string(), error.to_string());
        notes.assert_there(0..*answered);
        is_it(&notes.close().expect_err("that it was not written is told again"));
        return Noticed::Writing;
    }
    notes.assert_there(0..*answered);
    match notes.close() {
        Ok(()) => Noticed::Never,
        Err(error) => {
            is_it(&error);
            Noticed::Closing
        }
    }
}

/// As if a group was being written.
fn tear(folder: &Path) {
    let segment = folder.join("segments/0000000001.car");
    let mut file = fs::OpenOptions::new().append(true).open(segment).expect("the segment");
    std::io::Write::write_all(&mut file, &[0x55; 40]).expect("it can be written");
}
