//! Giving room back: of two databases that were written side by side, one is dropped.

use crate::Outcome;
use debros_core::{Map, Value};
use debros_orbit::{DatabaseSpec, Durability, NoSchema, Node, NodeOptions, ReadDocuments as _, WriteError};
use std::{
    fs::{self, File},
    io,
    path::Path,
    sync::Arc,
    time::Instant,
};

const ENTRIES: u32 = 200_000;

pub(crate) async fn run() -> Outcome {
    let folder = tempfile::tempdir()?;
    let node = Node::open(folder.path(), NodeOptions::default(), Arc::new(NoSchema))?;
    let me = node.identity("me")?;
    let mut databases = Vec::new();
    for name in ["kept", "dropped"] {
        let spec = DatabaseSpec::documents(name, [me.id()]);
        databases.push(node.write(Durability::Local, move |w| w.open(&spec)).await?);
    }
    let (kept, dropped) = (databases[0], databases[1]);
    for from in (0..ENTRIES / 2).step_by(100) {
        for database in [kept, dropped] {
            let me = me.clone();
            let written = node.write(Durability::Buffered, move |w| {
                for n in from..from + 100 {
                    let record = [("_id", Value::from(n.to_string())), ("text", "a note of some words".into())];
                    w.put(database, &me, Map::from_iter(record))?;
                }
                Ok::<_, WriteError>(())
            });
            written.await?;
        }
    }
    let segments = folder.path().join("segments");
    let (files, before) = sizes(&segments)?;
    println!(
        "{ENTRIES} entries in {files} segments of {} together, half of them of a database that is dropped",
        mib(before)
    );

    let begun = Instant::now();
    node.drop_database(dropped).await?;
    println!("rows and indexes are gone after {:.2?}", begun.elapsed());
    let begun = Instant::now();
    node.reclaim().await?;
    let ours = begun.elapsed();
    let (_, after) = sizes(&segments)?;
    println!("their room is given back after {ours:.2?}: {} less", mib(before.saturating_sub(after)));
    assert_eq!(node.snapshot()?.count(kept)?, u64::from(ENTRIES / 2));
    assert!(node.verify()?.is_clean());
    node.close().await?;

    // the least that anybody could do: read what there was, write what is left
    let begun = Instant::now();
    let copy = tempfile::tempdir()?;
    for file in fs::read_dir(&segments)? {
        let path = file?.path();
        let to = copy.path().join(path.file_name().unwrap_or_default());
        io::copy(&mut File::open(&path)?, &mut File::create(&to)?)?;
        File::open(&to)?.sync_all()?;
    }
    let peer = begun.elapsed();
    println!(
        "copying and syncing the files that are left takes {peer:.2?}: {:.1} times as long",
        ours.as_secs_f64() / peer.as_secs_f64()
    );
    Ok(())
}

/// How many segments there are, and their bytes.
fn sizes(folder: &Path) -> io::Result<(usize, u64)> {
    let mut sizes = (0, 0);
    for file in fs::read_dir(folder)? {
        let file = file?;
        if file.path().extension().is_some_and(|extension| extension == "car") {
            sizes = (sizes.0 + 1, sizes.1 + file.metadata()?.len());
        }
    }
    Ok(sizes)
}

fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}
