use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use cid::Cid;

use crate::{
    Damage, DiskError, StoreError,
    segment_file::SegmentFile,
    step::Step,
    varint::{MAX_VARINT, read_varint},
};

/// Longest section that is read: the longest group that is written has less.
pub(crate) const MAX_SECTION: u32 = 160 << 20;
/// Longest CID: version, codec, hash code and length as varints, and a digest of at most 64 bytes.
const MAX_CID: usize = 100;
/// How much is read from the file at once.
const WINDOW: usize = 256 << 10;

/// Reads the sections of a segment file one after the other, up to a fixed end.
#[derive(Debug)]
pub(crate) struct Sections {
    file: Arc<SegmentFile>,
    path: PathBuf,
    at: u64,
    end: u64,
    window: Vec<u8>,
    window_at: u64,
}

/// Where a section lies.
#[derive(Debug, Clone)]
pub(crate) struct Section {
    /// Offset of the section, that is of its length.
    pub(crate) at: u64,
    pub(crate) cid: Cid,
    /// Offset and length of the data.
    pub(crate) data_at: u64,
    pub(crate) data_len: u32,
    /// Whether the block was taken out of the file: then its data reads as zeros.
    pub(crate) is_gone: bool,
}

/// Why reading stopped.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The bytes from `at` on are no section, or not the one that was written.
    Broken {
        at: u64,
        what: String,
    },
    Disk(DiskError),
}

impl From<DiskError> for Fault {
    fn from(error: DiskError) -> Fault {
        Fault::Disk(error)
    }
}

impl Fault {
    pub(crate) fn broken(at: u64, what: impl Into<String>) -> Fault {
        Fault::Broken { at, what: what.into() }
    }

    /// As an error about this file.
    pub(crate) fn into_error(self, path: &Path) -> StoreError {
        match self {
            Fault::Broken { at, what } => StoreError::Damaged(Damage { file: path.to_path_buf(), offset: at, what }),
            Fault::Disk(error) => StoreError::Disk(error),
        }
    }
}

impl Sections {
    pub(crate) fn new(file: Arc<SegmentFile>, path: PathBuf, at: u64, end: u64) -> Sections {
        Sections { file, path, at, end, window: Vec::new(), window_at: 0 }
    }

    /// Offset of the next section.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// Goes on from another offset.
    pub(crate) fn seek(&mut self, at: u64) {
        self.at = at;
    }

    /// The next section, whose data is not read yet; `None` exactly at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Section>, Fault> {
        let at = self.at;
        if at == self.end {
            return Ok(None);
        }
        let remaining = self.end.saturating_sub(at);
        let head = self.bytes(at, remaining.min((MAX_VARINT + MAX_CID) as u64) as usize)?;
        let Some((len, varint)) = read_varint(head) else {
            return Err(Fault::broken(at, "there is no section length here"));
        };
        let body = &head[varint..];
        let body = &body[..body.len().min(len as usize)];
        let mut rest = body;
        let cid = Cid::read_bytes(&mut rest);
        let cid_len = (body.len() - rest.len()) as u32;
        if u64::from(len) + varint as u64 > remaining {
            return Err(Fault::broken(at, "the section is cut off by the end of the file"));
        }
        if len > MAX_SECTION {
            return Err(Fault::broken(at, format!("the section claims {len} bytes, more than any has")));
        }
        let Ok(cid) = cid else {
            return Err(Fault::broken(at, "the section does not begin with a CID"));
        };
        let data_at = at + varint as u64 + u64::from(cid_len);
        let data_len = len - cid_len;
        self.at = data_at + u64::from(data_len);
        Ok(Some(Section { at, cid, data_at, data_len, is_gone: self.file.is_gone(at) }))
    }

    /// Bytes of the file, from the window when they are in it.
    pub(crate) fn bytes(&mut self, at: u64, len: usize) -> Result<&[u8], DiskError> {
        let window_end = self.window_at + self.window.len() as u64;
        if at < self.window_at || at + len as u64 > window_end {
            let wanted = (self.end.saturating_sub(at)).min(WINDOW as u64) as usize;
            self.window.resize(wanted.max(len), 0);
            self.window_at = at;
            let read = Step::SegmentRead.run(|| self.file.read_exact_at(&mut self.window, at));
            if let Err(source) = read {
                self.window.clear();
                return Err(DiskError::new("reading", &self.path, source));
            }
        }
        let from = (at - self.window_at) as usize;
        Ok(&self.window[from..from + len])
    }

    /// The data of a section.
    pub(crate) fn data(&mut self, section: &Section) -> Result<&[u8], DiskError> {
        self.bytes(section.data_at, section.data_len as usize)
    }
}
