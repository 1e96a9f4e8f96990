use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use serde::Deserialize;

use super::{KuboError, json_lines::JsonLines};

/// Most characters of an id of a peer.
const MAX_PEER: usize = 128;
/// What stands around the bytes of a message in its line, at most.
const AROUND: usize = 4 << 10;

/// What is published on a topic, as a daemon hears it: [`Kubo::pubsub_sub`](super::Kubo::pubsub_sub) gives it. It ends with the connection, and dropping it
/// ends the connection.
pub struct KuboSubscription {
    lines: JsonLines,
    most: usize,
    skipped: u64,
}

/// A message of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KuboMessage {
    /// The peer id of the daemon that published it, whose signature the daemon has checked.
    pub from: String,
    /// What it published.
    pub data: Bytes,
}

impl KuboSubscription {
    pub(crate) fn new(lines: JsonLines, most: usize) -> KuboSubscription {
        // base64 makes four characters of three bytes
        let lines = lines.skipping(most.saturating_mul(4) / 3 + AROUND);
        KuboSubscription { lines, most, skipped: 0 }
    }

    /// The next message; `None` when the daemon ends the connection. Larger messages than the subscription wants, and lines that are no
    /// message, are [skipped](KuboSubscription::skipped): anybody may publish on a topic.
    ///
    /// # Errors
    /// If the connection is lost, or says nothing for too long.
    pub async fn next(&mut self) -> Result<Option<KuboMessage>, KuboError> {
        while let Some(line) = self.lines.next_line().await? {
            match message(&line).filter(|message| message.data.len() <= self.most) {
                Some(message) => return Ok(Some(message)),
                None => self.skipped += 1,
            }
        }
        Ok(None)
    }

    /// How many messages were skipped.
    pub fn skipped(&self) -> u64 {
        self.skipped + self.lines.skipped()
    }
}

/// A topic, or the bytes of a message, as the RPC wants them: multibase, base64 for URLs.
pub(crate) fn encoded(bytes: &[u8]) -> String {
    let mut text = String::from("u");
    BASE64_URL_SAFE_NO_PAD.encode_string(bytes, &mut text);
    text
}

fn message(line: &[u8]) -> Option<KuboMessage> {
    #[derive(Deserialize)]
    struct Line {
        from: String,
        data: String,
    }
    let Line { from, data } = serde_json::from_slice(line).ok()?;
    let data = BASE64_URL_SAFE_NO_PAD.decode(data.strip_prefix('u')?).ok()?;
    (from.len() <= MAX_PEER).then(|| KuboMessage { from, data: data.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{executor::block_on, stream};

    #[test]
    fn what_is_no_message_or_too_large_is_skipped_in_pieces_of_any_length() {
        let large = format!("{{\"from\":\"b\",\"data\":\"{}\"}}\n", encoded(&[7; 200]));
        let huge = format!("{{\"from\":\"b\",\"data\":\"{}\"}}\n", encoded(&[7; 20_000]));
        let lines = [
            "{\"from\":\"a\",\"data\":\"uAQI\",\"seqno\":\"uAA\",\"topicIDs\":[\"uYQ\"]}\n",
            &large,
            "nonsense\n",
            "{\"from\":\"a\",\"data\":\"mAQI\"}\n",
            &huge,
            &format!("{{\"from\":\"{}\",\"data\":\"uAQI\"}}\n", "x".repeat(200)),
            "{\"from\":\"c\",\"data\":\"u\"}\n",
        ]
        .concat();
        for piece in [1, 7, 1_000, lines.len()] {
            let pieces: Vec<_> =
                lines.as_bytes().chunks(piece).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
            let stream = JsonLines::new(Box::new(stream::iter(pieces)), "http://x".into(), "pubsub/sub");
            let mut subscription = KuboSubscription::new(stream, 100);
            let first = block_on(subscription.next()).unwrap().unwrap();
            assert_eq!((first.from.as_str(), &*first.data), ("a", [1, 2].as_slice()));
            let second = block_on(subscription.next()).unwrap().unwrap();
            assert_eq!((second.from.as_str(), &*second.data), ("c", [].as_slice()));
            assert_eq!(block_on(subscription.next()).unwrap(), None);
            assert_eq!(subscription.skipped(), 5, "{piece}");
        }
    }
}
