//! [`Tidy`]: what lies in a data folder.

use std::{fs, path::Path};

/// What lies in a data folder that was closed.
pub(crate) struct Tidy {
    /// Names of the files, from the folder on, and the bytes that they take on the disk.
    files: Vec<(String, u64)>,
}

impl Tidy {
    pub(crate) fn of(folder: &Path) -> Tidy {
        let mut files = Vec::new();
        gather(folder, "", &mut files);
        Tidy { files }
    }

    /// Nothing is here that a store at rest does not need, and all of it takes at most four times the blocks that were
    /// written, and the 2 MiB that an empty store has at most.
    ///
    /// Of the four, one is the blocks; the journal, the indexes and the tables are smaller than they in each test.
    pub(crate) fn assert(&self, block_bytes: u64) {
        for (name, _) in &self.files {
            let segments = |name: &str| {
                let number = name.strip_suffix(".car").or(name.strip_suffix(".index"));
                number.is_some_and(|number| number.len() == 10 && number.bytes().all(|digit| digit.is_ascii_digit()))
            };
            let known = match name.split_once('/') {
                None => ["LOCK", "format", "state.redb"].contains(&name.as_str()),
                Some(("segments", name)) => segments(name),
                Some((folder, name)) => folder == "keys" && !name.contains(".new") && !name.contains("draft"),
            };
            assert!(known, "`{name}` was left behind");
        }
        let all: u64 = self.files.iter().map(|(_, bytes)| bytes).sum();
        let most = 4 * block_bytes + (2 << 20);
        assert!(all <= most, "{all} bytes for {block_bytes} bytes of blocks: {:?}", self.files);
    }
}

fn gather(folder: &Path, prefix: &str, files: &mut Vec<(String, u64)>) {
    for entry in fs::read_dir(folder).expect("the folder is read") {
        let entry = entry.expect("the folder is read");
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let meta = entry.metadata().expect("it is there");
        if meta.is_dir() {
            gather(&entry.path(), &format!("{name}/"), files);
        } else {
            files.push((name, std::os::unix::fs::MetadataExt::blocks(&meta) * 512));
        }
    }
}
