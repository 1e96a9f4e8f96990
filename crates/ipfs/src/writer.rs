use std::sync::{Arc, atomic::Ordering};

use crate::{
    Durability, StoreOptions,
    car::HEADER_LEN,
    committer::commit,
    group::{Group, GroupSource, InFlight, OpenGroup},
    group_blocks::GroupBlocks,
    job::{Answer, Job, Refusal},
    journal_record,
    pipeline::{ClosedGroup, Then},
    shared::Shared,
};

/// A group takes no more jobs once it has so many bytes.
const GROUP_BYTES: usize = 4 << 20;
/// A group takes no more jobs once it has so many.
const GROUP_JOBS: usize = 1024;
/// Segments are sealed at this many bytes at most: one more group then still fits into offsets of 32 bits.
const MAX_SEGMENT_SIZE: u32 = 2 << 30;

/// Runs the jobs one after the other, and closes them into groups. It knows where the blocks of a group will lie before
/// the groups in front of it are written, because nobody else appends.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    /// Where the next group begins.
    segment: u32,
    offset: u32,
    segment_size: u32,
}

/// A group that jobs are being added to.
struct Building {
    group: OpenGroup,
    durability: Durability,
    answers: Vec<Box<dyn Answer>>,
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>, (segment, offset): (u32, u32)) -> Writer {
        let segment_size = segment_size(&shared.options);
        Writer { shared, segment, offset, segment_size }
    }

    /// Runs until the queue is closed and empty.
    pub(crate) fn run(mut self) {
        while let Some(job) = self.shared.pipeline.next_job() {
            self.shared.views.wait_for_room();
            let mut building = self.begin();
            self.run_job(job, &mut building);
            loop {
                let full = building.group.bytes() >= GROUP_BYTES || building.answers.len() >= GROUP_JOBS;
                match self.shared.pipeline.after_job(full) {
                    Then::Run(job) => self.run_job(job, &mut building),
                    Then::CommitHere => {
                        let group = self.close(building);
                        commit(&self.shared, group);
                        self.shared.pipeline.committed();
                        break;
                    }
                    Then::HandOver => {
                        let group = self.close(building);
                        self.shared.views.set_in_flight(group.group.clone());
                        self.shared.pipeline.hand_over(group);
                        break;
                    }
                }
            }
        }
    }

    fn begin(&self) -> Building {
        let ends = self.offset > HEADER_LEN && self.shared.segment_ends.load(Ordering::Acquire);
        let (segment, offset) = if ends || self.offset >= self.segment_size {
            (self.segment + 1, HEADER_LEN)
        } else {
            (self.segment, self.offset)
        };
        Building {
            group: OpenGroup::new(GroupBlocks::new(segment, offset)),
            durability: Durability::Buffered,
            answers: Vec::new(),
        }
    }

    fn run_job(&self, job: Job, building: &mut Building) {
        if let Some(poison) = self.shared.poison.get() {
            job.refuse(Refusal::Poisoned(poison.clone()));
            return;
        }
        let durability = job.durability;
        let (view, in_flight) = self.shared.views.for_job();
        let source = GroupSource {
            apply: &self.shared.apply,
            segments: &self.shared.segments,
            view: &view,
            in_flight: in_flight.as_deref(),
        };
        let ran = job.run(Group::new(source, &mut building.group));
        if ran.succeeded && durability == Durability::Local {
            building.durability = Durability::Local;
        }
        building.answers.push(ran.answer);
    }

    fn close(&mut self, building: Building) -> ClosedGroup {
        let Building { group, durability, answers } = building;
        if !group.is_empty() {
            if group.blocks.segment() != self.segment {
                self.shared.segment_ends.store(false, Ordering::Release);
            }
            self.segment = group.blocks.segment();
            self.offset = group.blocks.end() + journal_record::section_len(&group.ops);
        }
        let OpenGroup { blocks, ops, changes, .. } = group;
        let group = Arc::new(InFlight { changes: Arc::new(changes), blocks: Arc::new(blocks) });
        ClosedGroup { group, ops, durability, answers }
    }
}

fn segment_size(options: &StoreOptions) -> u32 {
    options.segment_size.clamp(HEADER_LEN + 1, MAX_SEGMENT_SIZE)
}
