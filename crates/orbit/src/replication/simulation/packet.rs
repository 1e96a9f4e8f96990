use super::super::message::Message;
use crate::Hash;

/// What goes from one peer to another over a connection.
#[derive(Clone, Debug)]
pub(super) enum Packet {
    /// The sender listens to the topic of this database.
    Subscribed(usize),
    /// A message of a topic.
    Topic {
        database: usize,
        data: Vec<u8>,
    },
    /// A stream of our protocol is opened, about this database.
    Open {
        stream: u64,
        database: usize,
    },
    /// Something is said in one.
    Say {
        stream: u64,
        message: Message,
    },
    /// It has broken off.
    Reset {
        stream: u64,
    },
    /// The heads of the side that begins an exchange as JavaScript does, and those of the other.
    Heads {
        stream: u64,
        database: usize,
        heads: Vec<Vec<u8>>,
    },
    Answer {
        stream: u64,
        heads: Vec<Vec<u8>>,
    },
    /// Bitswap: a block is wanted; here it is, or nobody has it here.
    Ask {
        fetch: u64,
        hash: Hash,
    },
    Block {
        fetch: u64,
        hash: Hash,
        block: Option<Vec<u8>>,
    },
}

impl Packet {
    /// Does it keep its place among others of a connection? Messages of a topic do not.
    pub(super) fn is_ordered(&self) -> bool {
        !matches!(self, Packet::Topic { .. })
    }

    /// The stream that a failure of the network would break.
    pub(super) fn stream(&self) -> Option<u64> {
        match self {
            Packet::Open { stream, .. }
            | Packet::Say { stream, .. }
            | Packet::Heads { stream, .. }
            | Packet::Answer { stream, .. } => Some(*stream),
            _ => None,
        }
    }

    /// Once everyone has the same, only this is sent: heads, from time to time.
    pub(super) fn is_reassurance(&self) -> bool {
        match self {
            Packet::Say { message, .. } => matches!(message, Message::Heads(_) | Message::Done { .. } | Message::Busy),
            Packet::Open { .. } | Packet::Heads { .. } | Packet::Answer { .. } | Packet::Reset { .. } => true,
            _ => false,
        }
    }

    /// Does it begin an exchange?
    pub(super) fn begins(&self) -> bool {
        matches!(self, Packet::Open { .. } | Packet::Heads { .. })
    }

    /// For a trace.
    pub(super) fn describe(&self) -> String {
        let short = |hash: &Hash| hash.to_string().chars().skip(43).collect::<String>();
        let all = |hashes: &[Hash]| hashes.iter().map(short).collect::<Vec<_>>().join(" ");
        let blocks = |blocks: &[Vec<u8>]| all(&blocks.iter().map(|block| Hash::of(block)).collect::<Vec<_>>());
        match self {
            Packet::Subscribed(database) => format!("listens to {database}"),
            Packet::Topic { database, data } => format!("publishes {} in {database}", short(&Hash::of(data))),
            Packet::Open { stream, database } => format!("opens stream {stream:x} about {database}"),
            Packet::Say { stream, message } => format!(
                "says in {stream:x}: {}",
                match message {
                    Message::Heads(heads) => format!("heads {}", all(heads)),
                    Message::Want { lacks, clocks } =>
                        format!("want {} with {} clocks", all(lacks), clocks.times.len()),
                    Message::Entries { identities, entries } => {
                        format!("{} identities, entries {}", identities.len(), blocks(entries))
                    }
                    Message::End => "end".to_owned(),
                    Message::Done { heads, joined } => format!("done, heads {}, joined: {joined}", all(heads)),
                    Message::Busy => "busy".to_owned(),
                    Message::Looking => "looking".to_owned(),
                }
            ),
            Packet::Reset { stream } => format!("resets {stream:x}"),
            Packet::Heads { stream, database, heads } => {
                format!("exchanges heads of {database} in {stream:x}: {}", blocks(heads))
            }
            Packet::Answer { stream, heads } => format!("answers {stream:x} with heads {}", blocks(heads)),
            Packet::Ask { hash, .. } => format!("asks for {}", short(hash)),
            Packet::Block { hash, block, .. } => {
                format!("{} {}", if block.is_some() { "gives" } else { "has not" }, short(hash))
            }
        }
    }
}
