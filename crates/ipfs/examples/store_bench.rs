//! Measures the store beside the plain system calls that it is made of.
//!
//! `cargo run --release -p debros-ipfs --example store_bench [records]`: by default 336,776 records of 823 bytes with a
//! row and four index rows each. `--read FOLDER RECORDS` only reads a folder that `--write-until-killed FOLDER 0` made.
use std::{
    error::Error,
    fs::{self, File},
    io::Write,
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use cid::multihash::Multihash;
use debros_ipfs::{
    Apply, ApplyError, Cid, CommitError, Durability, Group, Position, ReadState, Store, StoreOptions, Table,
};
use sha2::{Digest, Sha256};

const DOCUMENTS: Table = Table("documents");
const INDEXES: Table = Table("indexes");
const BLOCK: usize = 823;
const BATCH: u64 = 1000;
/// Different values of the four indexes: one ordered by time, the others like carriers, routes and tail numbers.
const VALUES: [u64; 4] = [u64::MAX, 16, 220, 4000];

struct Records;

impl Apply for Records {
    fn fingerprint(&self) -> Vec<u8> {
        b"store_bench 1".to_vec()
    }

    /// An operation is the number of the record and the index of its block.
    fn apply(&self, op: &[u8], group: &mut Group<'_>) -> Result<(), ApplyError> {
        let number = u64::from_be_bytes(op[..8].try_into().map_err(ApplyError::refused)?);
        let index = u32::from_be_bytes(op[8..12].try_into().map_err(ApplyError::refused)?);
        let (_, _, position) = group.group_block(index).ok_or_else(|| ApplyError::refused("no such block"))?;
        let key = key(number);
        if group.get(DOCUMENTS, &key)?.is_some() {
            return Err(ApplyError::refused("the key is taken"));
        }
        let mut value = position.to_bytes().to_vec();
        value.extend_from_slice(&[7; 24]);
        group.put(DOCUMENTS, key.clone(), value);
        for (i, values) in VALUES.iter().enumerate() {
            group.put(INDEXES, [index_prefix(i, number, *values), key.clone()].concat(), position.to_bytes().to_vec());
        }
        Ok(())
    }
}

fn key(number: u64) -> Vec<u8> {
    let mut key = 7u32.to_be_bytes().to_vec();
    key.extend_from_slice(&number.to_be_bytes());
    key.extend_from_slice(&hash(number).to_be_bytes());
    key
}

fn index_prefix(index: usize, number: u64, values: u64) -> Vec<u8> {
    let value = if values == u64::MAX { number } else { hash(number) % values };
    let mut prefix = 7u32.to_be_bytes().to_vec();
    prefix.extend_from_slice(&(index as u16).to_be_bytes());
    prefix.extend_from_slice(format!("{value:012}").as_bytes());
    prefix
}

fn hash(number: u64) -> u64 {
    let digest = Sha256::digest(number.to_be_bytes());
    u64::from_be_bytes([digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7]])
}

fn block(number: u64) -> (Cid, Vec<u8>) {
    let mut data = vec![0; BLOCK];
    for (i, chunk) in data.chunks_mut(8).enumerate() {
        let word = (number ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(i as u64 * 2 + 1).to_be_bytes();
        chunk.copy_from_slice(&word[..chunk.len()]);
    }
    let digest = Multihash::wrap(0x12, &Sha256::digest(&data)).expect("32 bytes are a multihash");
    (Cid::new_v1(0x71, digest), data)
}

fn record(group: &mut Group<'_>, number: u64, (cid, data): (Cid, Vec<u8>)) -> Result<(), ApplyError> {
    let index = group.add_block(cid, data);
    group.journal([&number.to_be_bytes()[..], &index.to_be_bytes()[..]].concat())
}

fn memory(line: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let value = status.lines().find_map(|l| l.strip_prefix(line)).unwrap_or("0");
    value.trim().split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0) / 1024
}

/// Processor time of this thread so far: what counts when the machine does other things too.
fn processor() -> Duration {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(stat.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0))
}

