use std::{
    fs,
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    Apply, ApplyError, Damage, DiskError, OpenError, StoreError, StoreOptions,
    car::{HEADER_LEN, index_name},
    folder::Folder,
    journal_end::JournalEnd,
    replay::Replay,
    sections::Fault,
    segment_writer::SegmentWriter,
    segments::Segments,
    state_file::StateFile,
    state_meta::{STATE_FORMAT, StateMeta},
    step::Step,
    stored_groups::StoredGroups,
    tail::find_record,
    view::View,
};

/// How much of a file is copied at once, in bytes.
const CHUNK: u64 = 256 << 10;

/// What opening a data folder had to put right.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovery {
    /// The state was built anew from all segments, because it was missing, unusable or made by other rules.
    pub rebuilt: bool,
    /// Groups that were replayed from the segments.
    pub replayed: u64,
    /// Bytes of an incomplete group that were cut from the end of the last segment. Nothing in them was answered,
    /// unless it was written with [`Durability::Buffered`](crate::Durability::Buffered) before a power cut.
    pub cut: u64,
    /// A copy of what was cut, kept when it holds journal records that a power cut made unusable.
    pub set_aside: Option<PathBuf>,
}

/// A data folder brought into order.
pub(crate) struct Recovered {
    pub(crate) segments: Segments,
    pub(crate) state: StateFile,
    pub(crate) view: View,
    /// Bytes of segments that are not in the state file yet.
    pub(crate) appended: u64,
    pub(crate) log: SegmentWriter,
    /// Full segments without an index file.
    pub(crate) to_seal: Vec<u32>,
    pub(crate) recovery: Recovery,
}

/// Brings the state of a folder up to its segments, and ends the last segment after its last whole group.
///
/// Where the state is older than what was taken out of the segments, as when an older copy of the state file was put beside them,
/// it is built anew.
pub(crate) fn recover(
    folder: &Folder,
    options: &StoreOptions,
    apply: &Arc<dyn Apply>,
    fingerprint: &[u8],
) -> Result<Recovered, OpenError> {
    match recover_with(folder, options, apply, fingerprint) {
        Err(OpenError::Store(StoreError::Replay { source, .. }))
            if !options.rebuild && matches!(&*source, ApplyError::Store(StoreError::Gone { .. })) =>
        {
            recover_with(folder, &StoreOptions { rebuild: true, ..options.clone() }, apply, fingerprint)
        }
        recovered => recovered,
    }
}

fn recover_with(
    folder: &Folder,
    options: &StoreOptions,
    apply: &Arc<dyn Apply>,
    fingerprint: &[u8],
) -> Result<Recovered, OpenError> {
    let mark = folder.mark();
    let segments = Segments::new(folder.path().to_path_buf(), mark, options.block_cache);
    let start = JournalEnd::start(&mark);
    let mut numbers = folder.segment_numbers()?;
    if let Some(last) = numbers.last().copied()
        && creation_was_interrupted(&segments, last)?
    {
        numbers.pop();
    }
    let mut recovery = Recovery::default();
    let (state, from) = open_state(folder, options, fingerprint, start, &mut recovery)?;
    let Some(last) = numbers.last().copied() else {
        if from != start {
            return Err(damage(&segments, 1, 0, "the file is missing or empty, but the state was made from it"));
        }
        recovery.rebuilt = false;
        let log = SegmentWriter::create(&segments, start)?;
        let (view, appended) = Replay::new(apply, &segments, &state, fingerprint.to_vec(), start)?.finish();
        return Ok(Recovered { segments, state, view, appended, log, to_seal: Vec::new(), recovery });
    };
    if from.segment > last {
        return Err(damage(&segments, from.segment, 0, "the file is missing or empty, but the state was made from it"));
    }
    for number in numbers.iter().copied() {
        match number.cmp(&from.segment) {
            std::cmp::Ordering::Less => segments.add(number),
            std::cmp::Ordering::Equal => segments.add_open(number, from.offset),
            std::cmp::Ordering::Greater => segments.add_open(number, HEADER_LEN),
        }
    }
    // Before the state file may learn of groups, they must be on the disk.
    let last_len = segments.len(last)?;
    if (last, last_len) != (from.segment, u64::from(from.offset)) {
        let start = if last == from.segment { from.offset } else { HEADER_LEN };
        let path = segments.path(last);
        sync_again(&path, start.into(), last_len).map_err(DiskError::at("syncing", &path))?;
    }
    let mut replay = Replay::new(apply, &segments, &state, fingerprint.to_vec(), from)?;
    let mut end = from;
    for number in from.segment..=last {
        if number > end.segment {
            end = end.next_segment(&mark);
            replay.moved_to(end);
        }
        end = replay_segment(folder, &segments, &mut replay, end, number == last, &mut recovery)?;
    }
    let (view, appended) = replay.finish();
    let log = SegmentWriter::open(&segments, end)?;
    let to_seal = numbers.into_iter().filter(|n| *n < last && !segments.segments_dir().join(index_name(*n)).exists());
    let to_seal = to_seal.collect();
    Ok(Recovered { segments, state, view, appended, log, to_seal, recovery })
}

/// Brings to the disk what an earlier process wrote between two places of a file. If its last sync failed, the system
/// takes pages for written that are not, and would not write them with the next; so all of it is written again.
fn sync_again(path: &Path, from: u64, to: u64) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().read(true).write(true).open(path)?;
    let mut chunk = Vec::new();
    let write = || -> io::Result<()> {
        let mut at = from;
        while at < to {
            chunk.resize((to - at).min(CHUNK) as usize, 0);
            file.seek(SeekFrom::Start(at))?;
            file.read_exact(&mut chunk)?;
            file.seek(SeekFrom::Start(at))?;
            file.write_all(&chunk)?;
            at += chunk.len() as u64;
        }
        Ok(())
    };
    Step::RecoveryWrite.run(write)?;
    Step::RecoverySync.run(|| file.sync_data())
}

