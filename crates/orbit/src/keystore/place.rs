//! [`Place`]: where a device key's file was made.

use std::{fs, io, path::Path};

/// Where a file is: on which machine, on which file system, which file. A copy of the file is in another place, and so
/// is the file after it was restored from a backup. (A clone of a whole virtual machine, and on systems other than Unix
/// a copy on the same machine, are not told apart.)
pub(super) struct Place {
    machine: String,
    device: u64,
    file: u64,
}

impl Place {
    pub(super) fn of(path: &Path) -> io::Result<Place> {
        let metadata = fs::metadata(path)?;
        #[cfg(unix)]
        let (device, file) = {
            use std::os::unix::fs::MetadataExt as _;
            (metadata.dev(), metadata.ino())
        };
        #[cfg(not(unix))]
        let (device, file) = {
            drop(metadata);
            (0, 0)
        };
        Ok(Place { machine: machine(), device, file })
    }

    pub(super) fn to_text(&self) -> String {
        format!("debros-place 1\nmachine {}\ndevice {}\nfile {}\n", self.machine, self.device, self.file)
    }

    /// Is this the place that a file describes?
    pub(super) fn is(&self, made: &[u8]) -> bool {
        made == self.to_text().as_bytes()
    }
}

/// The machine's id, where the operating system has one.
fn machine() -> String {
    let read = |path| fs::read_to_string(path).ok().map(|id| id.trim().to_owned()).filter(|id| !id.is_empty());
    let known = ["/etc/machine-id", "/var/lib/dbus/machine-id"].into_iter().find_map(read);
    // a file of the machine, of any length: what is kept of it is one short line
    known.map_or_else(|| "-".to_owned(), |id| id.chars().filter(char::is_ascii_alphanumeric).take(64).collect())
}