fn size(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else { return 0 };
    entries
        .flatten()
        .map(|e| {
            let Ok(meta) = e.metadata() else { return 0 };
            #[cfg(unix)]
            let len = std::os::unix::fs::MetadataExt::blocks(&meta) * 512;
            #[cfg(not(unix))]
            let len = meta.len();
            if meta.is_dir() { size(&e.path()) } else { len }
        })
        .sum()
}

fn percentile(times: &mut [Duration], p: f64) -> Duration {
    times.sort_unstable();
    times[((times.len() - 1) as f64 * p) as usize]
}

fn single_writes(dir: &Path, runtime: &tokio::runtime::Runtime) -> Result<(), Box<dyn Error>> {
    const N: u64 = 2000;
    let store = Store::open(&dir.join("single"), StoreOptions::default(), Arc::new(Records))?;
    let mut raw = File::create(dir.join("raw"))?;
    let mut ours = Vec::new();
    let mut plain = Vec::new();
    for number in 0..N {
        // By turns, so that both see the same disk.
        let block = block(number);
        let bytes = [&block.1[..], &[0; 190]].concat();
        let start = Instant::now();
        runtime.block_on(store.commit(Durability::Local, move |g| record(g, number, block)))?;
        ours.push(start.elapsed());
        let start = Instant::now();
        raw.write_all(&bytes)?;
        raw.sync_data()?;
        plain.push(start.elapsed());
    }
    let mean = |times: &[Duration]| times.iter().sum::<Duration>() / times.len() as u32;
    println!(
        "single durable write: mean {:?}, p50 {:?}, p99 {:?}; append + fdatasync: mean {:?}, p50 {:?}, p99 {:?}; ratio of means {:.2}, of medians {:.2}",
        mean(&ours),
        percentile(&mut ours.clone(), 0.5),
        percentile(&mut ours.clone(), 0.99),
        mean(&plain),
        percentile(&mut plain.clone(), 0.5),
        percentile(&mut plain.clone(), 0.99),
        mean(&ours).as_secs_f64() / mean(&plain).as_secs_f64(),
        percentile(&mut ours, 0.5).as_secs_f64() / percentile(&mut plain, 0.5).as_secs_f64(),
    );
    let start = Instant::now();
    runtime.block_on(async {
        let mut tasks = Vec::new();
        for writer in 0..16u64 {
            let store = store.clone();
            tasks.push(tokio::spawn(async move {
                for i in 0..200 {
                    let number = N + writer * 200 + i;
                    let block = block(number);
                    store.commit(Durability::Local, move |g| record(g, number, block)).await?;
                }
                Ok::<_, CommitError<ApplyError>>(())
            }));
        }
        for task in tasks {
            task.await??;
        }
        Ok::<_, Box<dyn Error>>(())
    })?;
    println!("16 writers of single durable writes: {:.0} writes/s", 3200.0 / start.elapsed().as_secs_f64());
    runtime.block_on(store.close())?;
    Ok(())
}

fn import(dir: &Path, records: u64, runtime: &tokio::runtime::Runtime) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let store = Store::open(dir, StoreOptions::default(), Arc::new(Records))?;
    let mut longest = Duration::ZERO;
    let mut number = 0;
    while number < records {
        let batch: Vec<_> = (number..records.min(number + BATCH)).map(|n| (n, block(n))).collect();
        number += batch.len() as u64;
        let begun = Instant::now();
        runtime.block_on(
            store.commit(Durability::Local, move |g| batch.into_iter().try_for_each(|(n, block)| record(g, n, block))),
        )?;
        longest = longest.max(begun.elapsed());
    }
    let imported = start.elapsed();
    let before = size(dir);
    let begun = Instant::now();
    runtime.block_on(store.close())?;
    println!(
        "import of {records} in batches of {BATCH}: {imported:?} ({:.0}/s), longest batch {longest:?}, close {:?}, peak memory {} MB",
        records as f64 / imported.as_secs_f64(),
        begun.elapsed(),
        memory("VmHWM:"),
    );
    let blocks = records * BLOCK as u64;
    println!(
        "folder: {} MB before close, {} MB after ({:.2} times the blocks), {:.2} of it segments",
        before >> 20,
        size(dir) >> 20,
        size(dir) as f64 / blocks as f64,
        size(&dir.join("segments")) as f64 / blocks as f64,
    );
    Ok(())
}

