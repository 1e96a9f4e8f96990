use super::clocks::{Clocks, MAX_CLOCKS};
use crate::{
    Hash, ScanError,
    encoder::Encoder,
    limits::{MAX_ACCEPTED, MAX_HEADS},
    scanner::{Head, Scanner},
};

/// So many bytes of entries are sent together, or one that is larger.
pub(super) const TOGETHER: usize = 256 << 10;
/// So many entries, and so many identities, at most.
pub(super) const MAX_ENTRIES: usize = 1024;
/// The most bytes of a message: the largest entry with its identity, and what is around them.
pub(super) const MAX_MESSAGE: usize = MAX_ACCEPTED + TOGETHER;

/// What two nodes of this kind say to each other about one database.
///
/// On the wire it is its length in four bytes, big-endian, and a CBOR array whose first item is the number of its kind. Hashes are
/// their digests, entries and identities their blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// 1: these are the heads of my log. The first one of each side.
    Heads(Vec<Hash>),
    /// 2: I lack these heads of yours, and what is behind them. Of these identities I have everything up to these times; the last item
    /// is 1 if of others I have nothing.
    Want { lacks: Vec<Hash>, clocks: Clocks },
    /// 3: some of what you lack; nothing before what it builds on. The identities are those that wrote them, where you may lack
    /// them.
    Entries { identities: Vec<Vec<u8>>, entries: Vec<Vec<u8>> },
    /// 4: that was everything.
    End,
    /// 5: I want no more. These are my heads now; and of what you sent, did everything join?
    Done { heads: Vec<Hash>, joined: bool },
    /// 6: there is another exchange between us that I began. That one counts.
    Busy,
    /// 7: I am still finding out what you lack.
    Looking,
}

/// Why bytes of a peer are no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum MessageError {
    #[error("what a peer sends is no message: {0}")]
    Scan(#[from] ScanError),
    #[error("a peer sends a message of the kind {0}, which this version does not know")]
    Kind(u64),
    #[error("a peer sends a message with too many {0}")]
    TooMany(&'static str),
}

impl Message {
    /// With its length before it.
    pub(super) fn to_frame(&self) -> Vec<u8> {
        let mut body = Encoder::with_capacity(64);
        match self {
            Message::Heads(heads) => {
                body.array(2).uint(1);
                put_hashes(&mut body, heads);
            }
            Message::Want { lacks, clocks } => {
                body.array(4).uint(2);
                put_hashes(&mut body, lacks);
                // in order, so that the same clocks are the same bytes
                let mut times: Vec<_> = clocks.times.iter().collect();
                times.sort_unstable();
                body.array(2 * times.len());
                for (identity, time) in times {
                    body.bytes(identity.digest()).uint(*time);
                }
                body.uint(u64::from(clocks.whole));
            }
            Message::Entries { identities, entries } => {
                body.array(3).uint(3);
                for blocks in [identities, entries] {
                    body.array(blocks.len());
                    for block in blocks {
                        body.bytes(block);
                    }
                }
            }
            Message::End => {
                body.array(1).uint(4);
            }
            Message::Done { heads, joined } => {
                body.array(3).uint(5);
                put_hashes(&mut body, heads);
                body.uint(u64::from(*joined));
            }
            Message::Busy => {
                body.array(1).uint(6);
            }
            Message::Looking => {
                body.array(1).uint(7);
            }
        }
        let body = body.finish();
        let mut frame = Vec::with_capacity(4 + body.len());
        // what is sent is bounded far below
        frame.extend((body.len() as u32).to_be_bytes());
        frame.extend(body);
        frame
    }

    /// From the bytes behind the length.
    pub(super) fn from_body(body: &[u8]) -> Result<Message, MessageError> {
        let mut scan = Scanner::new(body);
        let items = scan.array()?;
        let kind = scan.uint()?;
        let expected = match kind {
            1 => 2,
            2 => 4,
            3 | 5 => 3,
            4 | 6 | 7 => 1,
            kind => return Err(MessageError::Kind(kind)),
        };
        if items != expected {
            return Err(ScanError::Unexpected(0).into());
        }
        let message = match kind {
            1 => Message::Heads(hashes(&mut scan)?),
            2 => Message::Want { lacks: hashes(&mut scan)?, clocks: clocks(&mut scan)? },
            3 => Message::Entries { identities: blocks(&mut scan)?, entries: blocks(&mut scan)? },
            4 => Message::End,
            5 => Message::Done { heads: hashes(&mut scan)?, joined: scan.uint()? != 0 },
            6 => Message::Busy,
            _ => Message::Looking,
        };
        scan.end()?;
        Ok(message)
    }
}

fn put_hashes(body: &mut Encoder, hashes: &[Hash]) {
    body.array(hashes.len());
    for hash in hashes {
        body.bytes(hash.digest());
    }
}

fn bytes<'b>(scan: &mut Scanner<'b>) -> Result<&'b [u8], ScanError> {
    let begin = scan.position();
    match scan.head()? {
        Head::Bytes(len) => scan.take(len),
        _ => Err(ScanError::Unexpected(begin)),
    }
}

