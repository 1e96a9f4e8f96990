//! [`SmallFile`]: something small that is remembered beside the store.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::PathBuf,
};

/// A file of the data folder that is written whole, or not at all.
pub(crate) struct SmallFile {
    path: PathBuf,
}

/// What is longer is none of ours.
const MAX_LEN: u64 = 1 << 20;

impl SmallFile {
    pub(crate) fn new(path: PathBuf) -> SmallFile {
        SmallFile { path }
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// What was written last; nothing, if nothing was.
    pub(crate) fn read(&self) -> io::Result<String> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
            Err(error) => return Err(error),
        };
        let mut text = String::new();
        let len = file.take(MAX_LEN + 1).read_to_string(&mut text)?;
        if len as u64 > MAX_LEN {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is longer than it can be"));
        }
        Ok(text)
    }

    /// Puts this in place of what was there. Whatever happens meanwhile, the one or the other is there afterwards.
    pub(crate) fn replace(&self, text: &str) -> io::Result<()> {
        let mut draft = self.path.as_os_str().to_owned();
        draft.push(".new");
        let draft = PathBuf::from(draft);
        // over one that a killed process left
        let mut file = File::create(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, &self.path)?;
        // on other systems a folder cannot be synced, and need not be
        #[cfg(unix)]
        if let Some(folder) = self.path.parent() {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::SmallFile;

    #[test]
    fn the_last_text_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let open = || SmallFile::new(folder.path().join("small"));
        assert_eq!(open().read().unwrap(), "");
        open().replace("one").unwrap();
        // of a process that was killed
        std::fs::write(folder.path().join("small.new"), "a long draft").unwrap();
        assert_eq!(open().read().unwrap(), "one");
        open().replace("two").unwrap();
        assert_eq!(open().read().unwrap(), "two");
        std::fs::write(open().path(), vec![b'x'; 2 << 20]).unwrap();
        assert!(open().read().is_err());
    }
}
