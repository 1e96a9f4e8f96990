use super::{clocks::Clocks, message::Message};
use crate::Hash;

/// So many messages with entries are being taken at a time: while one is stored, the next is checked, and one more read.
const TAKING: usize = 3;

/// One side of an exchange between two nodes of this kind about one database, after which both have what either had.
///
/// Both tell their heads. Who lacks some of the other's asks for them, and says how much it has of each identity; the other sends
/// the difference. Both end by telling their heads anew. It does no I/O: it is told what the peer says, and tells what is to be done.
#[derive(Debug)]
pub(super) struct Exchange {
    heads: Vec<Hash>,
    theirs: Option<Vec<Hash>>,
    /// Was something asked for here, and has all of it come?
    wanted: bool,
    ended: bool,
    /// How many messages with entries are being taken.
    taking: usize,
    /// Has the peer asked for something?
    asked: bool,
    /// Has everything come that was asked for, and was that told?
    complete: bool,
    done: bool,
    outcome: Option<Outcome>,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Say this.
    Say(Message),
    /// Find out what the peer lacks that has these heads and clocks, of what these of ours stand for; send it, and say the end.
    Supply { lacks: Vec<Hash>, theirs: Vec<Hash>, clocks: Clocks },
    /// Take these, and tell: [`Exchange::taken`].
    Take { identities: Vec<Vec<u8>>, entries: Vec<Vec<u8>> },
    /// Nothing.
    Wait,
}

/// How an exchange has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    /// The heads of the peer.
    pub(super) heads: Vec<Hash>,
    /// Does the peer have everything that was in the log here when the exchange began?
    pub(super) joined: bool,
}

/// The peer says something that has no place there, or nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;

impl Exchange {
    /// Begins one, of a log with these heads, by saying so.
    pub(super) fn begin(heads: Vec<Hash>) -> (Exchange, Message) {
        let say = Message::Heads(heads.clone());
        let (wanted, ended, asked, complete, done) = (false, false, false, false, false);
        (Exchange { heads, theirs: None, wanted, ended, taking: 0, asked, complete, done, outcome: None }, say)
    }

    /// The peer says something. `lacking` are those of its heads that have to be fetched, and `clocks` those of the log.
    pub(super) fn heard<E>(
        &mut self,
        message: Message,
        lacking: impl FnOnce(&[Hash]) -> Result<Vec<Hash>, E>,
        clocks: impl FnOnce() -> Result<Clocks, E>,
    ) -> Result<Result<Step, Broken>, E> {
        Ok(match (message, &self.theirs) {
            (Message::Heads(theirs), None) => {
                let lacks = lacking(&theirs)?;
                self.theirs = Some(theirs);
                self.wanted = !lacks.is_empty();
                self.complete = !self.wanted;
                Ok(if self.wanted { Step::Say(Message::Want { lacks, clocks: clocks()? }) } else { Step::Wait })
            }
            (Message::Want { mut lacks, clocks }, Some(theirs)) if !self.asked => {
                self.asked = true;
                // whoever lacks more than was told lacks something else
                lacks.retain(|hash| self.heads.contains(hash));
                Ok(Step::Supply { lacks, theirs: theirs.clone(), clocks })
            }
            (Message::Entries { identities, entries }, _) if self.wanted && !self.ended && !entries.is_empty() => {
                self.taking += 1;
                Ok(Step::Take { identities, entries })
            }
            (Message::Looking, _) if self.wanted && !self.ended => Ok(Step::Wait),
            (Message::End, _) if self.wanted && !self.ended => {
                (self.ended, self.complete) = (true, true);
                Ok(Step::Wait)
            }
            (Message::Done { heads, joined }, Some(_)) if self.outcome.is_none() => {
                self.outcome = Some(Outcome { heads, joined });
                Ok(Step::Wait)
            }
            _ => Err(Broken),
        })
    }

    /// May the peer be heard? Not while a good deal of what it has said is being taken.
    pub(super) fn listens(&self) -> bool {
        self.taking < TAKING
    }

    /// Some of what came was taken.
    pub(super) fn taken(&mut self) {
        self.taking -= 1;
    }

    /// Once, when everything has come and was taken: what the peer's heads were, if the heads of now are to be told.
    pub(super) fn is_complete(&self) -> Option<&[Hash]> {
        self.theirs.as_deref().filter(|_| self.complete && !self.done && self.taking == 0)
    }

    /// The log has these heads now; `joined`: are those of the peer among what it has?
    pub(super) fn settled(&mut self, heads: Vec<Hash>, joined: bool) -> Message {
        self.done = true;
        Message::Done { heads, joined }
    }

    /// How it has ended, once both sides are done.
    pub(super) fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref().filter(|_| self.done)
    }
}