fn hash(scan: &mut Scanner<'_>) -> Result<Hash, ScanError> {
    let begin = scan.position();
    bytes(scan)?.try_into().map(Hash::from_digest).map_err(|_| ScanError::Unexpected(begin))
}

fn hashes(scan: &mut Scanner<'_>) -> Result<Vec<Hash>, MessageError> {
    let len = scan.array()?;
    if len > MAX_HEADS as u64 {
        return Err(MessageError::TooMany("heads"));
    }
    (0..len).map(|_| Ok(hash(scan)?)).collect()
}

fn clocks(scan: &mut Scanner<'_>) -> Result<Clocks, MessageError> {
    let len = scan.array()?;
    if len > 2 * MAX_CLOCKS as u64 {
        return Err(MessageError::TooMany("clocks"));
    }
    let times = (0..len / 2).map(|_| Ok((hash(scan)?, scan.uint()?))).collect::<Result<_, ScanError>>()?;
    Ok(Clocks { times, whole: scan.uint()? != 0 })
}

fn blocks(scan: &mut Scanner<'_>) -> Result<Vec<Vec<u8>>, MessageError> {
    let len = scan.array()?;
    if len > MAX_ENTRIES as u64 {
        return Err(MessageError::TooMany("entries"));
    }
    let blocks = (0..len).map(|_| Ok(bytes(scan)?.to_vec())).collect::<Result<Vec<_>, ScanError>>()?;
    if blocks.len() > 1 && blocks.iter().map(Vec::len).sum::<usize>() > TOGETHER {
        return Err(MessageError::TooMany("bytes"));
    }
    Ok(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Message> {
        let hashes: Vec<Hash> = [b"a", b"b"].map(|text| Hash::of(text)).to_vec();
        vec![
            Message::Heads(hashes.clone()),
            Message::Heads(Vec::new()),
            Message::Want {
                lacks: hashes.clone(),
                clocks: Clocks { times: [(hashes[0], 7), (hashes[1], 1 << 40)].into(), whole: true },
            },
            Message::Entries { identities: vec![vec![1; 300]], entries: vec![vec![], vec![2; 70_000]] },
            Message::End,
            Message::Done { heads: hashes, joined: true },
            Message::Busy,
            Message::Looking,
        ]
    }

    #[test]
    fn messages_survive_the_wire() {
        for message in all() {
            let frame = message.to_frame();
            let (len, body) = frame.split_first_chunk().unwrap();
            assert_eq!(u32::from_be_bytes(*len) as usize, body.len());
            assert_eq!(Message::from_body(body).unwrap(), message);
            for end in 0..body.len().min(200) {
                assert!(Message::from_body(&body[..end]).is_err(), "{message:?} cut at {end}");
            }
        }
    }

    #[test]
    fn what_is_too_much_or_unknown_is_refused() {
        let heads = Message::Heads(vec![Hash::of(b"a"); MAX_HEADS + 1]).to_frame();
        assert_eq!(Message::from_body(&heads[4..]), Err(MessageError::TooMany("heads")));
        let entries =
            Message::Entries { identities: vec![Vec::new(); MAX_ENTRIES + 1], entries: Vec::new() }.to_frame();
        assert_eq!(Message::from_body(&entries[4..]), Err(MessageError::TooMany("entries")));
        assert_eq!(Message::from_body(&[0x81, 8]), Err(MessageError::Kind(8)));
        // only one entry may be large
        let entries = Message::Entries { identities: Vec::new(), entries: vec![vec![0; TOGETHER], vec![0]] }.to_frame();
        assert_eq!(Message::from_body(&entries[4..]), Err(MessageError::TooMany("bytes")));
        // more than it says, and a list that claims to be endless
        assert!(Message::from_body(&[0x81, 4, 0]).is_err());
        assert!(Message::from_body(&[0x82, 1, 0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).is_err());
    }
}
