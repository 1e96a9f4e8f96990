//! Taking blocks out of segments that are full.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
};

use crate::{
    CommittedGroup, Damage, DiskError, StoreError,
    block::block_key,
    car::{GENERATION, HEADER_LEN, chain_root, header},
    cid_table::CidTable,
    file_at::sync_folder,
    folder::temporary_dir,
    gaps::{self, Gap, Gaps},
    journal_end::JournalEnd,
    sections::Sections,
    segment_file::SegmentFile,
    shared::Shared,
    step::Step,
    stored_groups::StoredGroups,
    tail::find_record,
};

/// How much is copied at once, in bytes.
const CHUNK: usize = 256 << 10;

/// What was taken out of a segment: see [`Store::rewrite`](crate::Store::rewrite).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rewritten {
    /// How many blocks.
    pub blocks: u64,
    /// How many bytes its file has become shorter.
    pub bytes: u64,
}

/// A gap as it will be: the heads of the blocks in it.
struct Draft {
    at: u32,
    end: u32,
    heads: Vec<u8>,
    blocks: usize,
}

/// What will be in the segment.
#[derive(Default)]
struct Plan {
    drafts: Vec<Draft>,
    /// The blocks that stay.
    table: CidTable,
    /// How many go, which had not gone before.
    going: u64,
}

/// Writes a segment anew without those blocks that `going` names, and those that have gone before.
pub(crate) fn rewrite(
    shared: &Shared,
    number: u32,
    going: &mut dyn FnMut(&CommittedGroup) -> Result<Vec<u32>, StoreError>,
) -> Result<Rewritten, StoreError> {
    shared.check_open()?;
    let segments = &shared.segments;
    let path = segments.path(number);
    if number >= shared.views.current().end.segment || number == 0 {
        // what is still written cannot be rewritten
        return Ok(Rewritten::default());
    }
    let file = segments.file(number)?;
    let (before, len) = (segments.disk_len(number)?, segments.len(number)?);
    let sections = || Sections::new(file.clone(), path.clone(), HEADER_LEN.into(), len);
    let Some(first) = find_record(&mut sections(), HEADER_LEN.into(), len, segments.mark())? else {
        return Ok(Rewritten::default());
    };
    let from = JournalEnd {
        segment: number,
        offset: HEADER_LEN,
        sequence: first.record.sequence,
        previous: chain_root(number, segments.mark()),
    };
    let mut groups = StoredGroups::new(sections(), *segments.mark(), from);
    let plan = plan(&mut groups, going).map_err(|error| match error {
        PlanError::Fault(fault) => fault.into_error(&path),
        PlanError::Store(error) => error,
    })?;
    if plan.going == 0 {
        if file.generation() > 0 {
            // it may have been rewritten without coming to the end
            sync_folder(segments.segments_dir()).map_err(DiskError::at("syncing", segments.segments_dir()))?;
        }
        return Ok(Rewritten::default());
    }
    let end = groups.position();
    let parent = temporary_dir(&shared.folder);
    fs::create_dir_all(&parent).map_err(DiskError::at("creating", &parent))?;
    let dir = tempfile::Builder::new().prefix("rewrite-").tempdir_in(&parent);
    let dir = dir.map_err(DiskError::at("creating a folder in", &parent))?;
    let draft = dir.path().join("segment.car");
    write(shared, &file, number, len, &plan.drafts, &draft).map_err(DiskError::at("writing", &draft))?;
    check(shared, &draft, from, end)?;
    // some systems do not replace a file that is open
    drop((groups, file));
    shared.check_open()?;
    let after = fs::metadata(&draft).map_err(DiskError::at("reading", &draft))?.len();
    segments.replace(number, &draft, plan.table)?;
    Ok(Rewritten { blocks: plan.going, bytes: before.saturating_sub(after) })
}

enum PlanError {
    Fault(crate::sections::Fault),
    Store(StoreError),
}

