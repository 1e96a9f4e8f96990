use std::{fs, path::Path, sync::PoisonError};

use crate::{
    Damage, DiskError, Report, StoreError, Table,
    car::HEADER_LEN,
    cid_table::CidTable,
    folder::temporary_dir,
    journal_end::JournalEnd,
    layered::Layered,
    merged_rows::MergedRows,
    replay::Replay,
    report::Difference,
    sections::{Fault, Sections},
    shared::Shared,
    state_file::StateFile,
    stored_groups::StoredGroups,
    tail::find_record,
    view::View,
};

/// Memory for the pages of the rebuilt state, in bytes.
const CACHE: usize = 32 << 20;

/// Reads everything, and rebuilds the state beside the stored one to compare them.
pub(crate) fn verify(shared: &Shared) -> Result<Report, StoreError> {
    shared.check_open()?;
    let _verifying = Verifying::begin(shared);
    // segments stay what they are now: what is replayed of one may be looked up in another
    let _rewriting = shared.rewriting.read().unwrap_or_else(PoisonError::into_inner);
    let result = check_all(shared, &shared.views.current());
    result.map_err(|error| shared.explain(error))
}

/// Tells that somebody verifies, as long as it lives.
struct Verifying<'s>(&'s Shared);

impl Verifying<'_> {
    fn begin(shared: &Shared) -> Verifying<'_> {
        shared.verifying.send_modify(|verifying| *verifying += 1);
        Verifying(shared)
    }
}

impl Drop for Verifying<'_> {
    fn drop(&mut self) {
        self.0.verifying.send_modify(|verifying| *verifying -= 1);
    }
}

fn check_all(shared: &Shared, view: &View) -> Result<Report, StoreError> {
    let parent = temporary_dir(&shared.folder);
    fs::create_dir_all(&parent).map_err(DiskError::at("creating", &parent))?;
    let dir = tempfile::Builder::new().prefix("verify-").tempdir_in(&parent);
    let dir = dir.map_err(DiskError::at("creating a folder in", &parent))?;
    let path = dir.path().join("state.redb");
    let Some(state) = StateFile::open(&path, CACHE)? else {
        let damage = Damage { file: path, offset: 0, what: "a new file cannot be used".to_owned() };
        return Err(StoreError::Damaged(damage));
    };
    let mut report = Report::default();
    let start = JournalEnd::start(shared.segments.mark());
    let mut replay = Replay::new(&shared.apply, &shared.segments, &state, shared.fingerprint.clone(), start)?;
    let mut end = start;
    for number in 1..=view.end.segment {
        shared.check_open()?;
        if number > end.segment {
            end = end.next_segment(shared.segments.mark());
            replay.moved_to(end);
        }
        let until = (number == view.end.segment).then_some(view.end);
        end = check_segment(shared, &mut replay, end, until, &mut report);
    }
    shared.check_open()?;
    if report.damage.is_empty() && end != view.end {
        report.damage.push(Damage {
            file: shared.segments.path(view.end.segment),
            offset: u64::from(end.offset),
            what: format!("the journal ends with record {} here, another end was known", end.sequence - 1),
        });
    }
    if report.damage.is_empty() {
        replay.flush()?;
        let (rebuilt, _) = replay.finish();
        compare(view, &rebuilt, &mut report)?;
    }
    Ok(report)
}

