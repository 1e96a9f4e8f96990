//! Segments that cannot be written anew.

use crate::notes::{Notes, temporary};
use debros_ipfs::Step;
use fail::FailScenario;
use futures::executor::block_on;

const NOTES: u32 = 40;

#[test]
fn a_segment_that_cannot_be_written_anew_stays_as_it_was() {
    let scenario = FailScenario::setup();
    for step in [Step::SegmentRewrite, Step::SegmentRewriteSync, Step::SegmentReplace, Step::SegmentReplaceSync] {
        for point in [step.before(), step.after()] {
            let folder = temporary();
            let notes = Notes::open(folder.path(), Notes::options()).expect("it opens");
            for number in 0..NOTES {
                notes.write(number).expect("it writes");
                notes.write_beside(number).expect("it writes");
            }
            fail::cfg(&point, "return(28)").expect("a failpoint");
            notes.drop_beside();
            let error = block_on(notes.node.reclaim()).expect_err("the disk is full");
            assert!(
                error.to_string().contains("no space left") || error.to_string().contains("full"),
                "{point}: {error}"
            );
            notes.assert_there(0..NOTES);
            let report = notes.node.verify().expect("verify runs");
            assert!(report.is_clean(), "{point}: {report}");
            fail::remove(&point);
            block_on(notes.node.reclaim()).expect("there is room again");
            notes.assert_there(0..NOTES);
            let report = notes.node.verify().expect("verify runs");
            assert!(report.is_clean() && report.gone == u64::from(NOTES), "{point}: {report}");
            notes.write(NOTES).expect("it writes");
            drop(notes);
            Notes::assert_recovers(folder.path(), 0..NOTES + 1);
        }
    }
    scenario.teardown();
}

#[test]
fn what_could_not_be_given_back_is_when_the_folder_is_opened_again() {
    let scenario = FailScenario::setup();
    let folder = temporary();
    let notes = Notes::open(folder.path(), Notes::options()).expect("it opens");
    for number in 0..NOTES {
        notes.write_beside(number).expect("it writes");
    }
    fail::cfg(Step::SegmentReplace.before(), "return(5)").expect("a failpoint");
    notes.drop_beside();
    block_on(notes.node.reclaim()).expect_err("the disk fails");
    notes.close().expect("it closes");
    fail::remove(Step::SegmentReplace.before());
    let notes = Notes::open(folder.path(), Notes::options()).expect("it opens");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(120);
    while notes.node.verify().expect("verify runs").gone < u64::from(NOTES) {
        assert!(std::time::Instant::now() < deadline, "it is given back by itself");
    }
    notes.close().expect("it closes");
    scenario.teardown();
}