/// Looks at every group.
fn plan(
    groups: &mut StoredGroups,
    going: &mut dyn FnMut(&CommittedGroup) -> Result<Vec<u32>, StoreError>,
) -> Result<Plan, PlanError> {
    groups.check_header().map_err(PlanError::Fault)?;
    let mut plan = Plan::default();
    while let Some(group) = groups.next().map_err(PlanError::Fault)? {
        let group = CommittedGroup(group);
        let going: HashSet<u32> = going(&group).map_err(PlanError::Store)?.into_iter().collect();
        let blocks = &group.0.blocks;
        for index in 0..blocks.len() {
            let (Some(section), Some(head)) = (blocks.section(index), blocks.head(index)) else { continue };
            let goes = match blocks.get(index) {
                Some((cid, _, position)) if !going.contains(&index) => {
                    plan.table.insert(block_key(cid), position.offset, position.len);
                    continue;
                }
                Some(_) => 1,
                None => 0,
            };
            plan.going += goes;
            match plan.drafts.last_mut() {
                Some(draft) if draft.end == section.start && draft.blocks < gaps::MAX_BLOCKS => {
                    draft.heads.extend_from_slice(head);
                    draft.end = section.end;
                    draft.blocks += 1;
                }
                _ => {
                    plan.drafts.push(Draft { at: section.start, end: section.end, heads: head.to_vec(), blocks: 1 });
                }
            }
        }
    }
    Ok(plan)
}

/// Writes the draft, and brings it to the disk.
fn write(shared: &Shared, file: &SegmentFile, number: u32, len: u64, drafts: &[Draft], path: &Path) -> io::Result<()> {
    let mark = shared.segments.mark();
    let stand_ins: Vec<Vec<u8>> = drafts.iter().map(|draft| gaps::stand_in(&draft.heads, mark)).collect();
    let gaps = drafts.iter().zip(&stand_ins).map(|(draft, stands)| Gap {
        at: draft.at,
        len: draft.end - draft.at,
        stands: stands.len() as u32,
        stands_at: 0,
    });
    let gaps = Gaps::new(file.generation().saturating_add(1), gaps.collect());
    let mut header = header(number, mark);
    header[GENERATION].copy_from_slice(&gaps.generation().to_be_bytes());
    let out = Step::SegmentRewrite.run(|| -> io::Result<File> {
        let mut out = BufWriter::new(File::create(path)?);
        out.write_all(&header)?;
        out.write_all(&gaps.table(mark))?;
        let mut at = u64::from(HEADER_LEN);
        for (gap, stands) in gaps.all().iter().zip(&stand_ins) {
            copy(file, at, gap.at.into(), &mut out)?;
            out.write_all(stands)?;
            at = gap.end().into();
        }
        copy(file, at, len, &mut out)?;
        out.into_inner().map_err(io::IntoInnerError::into_error)
    })?;
    Step::SegmentRewriteSync.run(|| out.sync_all())
}

fn copy(file: &SegmentFile, mut at: u64, to: u64, out: &mut impl Write) -> io::Result<()> {
    let mut chunk = Vec::new();
    while at < to {
        chunk.resize((to - at).min(CHUNK as u64) as usize, 0);
        file.read_exact_at(&mut chunk, at)?;
        out.write_all(&chunk)?;
        at += chunk.len() as u64;
    }
    Ok(())
}

/// Reads the draft as it will be read, every hash and the chain, before it takes the place of what cannot be had again.
fn check(shared: &Shared, draft: &Path, from: JournalEnd, end: JournalEnd) -> Result<(), StoreError> {
    let mark = *shared.segments.mark();
    let file = SegmentFile::open(draft, mark).map_err(DiskError::at("opening", draft))?;
    let len = file.len().map_err(DiskError::at("reading", draft))?;
    let sections = Sections::new(file.into(), draft.to_path_buf(), HEADER_LEN.into(), len);
    let mut groups = StoredGroups::new(sections, mark, from);
    let mut read = || {
        groups.check_header()?;
        while groups.next()?.is_some() {}
        Ok(())
    };
    read().map_err(|fault: crate::sections::Fault| fault.into_error(draft))?;
    if groups.position() == end {
        return Ok(());
    }
    Err(StoreError::Damaged(Damage {
        file: draft.to_path_buf(),
        offset: groups.position().offset.into(),
        what: "the segment was written anew, and ends elsewhere".to_owned(),
    }))
}
