use bytes::{Bytes, BytesMut};
use futures::TryStreamExt as _;
use ipfs_api_prelude::BoxStream;
use serde::de::DeserializeOwned;

use super::{
    KuboError,
    kubo_error::{broken, shortened},
};

/// Most bytes of a line.
const MAX_LINE: usize = 1 << 20;

/// The lines of an answer, each a JSON value, as they come.
///
/// The decoder of `ipfs-api-prelude` turns every error of the stream below it into one of reading, which neither says what it was nor
/// lets it be told from others, and takes a last line without an end for a mistake.
pub(crate) struct JsonLines {
    stream: BoxStream<Bytes, KuboError>,
    buffer: BytesMut,
    /// so far no line ends in the buffer
    searched: usize,
    max: usize,
    /// Lines that are too long: an error, or, with a count of them, passed over.
    skipped: Option<u64>,
    /// Whether the rest of such a line is passed over at the moment.
    skipping: bool,
    url: String,
    call: &'static str,
}

impl JsonLines {
    pub(crate) fn new(stream: BoxStream<Bytes, KuboError>, url: String, call: &'static str) -> JsonLines {
        let buffer = BytesMut::new();
        JsonLines { stream, buffer, searched: 0, max: MAX_LINE, skipped: None, skipping: false, url, call }
    }

    /// Passes over lines of more than so many bytes.
    pub(crate) fn skipping(self, max: usize) -> JsonLines {
        JsonLines { max, skipped: Some(0), ..self }
    }

    /// How many lines were passed over.
    pub(crate) fn skipped(&self) -> u64 {
        self.skipped.unwrap_or_default()
    }

    /// The next value; `None` after the last.
    pub(crate) async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, KuboError> {
        let Some(line) = self.next_line().await? else { return Ok(None) };
        let value = serde_json::from_slice(&line).map_err(|error| {
            let line = shortened(String::from_utf8_lossy(&line));
            broken(&self.url, self.call, format!("{error}: `{line}`"))
        })?;
        Ok(Some(value))
    }

    /// The next line that is not empty; `None` after the last.
    pub(crate) async fn next_line(&mut self) -> Result<Option<BytesMut>, KuboError> {
        loop {
            let line = match self.buffer[self.searched..].iter().position(|byte| *byte == b'\n') {
                Some(at) => self.buffer.split_to(self.searched + at + 1),
                None if self.buffer.len() > self.max => {
                    if self.skipped.is_none() {
                        let reason = format!("it has a line of more than {} bytes", self.max);
                        return Err(broken(&self.url, self.call, reason));
                    }
                    self.buffer.clear();
                    (self.searched, self.skipping) = (0, true);
                    continue;
                }
                None => {
                    self.searched = self.buffer.len();
                    match self.stream.try_next().await? {
                        Some(piece) => {
                            self.buffer.extend_from_slice(&piece);
                            continue;
                        }
                        None if self.buffer.is_empty() => return Ok(None),
                        None => self.buffer.split(),
                    }
                }
            };
            self.searched = 0;
            if let Some(skipped) = &mut self.skipped
                && (std::mem::take(&mut self.skipping) || line.len() > self.max)
            {
                *skipped += 1;
                continue;
            }
            if !line.iter().all(u8::is_ascii_whitespace) {
                return Ok(Some(line));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{executor::block_on, stream};

    fn read(pieces: &[&str], error: Option<KuboError>) -> (Vec<u32>, Option<KuboError>) {
        let pieces: Vec<_> = pieces.iter().map(|piece| Ok(Bytes::copy_from_slice(piece.as_bytes()))).collect();
        let stream = stream::iter(pieces.into_iter().chain(error.map(Err)));
        let mut lines = JsonLines::new(Box::new(stream), "http://x".into(), "pin/ls");
        let mut all = Vec::new();
        loop {
            match block_on(lines.next()) {
                Ok(Some(value)) => all.push(value),
                Ok(None) => return (all, None),
                Err(error) => return (all, Some(error)),
            }
        }
    }

    #[test]
    fn lines_come_in_pieces_of_any_length() {
        for pieces in [&["1\n22\n3"][..], &["1\n2", "2", "\n", "3\n"], &["", "1", "\n\n22\n", " \n3"]] {
            let (values, error) = read(pieces, None);
            assert!(error.is_none(), "{error:?}");
            assert_eq!(values, [1, 22, 3]);
        }
        assert!(read(&[], None).0.is_empty());
    }

    #[test]
    fn errors_come_through_as_they_are() {
        let refused = KuboError::Refused { url: "u".into(), call: "pin/ls", message: "the disk is gone".into() };
        let (values, error) = read(&["1\n2"], Some(refused));
        assert_eq!(values, [1]);
        assert!(matches!(error, Some(KuboError::Refused { message, .. }) if message == "the disk is gone"));
        let (values, error) = read(&["1\n", "x\n"], None);
        assert_eq!(values, [1]);
        assert!(matches!(error, Some(KuboError::Broken { call: "pin/ls", reason, .. }) if reason.contains("`x`")));
        let long = "1".repeat(MAX_LINE + 1);
        assert!(matches!(read(&[&long], None).1, Some(KuboError::Broken { reason, .. }) if reason.contains("line")));
    }
}
