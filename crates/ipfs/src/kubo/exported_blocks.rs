use bytes::{Buf as _, Bytes, BytesMut};
use futures::TryStreamExt as _;
use ipfs_api_prelude::BoxStream;

use super::{KuboError, kubo_error::shortened};
use crate::{Cid, MAX_BLOCK, block::matches, varint::read_varint};

/// Most bytes of the header of an exported file.
const MAX_HEADER: usize = 1 << 20;
/// Most bytes of a section: a CID and a block.
const MAX_SECTION: usize = MAX_BLOCK + 128;
/// Most bytes of a varint.
const MAX_VARINT: usize = 5;

/// The blocks below a root, as a daemon exports them: each checked against its CID, one in memory at a time.
pub struct ExportedBlocks {
    stream: BoxStream<Bytes, KuboError>,
    buffer: BytesMut,
    url: String,
    begun: bool,
    ended: bool,
}

impl ExportedBlocks {
    pub(crate) fn new(stream: BoxStream<Bytes, KuboError>, url: String) -> ExportedBlocks {
        ExportedBlocks { stream, buffer: BytesMut::new(), url, begun: false, ended: false }
    }

    /// The next block; `None` after the last.
    ///
    /// # Errors
    /// If the daemon cannot get a block, its answer is cut off, or a block is not what its CID says.
    pub async fn next(&mut self) -> Result<Option<(Cid, Bytes)>, KuboError> {
        if !self.begun {
            if self.section(MAX_HEADER).await?.is_none() {
                return Err(self.broken("it is empty"));
            }
            self.begun = true;
        }
        let Some(section) = self.section(MAX_SECTION).await? else { return Ok(None) };
        let mut rest = &section[..];
        let cid = Cid::read_bytes(&mut rest).map_err(|error| self.broken(&shortened(error)))?;
        let data = section.slice(section.len() - rest.len()..);
        match matches(&cid, &data) {
            Some(true) => Ok(Some((cid, data))),
            Some(false) => Err(KuboError::WrongBlock { url: self.url.clone(), cid: Box::new(cid) }),
            None => Err(self.broken(&format!("the block {cid} has a hash that is not supported"))),
        }
    }

    async fn section(&mut self, max: usize) -> Result<Option<Bytes>, KuboError> {
        loop {
            if let Some((len, at)) = read_varint(&self.buffer) {
                if len as usize > max {
                    return Err(self.broken(&format!("a section of {len} bytes is in it, more than any has")));
                }
                if self.buffer.len() >= at + len as usize {
                    self.buffer.advance(at);
                    return Ok(Some(self.buffer.split_to(len as usize).freeze()));
                }
            } else if self.buffer.len() >= MAX_VARINT {
                return Err(self.broken("there is no section where one should be"));
            }
            match if self.ended { None } else { self.stream.try_next().await? } {
                Some(piece) => self.buffer.extend_from_slice(&piece),
                None if self.buffer.is_empty() => {
                    self.ended = true;
                    return Ok(None);
                }
                None => return Err(self.broken("it ends in the middle of a block")),
            }
        }
    }

    fn broken(&self, reason: &str) -> KuboError {
        KuboError::Broken { url: self.url.clone(), call: "dag/export", reason: reason.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CarWriter, block::sha256};
    use cid::multihash::Multihash;
    use futures::{executor::block_on, stream};

    fn cid(data: &[u8]) -> Cid {
        Cid::new_v1(0x71, Multihash::wrap(0x12, &sha256(data)).unwrap())
    }

    fn read(car: &[u8], piece: usize) -> Result<Vec<Bytes>, String> {
        let pieces: Vec<_> = car.chunks(piece).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let mut blocks = ExportedBlocks::new(Box::new(stream::iter(pieces)), "http://x".into());
        let mut all = Vec::new();
        block_on(async {
            while let Some((_, data)) = blocks.next().await? {
                all.push(data);
            }
            Ok::<_, KuboError>(())
        })
        .map_err(|error| error.to_string())?;
        Ok(all)
    }

    #[test]
    fn blocks_are_read_from_pieces_of_any_length() {
        let mut car = CarWriter::new(&[cid(b"a")]);
        for data in [b"a".as_slice(), &[7; 1_000], b""] {
            car.block(&cid(data), data);
        }
        let car = car.finish();
        for piece in [1, 2, 7, 100, car.len()] {
            let blocks = read(&car, piece).unwrap();
            assert_eq!(blocks, [b"a".as_slice(), &[7; 1_000], b""]);
        }
    }

    #[test]
    fn what_is_cut_off_or_forged_is_an_error() {
        let mut car = CarWriter::new(&[cid(b"a")]);
        car.block(&cid(b"a"), b"a");
        let good = car.finish();
        for len in 0..good.len() {
            let cut = read(&good[..len], 10);
            // exactly after the header it is a file without blocks
            assert!(cut.is_err() || cut.is_ok_and(|blocks| blocks.is_empty() && len == good.len() - 38), "{len}");
        }
        let mut forged = good.to_vec();
        *forged.last_mut().unwrap() ^= 1;
        assert!(read(&forged, 10).unwrap_err().contains("another hash"));
        let mut long = good.to_vec();
        long.truncate(good.len() - 38);
        long.extend_from_slice(&[0xff, 0xff, 0xff, 0xff, 0x0f]);
        assert!(read(&long, 10).unwrap_err().contains("more than any has"));
        assert!(read(&[0xff; 9], 10).unwrap_err().contains("no section"));
    }
}
