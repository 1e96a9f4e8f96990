use super::{Address, Finding};
use crate::size::Size;
use debros_ipfs::RepoStat;
use serde_json::Value;
use std::collections::BTreeSet;

/// Less free space than this is a problem.
const LITTLE: u64 = 1 << 30;
/// And less than this is worth knowing.
const NOT_MUCH: u64 = 10 << 30;

/// A daemon's settings, as `ipfs config show` prints them.
#[derive(Clone, Debug)]
pub(crate) struct Settings(pub(crate) Value);

impl Settings {
    fn at(&self, path: &str) -> &Value {
        path.split('.').fold(&self.0, |value, name| &value[name])
    }

    /// A setting that is a flag; `default` where nothing is said.
    fn flag(&self, path: &str, default: bool) -> bool {
        self.at(path).as_bool().unwrap_or(default)
    }

    /// A setting that is a text; empty where nothing is said.
    fn text(&self, path: &str) -> &str {
        self.at(path).as_str().unwrap_or_default()
    }

    /// Who can reach the RPC, and whether they are let in. The settings do not tell whether it is `guarded`: Kubo does not
    /// print `API.Authorizations`.
    pub(crate) fn authorization(&self, guarded: bool) -> Finding {
        const ABOUT: &str = "authorization";
        if guarded {
            return Finding::good(ABOUT, "its RPC asks for a user or a token of API.Authorizations.");
        }
        let addresses = match self.at("Addresses.API") {
            Value::String(address) => vec![address.as_str()],
            Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let open: Vec<_> = addresses.iter().filter(|address| !Address(address).is_local()).copied().collect();
        let Some(first) = open.first() else {
            let what = "its RPC asks nobody who they are, and listens on this machine's loopback only.";
            return Finding::good(ABOUT, what);
        };
        let what = format!(
            "its RPC listens on {} and asks nobody who they are, so whoever reaches it can read, unpin and delete everything.",
            open.join(" and ")
        );
        let port = first.rsplit('/').next().filter(|port| port.parse::<u16>().is_ok()).unwrap_or("5001");
        Finding::problem(ABOUT, what).mended_by(format!("ipfs config Addresses.API /ip4/127.0.0.1/tcp/{port}"))
    }

    /// What is announced to the network.
    pub(crate) fn provide(&self) -> Finding {
        const ABOUT: &str = "announcing";
        const OFF: &str = "ipfs config --json Provide.Enabled false";
        if !self.flag("Provide.Enabled", true) {
            return Finding::good(ABOUT, "it announces nothing to the public network (Provide.Enabled is false).");
        }
        if self.text("Routing.Type") == "none" {
            return Finding::good(ABOUT, "it announces nothing, because it has no routing (Routing.Type is none).");
        }
        let strategy = self.text("Provide.Strategy");
        let shown = if strategy.is_empty() { "all, the default" } else { strategy };
        let parts: BTreeSet<&str> = strategy.split('+').map(str::trim).collect();
        if parts.contains("roots") && !parts.contains("pinned") && !parts.contains("all") {
            let what = format!(
                "it announces the root of each of our pins to the public DHT, from which everything below can be fetched (Provide.Strategy is {shown})."
            );
            return Finding::note(ABOUT, what).mended_by(OFF);
        }
        if parts.contains("mfs") && !parts.contains("pinned") && !parts.contains("all") {
            return Finding::good(ABOUT, format!("it announces nothing of ours (Provide.Strategy is {shown})."));
        }
        let what = format!(
            "it announces every block of ours to the public DHT, where anybody sees and can fetch them, and which costs it time (Provide.Strategy is {shown})."
        );
        Finding::problem(ABOUT, what).mended_by(OFF)
    }

    /// How blocks are kept.
    pub(crate) fn datastore(&self) -> Finding {
        const ABOUT: &str = "datastore";
        let mut types = BTreeSet::new();
        blocks_types(self.at("Datastore.Spec"), &mut types, 0);
        let new = "IPFS_PATH=<a new folder> ipfs init --profile=pebbleds";
        if types.contains("badgerds") {
            let what = "its blocks are in badger 1, which Kubo will drop.";
            return Finding::problem(ABOUT, what).mended_by(new);
        }
        if types.contains("pebbleds") {
            return Finding::good(ABOUT, "its blocks are in pebble, which suits many small ones.");
        }
        if types.contains("flatfs") {
            let what = "each block is a file of its own (flatfs), and every entry is one: for more than some hundred thousand, pebble is faster and smaller; it is chosen when a repository is made.";
            return Finding::note(ABOUT, what).mended_by(new);
        }
        let known: Vec<_> = types.into_iter().collect();
        Finding::note(ABOUT, format!("its blocks are in a datastore that is not known here ({}).", known.join(", ")))
    }

    /// Garbage collection, and how near it is.
    pub(crate) fn garbage(&self, stat: &RepoStat) -> Finding {
        const ABOUT: &str = "garbage collection";
        let watermark =
            self.at("Datastore.StorageGCWatermark").as_u64().filter(|percent| *percent <= 100).unwrap_or(90);
        let (used, max) = (stat.repo_size, stat.storage_max);
        let how_full = format!("the repository has {} of {} (Datastore.StorageMax)", Size(used), Size(max));
        let percent = u128::from(used) * 100 / u128::from(max.max(1));
        let pinned = "what is pinned is safe from it";
        if percent >= u128::from(watermark) {
            // twice of what there is
            let larger = used / 500_000_000 + 1;
            let what = format!(
                "{how_full}, more than the {watermark}% at which a daemon with --enable-gc collects garbage again and again; {pinned}, but nothing makes room for more."
            );
            let command = format!("ipfs config Datastore.StorageMax {larger}GB");
            return Finding::problem(ABOUT, what).mended_by(command);
        }
        // the flag is the daemon's own: no call tells it
        let what = format!("{how_full}; {pinned}, whether the daemon was started with --enable-gc or not.");
        if percent >= 75 {
            return Finding::note(ABOUT, what).mended_by("ipfs repo gc");
        }
        Finding::good(ABOUT, what)
    }

    /// Whether there is room on its disk.
    pub(crate) fn free_space(&self, free: u64, stat: &RepoStat) -> Finding {
        const ABOUT: &str = "free space";
        let still = stat.storage_max.saturating_sub(stat.repo_size);
        if free < LITTLE {
            let what = format!("only {} are free on its disk, after which it takes no more blocks.", Size(free));
            return Finding::problem(ABOUT, what).mended_by("ipfs repo gc");
        }
        if free < still {
            let what = format!(
                "{} are free on its disk, less than the {} that it may still grow by (Datastore.StorageMax).",
                Size(free),
                Size(still)
            );
            let max = (stat.repo_size.saturating_add(free) / 1_000_000_000).max(1);
            return Finding::note(ABOUT, what).mended_by(format!("ipfs config Datastore.StorageMax {max}GB"));
        }
        if free < NOT_MUCH {
            return Finding::note(ABOUT, format!("{} are free on its disk.", Size(free))).mended_by("ipfs repo gc");
        }
        Finding::good(ABOUT, format!("{} are free on its disk.", Size(free)))
    }
}

/// The types of datastores in which blocks are: of the mount at `/blocks`, or of the only one. Specs are nested.
fn blocks_types<'s>(spec: &'s Value, types: &mut BTreeSet<&'s str>, depth: u8) {
    // no spec of Kubo is so deep, and this one came over the network
    if depth > 16 {
        return;
    }
    if let Some(mounts) = spec["mounts"].as_array() {
        let at = |place: &str| mounts.iter().filter(move |mount| mount["mountpoint"] == place).collect::<Vec<_>>();
        let blocks = at("/blocks");
        for mount in if blocks.is_empty() { at("/") } else { blocks } {
            blocks_types(mount, types, depth + 1);
        }
        return;
    }
    match (&spec["child"], spec["type"].as_str()) {
        (child @ Value::Object(_), _) => blocks_types(child, types, depth + 1),
        (_, Some(kind)) => drop(types.insert(kind)),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