fn read(dir: &Path, records: u64, what: &str) -> Result<Store, Box<dyn Error>> {
    let (start, busy) = (Instant::now(), processor());
    let store = Store::open(dir, StoreOptions::default(), Arc::new(Records))?;
    let (opened, busy) = (start.elapsed(), processor() - busy);
    let snapshot = store.snapshot()?;
    let page = |value: u64| -> Result<usize, Box<dyn Error>> {
        let mut prefix = index_prefix(3, 0, 1);
        prefix.truncate(6);
        prefix.extend_from_slice(format!("{value:012}").as_bytes());
        let mut bytes = 0;
        for row in snapshot.scan(INDEXES, &prefix, None, false).take(20) {
            let position = Position::from_bytes(&row?.1).ok_or("no position")?;
            bytes += snapshot.block_at(position)?.len();
        }
        Ok(bytes)
    };
    page(17)?;
    println!(
        "open after {what}: {opened:?} (processor {busy:?}), with a first page {:?}; {:?}",
        start.elapsed(),
        store.recovery()
    );
    let busy = processor();
    for i in 0..2000 {
        assert_eq!(page(i)?, 20 * BLOCK);
    }
    let cold = (processor() - busy) / 2000;
    let busy = processor();
    for i in 0..2000 {
        assert_eq!(page(i % 100)?, 20 * BLOCK);
    }
    let warm = (processor() - busy) / 2000;
    let busy = processor();
    for i in 0..20_000u64 {
        let row = snapshot.get(DOCUMENTS, &key(i * 7919 % records))?.ok_or("no row")?;
        snapshot.block_at(Position::from_bytes(&row[..12]).ok_or("no position")?)?;
    }
    let lookup = (processor() - busy) / 20_000;
    println!(
        "processor time of a page of 20 over an index: {cold:?}, when asked again {warm:?}; of a point lookup: {lookup:?}"
    );
    Ok(store)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [child, dir, from] = &arguments[..]
        && child == "--write-until-killed"
    {
        let store = Store::open(Path::new(dir), StoreOptions::default(), Arc::new(Records))?;
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let mut number: u64 = from.parse()?;
        loop {
            let batch: Vec<_> = (number..number + BATCH).map(|n| (n, block(n))).collect();
            number += BATCH;
            runtime.block_on(store.commit(Durability::Local, move |g| {
                batch.into_iter().try_for_each(|(n, block)| record(g, n, block))
            }))?;
        }
    }
    if let [read_only, dir, records] = &arguments[..]
        && read_only == "--read"
    {
        drop(read(Path::new(dir), records.parse()?, "whatever was done to it")?);
        return Ok(());
    }
    let records = arguments.first().map_or(Ok(336_776), |n| n.parse())?;
    let dir = tempfile::tempdir_in(".")?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    single_writes(dir.path(), &runtime)?;
    let folder = dir.path().join("import");
    import(&folder, records, &runtime)?;
    let store = read(&folder, records, "a clean close")?;
    let start = Instant::now();
    let report = store.verify()?;
    println!("verify: {:?}, peak memory {} MB\n{report}", start.elapsed(), memory("VmHWM:"));
    drop(store);
    for _ in 0..3 {
        let store = Store::open(&folder, StoreOptions::default(), Arc::new(Records))?;
        let rows = store.snapshot()?.scan(DOCUMENTS, b"", None, true).next().ok_or("no rows")??;
        let next = u64::from_be_bytes(rows.0[4..12].try_into()?) + 1;
        drop(store);
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--write-until-killed", &folder.display().to_string(), &next.to_string()])
            .spawn()?;
        std::thread::sleep(Duration::from_millis(1100));
        child.kill()?;
        child.wait()?;
        drop(read(&folder, records, "a kill")?);
    }
    Ok(())
}