/// Checks one segment and its index, and replays it while nothing is damaged. Where it ends.
fn check_segment(
    shared: &Shared,
    replay: &mut Replay<'_>,
    from: JournalEnd,
    until: Option<JournalEnd>,
    report: &mut Report,
) -> JournalEnd {
    let number = from.segment;
    let path = shared.segments.path(number);
    report.segments += 1;
    let opened = || -> Result<(u64, Sections), DiskError> {
        let len = shared.segments.len(number)?;
        let end = until.map_or(len, |end| u64::from(end.offset).min(len));
        Ok((end, shared.segments.sections(number, u64::from(HEADER_LEN), end)?))
    };
    let (end, sections) = match opened() {
        Ok(opened) => opened,
        Err(error) => {
            report.damage.push(unreadable(&path, 0, &error));
            return from;
        }
    };
    let mut groups = StoredGroups::new(sections, *shared.segments.mark(), from);
    if let Err(fault) = groups.check_header() {
        report.damage.push(damage(&path, 0, fault));
    }
    let mut table = CidTable::default();
    loop {
        if shared.check_open().is_err() {
            // it is told where the next segment would begin
            return groups.position();
        }
        match groups.next() {
            Ok(Some(group)) => {
                report.groups += 1;
                report.blocks += u64::from(group.blocks.len() - group.blocks.gone_len());
                report.gone += u64::from(group.blocks.gone_len());
                report.block_bytes += group.blocks.table().iter().map(|(_, _, len)| u64::from(len)).sum::<u64>();
                table.append(group.blocks.table().clone());
                if report.damage.is_empty()
                    && let Err(error) = replay.group(group)
                {
                    let what = error.to_string();
                    report.damage.push(match error {
                        StoreError::Damaged(damage) => damage,
                        StoreError::Replay { file, offset, .. } => Damage { file, offset, what },
                        _ => Damage { file: path.clone(), offset: u64::from(from.offset), what },
                    });
                }
            }
            Ok(None) => break,
            Err(fault) => {
                let resumable = matches!(fault, Fault::Broken { .. });
                let start = groups.position();
                report.damage.push(damage(&path, groups.sections().at(), fault));
                // The rest is still checked, from behind the next record that is whole.
                let next = find_record(groups.sections(), u64::from(start.offset), end, shared.segments.mark());
                match next {
                    Ok(Some(found)) if resumable => groups.resume(JournalEnd {
                        segment: number,
                        offset: found.end as u32,
                        sequence: found.record.sequence.saturating_add(1),
                        previous: found.digest,
                    }),
                    _ => return groups.position(),
                }
            }
        }
    }
    if until.is_none() {
        check_index(shared, number, &table, report);
    }
    groups.position()
}

fn check_index(shared: &Shared, number: u32, table: &CidTable, report: &mut Report) {
    let path = shared.segments.index_path(number);
    match shared.segments.index_agrees(number, table) {
        Ok(None | Some(true)) => {}
        Ok(Some(false)) => report.damage.push(Damage {
            file: path,
            offset: 0,
            what: "the index does not agree with its segment; delete it while the store is closed, it is made anew"
                .to_owned(),
        }),
        Err(error) => report.damage.push(unreadable(&path, 0, &error)),
    }
}

fn compare(stored: &View, rebuilt: &View, report: &mut Report) -> Result<(), StoreError> {
    let mut names: Vec<String> =
        stored.base.table_names().chain(rebuilt.base.table_names()).map(str::to_owned).collect();
    names.extend(stored.layers.iter().flat_map(|layer| layer.tables()).map(|table| table.0.to_owned()));
    names.sort_unstable();
    names.dedup();
    for name in names {
        let mut left = all_rows(stored, &name);
        let mut right = all_rows(rebuilt, &name);
        let mut a = left.next().transpose()?;
        let mut b = right.next().transpose()?;
        loop {
            let order = match (&a, &b) {
                (None, None) => break,
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some(a), Some(b)) => a.0.cmp(&b.0),
            };
            report.rows += 1;
            let left_row = if order.is_le() { std::mem::replace(&mut a, left.next().transpose()?) } else { None };
            let right_row = if order.is_ge() { std::mem::replace(&mut b, right.next().transpose()?) } else { None };
            if left_row == right_row {
                continue;
            }
            report.differing += 1;
            if report.differences.len() < Report::MAX_DIFFERENCES {
                let key = left_row.as_ref().or(right_row.as_ref()).map(|row| row.0.clone()).unwrap_or_default();
                report.differences.push(Difference {
                    table: name.clone(),
                    key,
                    stored: left_row.map(|row| row.1),
                    rebuilt: right_row.map(|row| row.1),
                });
            }
        }
    }
    Ok(())
}

fn all_rows<'v>(view: &'v View, name: &str) -> MergedRows<'v> {
    let table = view.layers.iter().flat_map(|layer| layer.tables()).find(|table| table.0 == name);
    let layers = match table {
        Some(table) => Layered::new(view.newest_first(), table, b"", None, false),
        None => Layered::new(std::iter::empty(), Table(""), b"", None, false),
    };
    MergedRows::of(&view.base, view.base.named(name), layers, b"", None, false)
}

fn damage(path: &Path, at: u64, fault: Fault) -> Damage {
    match fault {
        Fault::Broken { at, what } => Damage { file: path.to_path_buf(), offset: at, what },
        Fault::Disk(error) => unreadable(path, at, &error),
    }
}

fn unreadable(path: &Path, offset: u64, error: &dyn std::error::Error) -> Damage {
    Damage { file: path.to_path_buf(), offset, what: format!("cannot be read: {error}") }
}