/// Replays the rest of one segment; where it ends.
fn replay_segment(
    folder: &Folder,
    segments: &Segments,
    replay: &mut Replay<'_>,
    from: JournalEnd,
    is_last: bool,
    recovery: &mut Recovery,
) -> Result<JournalEnd, OpenError> {
    let number = from.segment;
    let len = segments.len(number)?;
    if len < u64::from(from.offset) {
        let what = format!("the file ends here, but the state was made from its first {} bytes", from.offset);
        return Err(damage(segments, number, len, what));
    }
    let path = segments.path(number);
    let sections = segments.sections(number, u64::from(from.offset), len)?;
    let mut groups = StoredGroups::new(sections, *segments.mark(), from);
    if from.offset == HEADER_LEN {
        groups.check_header().map_err(|fault| OpenError::from(fault.into_error(&path)))?;
    }
    loop {
        match groups.next() {
            Ok(Some(group)) => {
                segments.extend(&replay.group(group)?.blocks);
                recovery.replayed += 1;
            }
            Ok(None) => return Ok(groups.position()),
            Err(Fault::Broken { at, what }) if is_last => {
                let end = groups.position();
                cut_tail(folder, segments, &mut groups, Torn { at, what, len }, recovery)?;
                return Ok(end);
            }
            Err(fault) => return Err(fault.into_error(&path).into()),
        }
    }
}

/// A broken place behind the last whole group of the last segment.
struct Torn {
    at: u64,
    what: String,
    /// Length of the file.
    len: u64,
}

/// Cuts what an interrupted write left behind the last whole group; or refuses, when it was no interrupted write.
///
/// What was interrupted is the end of what was written: unless the machine went down, no whole record follows. After a
/// power cut, what was not synced may be there in part and in any order; but a later record says how much was on the
/// disk before it was written, and if that includes the broken group, the disk has lost it.
fn cut_tail(
    folder: &Folder,
    segments: &Segments,
    groups: &mut StoredGroups,
    torn: Torn,
    recovery: &mut Recovery,
) -> Result<(), OpenError> {
    let end = groups.position();
    let start = u64::from(end.offset);
    let mut search = start;
    let mut records = 0;
    while let Some(found) = find_record(groups.sections(), search, torn.len, segments.mark())? {
        if folder.same_boot() || found.record.synced > start {
            let what =
                format!("{}, and this is no interrupted write: record {} follows", torn.what, found.record.sequence);
            return Err(damage(segments, end.segment, torn.at, what));
        }
        records += 1;
        search = found.end;
    }
    let path = segments.path(end.segment);
    if records > 0 {
        let aside = path.with_extension(format!("car.torn-{start}"));
        copy_tail(groups, start, torn.len, &aside)?;
        recovery.set_aside = Some(aside);
    }
    let cut = || {
        let file = fs::OpenOptions::new().write(true).open(&path)?;
        Step::TailCut.run(|| file.set_len(start))?;
        Step::TailSync.run(|| file.sync_all())
    };
    cut().map_err(DiskError::at("cutting the incomplete end of", &path))?;
    recovery.cut = torn.len - start;
    Ok(())
}

fn copy_tail(groups: &mut StoredGroups, from: u64, to: u64, aside: &Path) -> Result<(), DiskError> {
    let mut out = fs::File::create(aside).map_err(DiskError::at("creating", aside))?;
    let mut at = from;
    while at < to {
        let len = (to - at).min(CHUNK);
        let bytes = groups.sections().bytes(at, len as usize)?;
        out.write_all(bytes).map_err(DiskError::at("writing", aside))?;
        at += len;
    }
    Step::TailCopy.run(|| out.sync_all()).map_err(DiskError::at("syncing", aside))
}

/// Opens the state file, made anew where it cannot be used, and says which groups are in it.
fn open_state(
    folder: &Folder,
    options: &StoreOptions,
    fingerprint: &[u8],
    start: JournalEnd,
    recovery: &mut Recovery,
) -> Result<(StateFile, JournalEnd), OpenError> {
    let path = folder.state_path();
    if !options.rebuild
        && let Some(state) = StateFile::open(&path, options.cache_size)?
        && let Some(StateMeta { format: STATE_FORMAT, fingerprint: stored, end }) = state.meta()?
        && stored == fingerprint
    {
        return Ok((state, end));
    }
    recovery.rebuilt = true;
    match Step::StateRemove.run(|| fs::remove_file(&path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(DiskError::new("removing", &path, error).into());
        }
        _ => {}
    }
    match StateFile::open(&path, options.cache_size)? {
        Some(state) => Ok((state, start)),
        None => Err(OpenError::Damaged(Damage { file: path, offset: 0, what: "a new file cannot be used".to_owned() })),
    }
}

/// Whether the last segment file has not even its header: the process ended while it created it.
fn creation_was_interrupted(segments: &Segments, number: u32) -> Result<bool, OpenError> {
    segments.add(number);
    let len = segments.len(number)?;
    if len > u64::from(HEADER_LEN) {
        return Ok(false);
    }
    let mut sections = segments.sections(number, 0, len)?;
    let unwritten = sections.bytes(0, len as usize)?.iter().all(|byte| *byte == 0);
    Ok(len < u64::from(HEADER_LEN) || unwritten)
}

fn damage(segments: &Segments, number: u32, offset: u64, what: impl Into<String>) -> OpenError {
    OpenError::Damaged(Damage { file: segments.path(number), offset, what: what.into() })
}
