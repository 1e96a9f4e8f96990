//! Power cuts: of what was written and not synced, any part may be on the disk and any other missing.

use std::{fs, path::Path};

use debros_ipfs::{Durability, ReadState, Store};
use proptest::prelude::*;

use crate::ledger::*;

const SYNCED: usize = 2;
const UNSYNCED: usize = 3;
/// Each group is written in so many pieces, each of which may be lost.
const PIECES: usize = 3;

/// A folder that was never closed, and the image of its segment.
struct Scene {
    folder: tempfile::TempDir,
    /// Of the segment, before and after each group.
    lengths: Vec<usize>,
    image: Vec<u8>,
}

impl Scene {
    /// Groups that were synced, and then others that were not.
    fn new() -> Scene {
        let folder = temporary().unwrap();
        let original = folder.path().join("original");
        let segment = original.join("segments/0000000001.car");
        let store = open(&original, no_checkpoints());
        let mut lengths = vec![fs::metadata(&segment).unwrap().len() as usize];
        for group in 0..SYNCED + UNSYNCED {
            let durability = if group < SYNCED { Durability::Local } else { Durability::Buffered };
            wait(write(&store, group as u8, durability)).unwrap();
            lengths.push(fs::metadata(&segment).unwrap().len() as usize);
        }
        drop(store);
        // as if the machine had gone down since the folder was last open
        let lock = fs::read_to_string(original.join("LOCK")).unwrap();
        let lines: Vec<_> = lock.lines().collect();
        fs::write(original.join("LOCK"), format!("{}\nanother run of the machine\n{}\n", lines[0], lines[2])).unwrap();
        let image = fs::read(segment).unwrap();
        Scene { folder, lengths, image }
    }

    /// Opens the folder with this image of the segment. The first `whole` groups must be there, and no others.
    fn check(&self, name: &str, image: &[u8], whole: usize) {
        let folder = self.folder.path().join(name);
        copy(&self.folder.path().join("original"), &folder);
        fs::write(folder.join("segments/0000000001.car"), image).unwrap();
        let store = open(&folder, no_checkpoints());
        let end = self.lengths[whole];
        assert_eq!(store.recovery().cut, image.len() as u64 - end as u64, "{name}");
        if let Some(aside) = &store.recovery().set_aside {
            assert_eq!(fs::read(aside).unwrap(), image[end..], "{name}");
        }
        are_there(&store, whole);
        wait(write(&store, 9, Durability::Local)).unwrap();
        assert_clean(&store);
        drop(store);
        let store = open(&folder, no_checkpoints());
        assert_eq!((store.recovery().cut, store.recovery().replayed), (0, whole as u64 + 1), "{name}");
        drop(store);
        fs::remove_dir_all(Path::new(&folder)).unwrap();
    }

    /// How many groups are whole in an image: up to the first of which a byte is missing.
    fn whole(&self, image: &[u8]) -> usize {
        let is_whole = |group: &usize| {
            let bytes = self.lengths[*group]..self.lengths[*group + 1];
            image.get(bytes.clone()) == self.image.get(bytes)
        };
        (0..SYNCED + UNSYNCED).take_while(is_whole).count()
    }
}

fn write(
    store: &Store,
    group: u8,
    durability: Durability,
) -> impl Future<Output = Result<(), debros_ipfs::CommitError<debros_ipfs::ApplyError>>> {
    store.commit(durability, move |job| {
        job.journal(put_op(&[b'a' + group], &[b'0' + group; 30]))?;
        store_block(job, &[group], &[group + 1; 400])?;
        store_block(job, &[group, group], &[group + 1; 70]).map(drop)
    })
}

fn are_there(store: &Store, groups: usize) {
    let snapshot = store.snapshot().unwrap();
    assert_eq!(rows(&snapshot).len(), groups);
    assert_eq!(snapshot.scan(BLOCKS, b"", None, false).count(), 2 * groups);
    for group in 0..groups as u8 {
        let position = position_of(&snapshot, &[group]).unwrap();
        assert_eq!(snapshot.block_at(position).unwrap(), [group + 1; 400].as_slice());
    }
}

/// Every choice of what is lost, with what lay there before: zeros, or something of another file; and with the file as long
/// as it was to become, or only as long as what reached it.
#[test]
fn whatever_part_of_what_was_not_synced_is_lost_the_rest_opens() {
    let scene = Scene::new();
    let mut pieces = Vec::new();
    for group in SYNCED..SYNCED + UNSYNCED {
        let (from, to) = (scene.lengths[group], scene.lengths[group + 1]);
        let piece = (to - from).div_ceil(PIECES);
        pieces.extend((from..to).step_by(piece).map(|at| at..(at + piece).min(to)));
    }
    let mut aside = 0;
    for kept in 0u32..1 << pieces.len() {
        for (fill, cut_short) in [(0, false), (0, true), (0xaa, false)] {
            let mut image = scene.image.clone();
            for (at, piece) in pieces.iter().enumerate() {
                if kept & 1 << at == 0 {
                    image[piece.clone()].fill(fill);
                }
            }
            if cut_short {
                let reached =
                    pieces.iter().enumerate().filter(|(at, _)| kept & 1 << at != 0).map(|(_, piece)| piece.end);
                image.truncate(reached.max().unwrap_or(scene.lengths[SYNCED]));
            }
            let whole = scene.whole(&image);
            aside += u32::from(whole < SYNCED + UNSYNCED - 1 && image.ends_with(&scene.image[scene.lengths[4]..]));
            scene.check(&format!("{kept}-{fill}-{cut_short}"), &image, whole);
        }
    }
    assert!(aside > 10, "whole groups behind a hole were among them");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    /// The same with pieces of any size, down to bytes.
    #[test]
    fn any_bytes_that_were_not_synced_may_be_lost(
        holes in prop::collection::vec((any::<prop::sample::Index>(), 1..700usize), 0..6),
        fill: u8,
        len in prop::option::of(any::<prop::sample::Index>()),
    ) {
        thread_local!(static SCENE: Scene = Scene::new());
        SCENE.with(|scene| {
            let mut image = scene.image.clone();
            let synced = scene.lengths[SYNCED];
            for (at, len) in &holes {
                let from = synced + at.index(image.len() - synced);
                let to = (from + len).min(image.len());
                image[from..to].fill(fill);
            }
            if let Some(len) = len {
                image.truncate(synced + len.index(image.len() - synced));
            }
            scene.check("any", &image, scene.whole(&image));
        });
    }
}
