//! [`Events`]: what an events log says, in memory.

use crate::{EventRange, Hash, Log, Op, UnknownBound, event_range::EventStart};
use debros_core::Value;
use std::convert::Infallible;

/// The events of a log: the values of its entries whose payload is an ADD. Other payloads mean nothing.
///
/// ```
/// use debros_orbit::{Address, EventRange, Events, Hash, Identity, Log, Payload, SigningKey};
///
/// let me = Identity::new(&SigningKey::generate()?, SigningKey::generate()?);
/// let mut log = Log::new(Address::of(Hash::of(b"a manifest")));
/// let one = log.append(&me, Payload::add("one".into()).into_value(), 16)?;
/// log.append(&me, Payload::add("two".into()).into_value(), 16)?;
/// log.append(&me, Payload::add("three".into()).into_value(), 16)?;
///
/// let events = Events::of(&log);
/// let after_one: Vec<_> = events.read(&EventRange::all().gt(one))?.map(|event| event.value).collect();
/// assert_eq!(after_one, ["three".into(), "two".into()]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Events<'l> {
    log: &'l Log,
}

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The entry that added it.
    pub hash: Hash,
    /// What was added.
    pub value: Value,
}

impl<'l> Events<'l> {
    /// The events of a log.
    pub fn of(log: &'l Log) -> Events<'l> {
        Events { log }
    }

    /// The event of an entry.
    pub fn get(&self, hash: &Hash) -> Option<Event> {
        let payload = self.log.payload(hash).filter(|payload| payload.op == Op::Add)?;
        Some(Event { hash: *hash, value: payload.value })
    }

    /// All events, oldest first.
    pub fn all(&self) -> Vec<Event> {
        let mut events: Vec<_> = self.log.walk(self.log.heads()).filter_map(|hash| self.get(&hash)).collect();
        events.reverse();
        events
    }

    /// The events within a range, newest first.
    ///
    /// # Errors
    /// If the log does not have an entry that bounds the range.
    pub fn read(&self, range: &EventRange) -> Result<impl Iterator<Item = Event> + use<'l>, UnknownBound> {
        if let Some(unknown) = range.bounds().find(|bound| self.log.get(bound).is_none()) {
            return Err(UnknownBound(unknown));
        }
        let roots = match range.start() {
            EventStart::Heads => self.log.heads().to_vec(),
            EventStart::With(entry) => vec![entry],
            EventStart::Behind(entry) => self.log.get(&entry).map_or_else(Vec::new, |entry| entry.next().to_vec()),
        };
        let events = *self;
        let walk = self.log.walk(&roots).map(move |hash| Ok::<_, Infallible>((hash, events.get(&hash))));
        Ok(range.select(walk).map(|event| match event {
            Ok(event) => event,
            Err(never) => match never {},
        }))
    }
}
