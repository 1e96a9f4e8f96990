//! What the machine tells of a process and a folder.

use std::{path::Path, time::Duration};

/// The most memory that this process has had, in bytes, as the kernel counts it (`VmHWM`).
pub(crate) fn peak_memory() -> std::io::Result<u64> {
    memory("VmHWM:")
}

/// The memory that this process has now, in bytes, as the kernel counts it (`VmRSS`).
pub(crate) fn memory_now() -> std::io::Result<u64> {
    memory("VmRSS:")
}

fn memory(line: &str) -> std::io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let found = status.lines().find_map(|text| text.strip_prefix(line));
    let kib = found.and_then(|text| text.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.map(|kib| kib * 1024).ok_or_else(|| std::io::Error::other(format!("the kernel tells no {line}")))
}

/// The time that this process has spent on processors so far.
pub(crate) fn cpu_time() -> std::io::Result<Duration> {
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF)?;
    let of =
        |time: nix::sys::time::TimeVal| Duration::from_micros(time.tv_sec() as u64 * 1_000_000 + time.tv_usec() as u64);
    Ok(of(usage.user_time()) + of(usage.system_time()))
}

/// What a folder takes on the disk, in bytes, as `du` counts.
pub(crate) fn disk_usage(folder: &Path) -> std::io::Result<u64> {
    use std::os::unix::fs::MetadataExt as _;
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        bytes += meta.blocks() * 512;
        if meta.is_dir() {
            bytes += disk_usage(&entry.path())?;
        }
    }
    Ok(bytes)
}

/// The value below which `part` (0 to 1) of the times lie.
pub(crate) fn quantile(times: &mut [Duration], part: f64) -> Duration {
    times.sort_unstable();
    times.get(((times.len() as f64 * part) as usize).min(times.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// In mebibytes.
pub(crate) fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
