use crate::{
    Durability, Poison, job::Refusal, journal_end::JournalEnd, locked::lock, pipeline::ClosedGroup, shared::Shared,
};
use std::sync::atomic::Ordering;

/// Commits the groups that the writer hands over, until it is told to stop.
pub(crate) fn run(shared: &Shared) {
    while let Some(group) = shared.pipeline.next_group() {
        commit(shared, group);
        shared.pipeline.committed();
    }
}

/// Writes a group to the segment, shows it to readers, and answers its jobs.
pub(crate) fn commit(shared: &Shared, closed: ClosedGroup) {
    let ClosedGroup { group, ops, durability, answers } = closed;
    let written = || -> Result<(JournalEnd, u64), Poison> {
        if let Some(poison) = shared.poison.get() {
            return Err(poison.clone());
        }
        let mut log = lock(&shared.log);
        let end = log
            .append(&shared.segments, &group.blocks, ops, durability)
            .map_err(|error| shared.poison(error.into()))?;
        Ok((end, u64::from(end.offset.saturating_sub(group.blocks.start()))))
    };
    let committed = match written() {
        Ok((end, bytes)) => {
            if durability == Durability::Local {
                shared.durable.fetch_max(end.sequence, Ordering::AcqRel);
            }
            shared.views.publish(group.changes.clone(), end, bytes);
            Ok(())
        }
        Err(poison) => {
            shared.views.forget_in_flight();
            Err(Refusal::Poisoned(poison))
        }
    };
    for answer in answers {
        answer.send(committed.clone());
    }
    if committed.is_ok() {
        shared.views.tidy();
    }
}
