//! [`JournalOp`]: what the journal records.

use crate::{AccessSpec, DatabaseId, DatabaseSpec, Hash, Hold, effect::Effect, encoder::Encoder, shipping::Shipment};
use ciborium::Value as Cbor;
use debros_core::Value;
use debros_ipfs::Place;

/// One thing that happened on this node. State follows from these, in their order, and from the blocks beside them, and
/// from nothing else.
///
/// In the journal an operation is a CBOR array whose first item is the number of its kind. A kind never changes its
/// meaning; later versions add kinds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum JournalOp {
    /// 1: a database was opened for the first time, and has this number from now on.
    DatabaseOpened { id: DatabaseId, manifest: Hash, spec: DatabaseSpec },
    /// 2: an identity was checked; its block is this one of the group.
    IdentityAdded { block: u32 },
    /// 3: an entry was checked and joined the log of a database; its block is this one of the group.
    EntryAccepted { database: DatabaseId, block: u32, effect: Effect },
    /// 4: a Kubo daemon (its peer id) confirmed that it holds and pins shipments: the new ones stand for `replaced`, or
    /// for what lies before `until`, where so many entries are.
    Shipped { daemon: String, until: Option<(Place, u64)>, added: Vec<Shipment>, replaced: Vec<u64> },
    /// 5: a daemon has lost shipments of these databases: what of them lies before `until` is to be shipped once more.
    ShipmentsLost { daemon: String, databases: Vec<DatabaseId>, until: Place },
    /// 6: of what a daemon had lost it has everything before this place again; all of it, without one.
    ShippedAgain { daemon: String, until: Option<Place>, added: Vec<Shipment> },
    /// 7: an entry was received and is held back; its block is this one of the group.
    EntryHeld { database: DatabaseId, block: u32, held: HeldOp, lacks: Lacks },
    /// 8: an entry that was held back has joined.
    EntryReleased { database: DatabaseId, hash: Hash, effect: Effect },
    /// 9: an entry that is held back was judged again. Without a reason it is forgotten: it is not listed any more, and
    /// judged as a new one when it is received again.
    HoldChanged { database: DatabaseId, hash: Hash, held: Option<(HeldOp, Lacks)> },
    /// 10: who may write a database is decided otherwise from now on, by a rule of the application's own.
    RightsChanged { database: DatabaseId },
    /// 11: the payloads of these entries of a log can be decrypted now.
    EntriesRead { database: DatabaseId, entries: Vec<(Hash, Effect)> },
    /// 12: an entry that is held back was judged again, and nothing has changed.
    HoldKept { database: DatabaseId, hash: Hash },
    /// 13: a database is being dropped: what of its log lies before this block of the group is in it no more.
    DatabaseDropped { database: DatabaseId, block: u32 },
    /// 14: so many rows of a database that is being dropped were taken away; fewer, if there were not so many, and then it is
    /// gone.
    RowsDropped { database: DatabaseId, most: u32 },
    /// 15: a database that was dropped was opened again.
    DatabaseReopened { database: DatabaseId },
    /// 16: of these segments everything was taken out that was dead, so many bytes; or it was begun: the list is empty.
    SegmentsRewritten { segments: Vec<(u32, u64)> },
    /// 17: these databases were dropped, and a daemon pins nothing of them any more.
    Unpinned { daemon: String, databases: Vec<DatabaseId> },
}

/// What is known of an entry that is held back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeldOp {
    pub(crate) hold: Hold,
    /// Does an entry build on it that may join?
    pub(crate) needed: bool,
    /// When it was received, in milliseconds since 1970.
    pub(crate) since: u64,
    /// The peer from which it came.
    pub(crate) from: String,
}

/// What was not here when an entry was judged. It is recorded, as what is here cannot be told again when the journal is
/// replayed: then the blocks of the whole group are there from its beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lacks {
    /// Of the entries that it follows or refers to.
    pub(crate) entries: Vec<Hash>,
    /// Of the heads of when its user's right was revoked.
    pub(crate) frontier: Vec<Hash>,
}

/// Why an operation of the journal is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JournalOpError {
    #[error(
        "the journal holds an operation of kind {0}, which this version does not know: the data folder was written by a newer version; use that"
    )]
    Newer(u64),
    #[error("an operation of the journal is damaged: {0}")]
    Damaged(&'static str),
}

impl JournalOp {
    /// The database that it is about, if it is about one.
    pub(crate) fn database(&self) -> Option<DatabaseId> {
        match self {
            JournalOp::DatabaseOpened { id: database, .. }
            | JournalOp::EntryAccepted { database, .. }
            | JournalOp::EntryHeld { database, .. }
            | JournalOp::EntryReleased { database, .. }
            | JournalOp::HoldChanged { database, .. }
            | JournalOp::HoldKept { database, .. }
            | JournalOp::RightsChanged { database }
            | JournalOp::EntriesRead { database, .. }
            | JournalOp::DatabaseDropped { database, .. }
            | JournalOp::RowsDropped { database, .. }
            | JournalOp::DatabaseReopened { database } => Some(*database),
            JournalOp::IdentityAdded { .. }
            | JournalOp::Shipped { .. }
            | JournalOp::ShipmentsLost { .. }
            | JournalOp::ShippedAgain { .. }
            | JournalOp::SegmentsRewritten { .. }
            | JournalOp::Unpinned { .. } => None,
        }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let places = |place: &Option<Place>| place.map_or(Cbor::Null, |place| Cbor::Bytes(place.to_bytes().to_vec()));
        let shipments = |all: &[Shipment]| Cbor::Array(all.iter().map(shipment_to_cbor).collect());
        let numbers = |all: &[DatabaseId]| Cbor::Array(all.iter().map(|database| Cbor::from(database.0)).collect());
        let items = match self {
            // by far the most frequent, so without a detour over values
            JournalOp::EntryAccepted { database, block, effect } => {
                let mut encoder = Encoder::with_capacity(26);
                encoder.array(4).uint(3).uint(database.0.into()).uint((*block).into()).bytes(&effect.to_bytes());
                return encoder.finish();
            }
            JournalOp::IdentityAdded { block } => vec![Cbor::from(2), Cbor::from(*block)],
            JournalOp::DatabaseOpened { id, manifest, spec } => vec![
                Cbor::from(1),
                Cbor::from(id.0),
                Cbor::Bytes(manifest.digest().to_vec()),
                Cbor::from(spec.name.as_str()),
                Cbor::from(spec.kind.word()),
                match &spec.access {
                    AccessSpec::Ipfs { write } => Cbor::Array(vec![texts(write)]),
                    AccessSpec::Orbitdb { name, admins } => Cbor::Array(vec![texts(admins), Cbor::from(name.as_str())]),
                    AccessSpec::Custom { kind, parameters } => {
                        Cbor::Array(vec![Cbor::Bytes(parameters.clone()), Cbor::from(kind.as_str())])
                    }
                },
                Cbor::from(spec.family.as_str()),
                Cbor::Bytes(spec.tag.clone()),
                spec.meta.as_ref().map_or(Cbor::Null, |meta| Cbor::Bytes(meta.to_dag_cbor().unwrap_or_default())),
            ],
            JournalOp::Shipped { daemon, until, added, replaced } => vec![
                Cbor::from(4),
                Cbor::from(daemon.as_str()),
                places(&until.map(|(place, _)| place)),
                Cbor::from(until.map_or(0, |(_, entries)| entries)),
                shipments(added),
                Cbor::Array(replaced.iter().map(|number| Cbor::from(*number)).collect()),
            ],
            JournalOp::ShipmentsLost { daemon, databases, until } => {
                vec![Cbor::from(5), Cbor::from(daemon.as_str()), numbers(databases), places(&Some(*until))]
            }
            JournalOp::ShippedAgain { daemon, until, added } => {
                vec![Cbor::from(6), Cbor::from(daemon.as_str()), places(until), shipments(added)]
            }
            JournalOp::EntryHeld { database, block, held, lacks } => {
                vec![Cbor::from(7), Cbor::from(database.0), Cbor::from(*block), held_to_cbor(held, lacks)]
            }
            JournalOp::EntryReleased { database, hash, effect } => vec![
                Cbor::from(8),
                Cbor::from(database.0),
                Cbor::Bytes(hash.digest().to_vec()),
                Cbor::Bytes(effect.to_bytes()),
            ],
            JournalOp::HoldChanged { database, hash, held } => vec![
                Cbor::from(9),
                Cbor::from(database.0),
                Cbor::Bytes(hash.digest().to_vec()),
                held.as_ref().map_or(Cbor::Null, |(held, lacks)| held_to_cbor(held, lacks)),
            ],
            JournalOp::RightsChanged { database } => vec![Cbor::from(10), Cbor::from(database.0)],
            JournalOp::EntriesRead { database, entries } => {
                let (hashes, effects): (Vec<Hash>, Vec<Effect>) = entries.iter().copied().unzip();
                let effects = effects.into_iter().map(|effect| Cbor::Bytes(effect.to_bytes())).collect();
                vec![Cbor::from(11), Cbor::from(database.0), digests(&hashes), Cbor::Array(effects)]
            }
            JournalOp::DatabaseDropped { database, block } => {
                vec![Cbor::from(13), Cbor::from(database.0), Cbor::from(*block)]
            }
            JournalOp::RowsDropped { database, most } => {
                vec![Cbor::from(14), Cbor::from(database.0), Cbor::from(*most)]
            }
            JournalOp::DatabaseReopened { database } => vec![Cbor::from(15), Cbor::from(database.0)],
            JournalOp::SegmentsRewritten { segments } => {
                let segments =
                    segments.iter().map(|(segment, dead)| Cbor::Array(vec![Cbor::from(*segment), Cbor::from(*dead)]));
                vec![Cbor::from(16), Cbor::Array(segments.collect())]
            }
            JournalOp::HoldKept { database, hash } => {
                vec![Cbor::from(12), Cbor::from(database.0), Cbor::Bytes(hash.digest().to_vec())]
            }
            JournalOp::Unpinned { daemon, databases } => {
                vec![Cbor::from(17), Cbor::from(daemon.as_str()), numbers(databases)]
            }
        };
        let mut bytes = Vec::new();
        let written = ciborium::into_writer(&Cbor::Array(items), &mut bytes);
        written.expect("writing to memory does not fail, and these values have a form in CBOR");
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<JournalOp, JournalOpError> {
        let damaged = JournalOpError::Damaged;
        let op: Cbor = ciborium::from_reader(bytes).map_err(|_| damaged("it is no CBOR"))?;
        let mut items = op.into_array().map_err(|_| damaged("it is no array"))?.into_iter();
        let mut next = || items.next().ok_or(damaged("an item is missing"));
        let op = match number::<u64>(next()?)? {
            1 => JournalOp::DatabaseOpened {
                id: DatabaseId(number(next()?)?),
                manifest: hash(next()?)?,
                spec: DatabaseSpec {
                    name: text(next()?)?,
                    kind: text(next()?)?.parse().map_err(|_| damaged("a database is of an unknown type"))?,
                    access: access(next()?)?,
                    family: text(next()?)?,
                    tag: bytes_of(next()?)?,
                    // folders of before there was one have none
                    meta: next().ok().filter(|meta| !meta.is_null()).map(meta).transpose()?,
                },
            },
            2 => JournalOp::IdentityAdded { block: number(next()?)? },
            3 => JournalOp::EntryAccepted {
                database: DatabaseId(number(next()?)?),
                block: number(next()?)?,
                effect: effect(items.next())?,
            },
            4 => {
                let (daemon, until, entries) = (text(next()?)?, place(next()?)?, number(next()?)?);
                let added = list(next()?)?.into_iter().map(shipment).collect::<Result<_, _>>()?;
                let replaced = list(next()?)?.into_iter().map(number).collect::<Result<_, _>>()?;
                JournalOp::Shipped { daemon, until: until.map(|place| (place, entries)), added, replaced }
            }
            5 => JournalOp::ShipmentsLost {
                daemon: text(next()?)?,
                databases: databases(next()?)?,
                until: place(next()?)?.ok_or(damaged("a place is missing"))?,
            },
            6 => JournalOp::ShippedAgain {
                daemon: text(next()?)?,
                until: place(next()?)?,
                added: list(next()?)?.into_iter().map(shipment).collect::<Result<_, _>>()?,
            },
            7 => {
                let (database, block) = (DatabaseId(number(next()?)?), number(next()?)?);
                let (held, lacks) = held(next()?)?;
                JournalOp::EntryHeld { database, block, held, lacks }
            }
            8 => JournalOp::EntryReleased {
                database: DatabaseId(number(next()?)?),
                hash: hash(next()?)?,
                effect: effect(items.next())?,
            },
            9 => JournalOp::HoldChanged {
                database: DatabaseId(number(next()?)?),
                hash: hash(next()?)?,
                held: Some(next()?).filter(|value| !value.is_null()).map(held).transpose()?,
            },
            10 => JournalOp::RightsChanged { database: DatabaseId(number(next()?)?) },
            11 => {
                let (database, hashes) = (DatabaseId(number(next()?)?), hashes(next()?)?);
                let effects: Vec<Cbor> = items.next().map_or(Ok(Vec::new()), list)?;
                if effects.len() != hashes.len() {
                    return Err(NO_EFFECT);
                }
                let entries = hashes.into_iter().zip(effects).map(|(hash, did)| Ok((hash, effect(Some(did))?)));
                JournalOp::EntriesRead { database, entries: entries.collect::<Result<_, _>>()? }
            }
            12 => JournalOp::HoldKept { database: DatabaseId(number(next()?)?), hash: hash(next()?)? },
            13 => JournalOp::DatabaseDropped { database: DatabaseId(number(next()?)?), block: number(next()?)? },
            14 => JournalOp::RowsDropped { database: DatabaseId(number(next()?)?), most: number(next()?)? },
            15 => JournalOp::DatabaseReopened { database: DatabaseId(number(next()?)?) },
            16 => {
                let segments = list(next()?)?.into_iter().map(|rewritten| {
                    let [segment, dead]: [Cbor; 2] = list(rewritten)?
                        .try_into()
                        .map_err(|_| damaged("a rewritten segment is not described by two items"))?;
                    Ok((number(segment)?, number(dead)?))
                });
                JournalOp::SegmentsRewritten { segments: segments.collect::<Result<_, _>>()? }
            }
            17 => JournalOp::Unpinned { daemon: text(next()?)?, databases: databases(next()?)? },
            newer => return Err(JournalOpError::Newer(newer)),
        };
        if items.next().is_some() { Err(damaged("it has too many items")) } else { Ok(op) }
    }
}

/// As in folders of before the journal said it, which no version that was released has made.
const NO_EFFECT: JournalOpError = JournalOpError::Damaged(
    "it does not say what an entry changed; if an early version has made the folder, make a new one and replicate into it",
);

fn effect(value: Option<Cbor>) -> Result<Effect, JournalOpError> {
    let effect = Effect::from_bytes(&bytes_of(value.ok_or(NO_EFFECT)?)?);
    effect.ok_or(JournalOpError::Damaged("what an entry changed is unreadable"))
}

fn texts(texts: &[String]) -> Cbor {
    Cbor::Array(texts.iter().map(|text| Cbor::from(text.as_str())).collect())
}

fn number<N: TryFrom<i128>>(value: Cbor) -> Result<N, JournalOpError> {
    let number = value.into_integer().ok().and_then(|integer| N::try_from(i128::from(integer)).ok());
    number.ok_or(JournalOpError::Damaged("a number is missing or out of range"))
}

fn text(value: Cbor) -> Result<String, JournalOpError> {
    value.into_text().map_err(|_| JournalOpError::Damaged("a text is missing"))
}

fn bytes_of(value: Cbor) -> Result<Vec<u8>, JournalOpError> {
    value.into_bytes().map_err(|_| JournalOpError::Damaged("bytes are missing"))
}

fn hash(value: Cbor) -> Result<Hash, JournalOpError> {
    let digest = bytes_of(value)?.try_into();
    digest.map(Hash::from_digest).map_err(|_| JournalOpError::Damaged("a hash is not of 32 bytes"))
}

fn held_to_cbor(held: &HeldOp, lacks: &Lacks) -> Cbor {
    let (kind, more) = held.hold.to_parts();
    Cbor::Array(vec![
        Cbor::from(kind),
        Cbor::Bytes(more.to_vec()),
        Cbor::from(held.needed),
        Cbor::from(held.since),
        Cbor::from(held.from.as_str()),
        digests(&lacks.entries),
        digests(&lacks.frontier),
    ])
}

fn digests(hashes: &[Hash]) -> Cbor {
    Cbor::Bytes(hashes.iter().flat_map(|hash| hash.digest().iter().copied()).collect())
}

fn held(value: Cbor) -> Result<(HeldOp, Lacks), JournalOpError> {
    let damaged = JournalOpError::Damaged;
    let items: [Cbor; 7] =
        list(value)?.try_into().map_err(|_| damaged("what is held back is not described by seven items"))?;
    let [kind, more, needed, since, from, entries, frontier] = items;
    let hold = Hold::from_parts(number(kind)?, &bytes_of(more)?);
    let held = HeldOp {
        hold: hold.ok_or(damaged("the reason for holding an entry back is unknown"))?,
        needed: needed.into_bool().map_err(|_| damaged("a truth value is missing"))?,
        since: number(since)?,
        from: text(from)?,
    };
    Ok((held, Lacks { entries: hashes(entries)?, frontier: hashes(frontier)? }))
}

fn databases(value: Cbor) -> Result<Vec<DatabaseId>, JournalOpError> {
    list(value)?.into_iter().map(|id| number(id).map(DatabaseId)).collect()
}

fn hashes(value: Cbor) -> Result<Vec<Hash>, JournalOpError> {
    let bytes = bytes_of(value)?;
    let (digests, rest) = bytes.as_chunks::<32>();
    match rest.is_empty() {
        true => Ok(digests.iter().map(|digest| Hash::from_digest(*digest)).collect()),
        false => Err(JournalOpError::Damaged("hashes are not of 32 bytes")),
    }
}

fn list(value: Cbor) -> Result<Vec<Cbor>, JournalOpError> {
    value.into_array().map_err(|_| JournalOpError::Damaged("a list is missing"))
}

fn place(value: Cbor) -> Result<Option<Place>, JournalOpError> {
    if value.is_null() {
        return Ok(None);
    }
    Place::from_bytes(&bytes_of(value)?).map(Some).ok_or(JournalOpError::Damaged("a place is not of 48 bytes"))
}

fn shipment_to_cbor(shipment: &Shipment) -> Cbor {
    Cbor::Array(vec![
        Cbor::from(shipment.database.0),
        Cbor::from(shipment.number),
        Cbor::from(shipment.level),
        Cbor::from(shipment.first),
        Cbor::Bytes(shipment.root.digest().to_vec()),
        Cbor::from(shipment.depth),
        Cbor::from(shipment.blocks),
    ])
}

fn shipment(value: Cbor) -> Result<Shipment, JournalOpError> {
    let damaged = JournalOpError::Damaged;
    let mut items = list(value)?.into_iter();
    let mut next = || items.next().ok_or(damaged("an item of a shipment is missing"));
    let shipment = Shipment {
        database: DatabaseId(number(next()?)?),
        number: number(next()?)?,
        level: number(next()?)?,
        first: number(next()?)?,
        root: hash(next()?)?,
        depth: number(next()?)?,
        blocks: number(next()?)?,
    };
    if items.next().is_some() { Err(damaged("a shipment has too many items")) } else { Ok(shipment) }
}

fn meta(value: Cbor) -> Result<Value, JournalOpError> {
    Value::from_dag_cbor(&bytes_of(value)?).map_err(|_| JournalOpError::Damaged("the meta of a manifest is unreadable"))
}

fn access(value: Cbor) -> Result<AccessSpec, JournalOpError> {
    let mut items = list(value)?.into_iter();
    let first = items.next().unwrap_or(Cbor::Null);
    if first.is_bytes() {
        let parameters = bytes_of(first)?;
        return Ok(AccessSpec::Custom { kind: text(items.next().unwrap_or(Cbor::Null))?, parameters });
    }
    let ids = list(first)?.into_iter().map(text).collect::<Result<Vec<_>, _>>()?;
    Ok(match items.next() {
        None => AccessSpec::Ipfs { write: ids },
        Some(name) => AccessSpec::Orbitdb { name: text(name)?, admins: ids },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DatabaseKind, effect::Did};
    use debros_ipfs::Position;

    fn ops() -> Vec<JournalOp> {
        let spec = |access| DatabaseSpec {
            name: "päivä".to_owned(),
            kind: DatabaseKind::Documents,
            access,
            family: "Post".to_owned(),
            tag: vec![0, 255],
            meta: Some(Value::from("of")),
        };
        let opened =
            |id, access| JournalOp::DatabaseOpened { id: DatabaseId(id), manifest: Hash::of(b"m"), spec: spec(access) };
        let place = Place::from_bytes(&[7; 48]).expect("48 bytes are a place");
        let (database, root) = (DatabaseId(4), Hash::of(b"root"));
        let held = |hold, needed| HeldOp { hold, needed, since: 1_700_000_000_000, from: "12D3".to_owned() };
        let lacks = Lacks { entries: vec![root, Hash::of(b"other")], frontier: vec![root] };
        let former = Position { segment: 1, offset: 58, len: u32::MAX };
        let [put, deleted, nothing] = [Did::Put(Some(former)), Did::Deleted(former), Did::Nothing]
            .map(|did| Effect { did, local: did != Did::Nothing });
        let shipment = Shipment { database, number: 77, level: 2, first: 9, root, depth: 1, blocks: 1_000 };
        vec![
            opened(0, AccessSpec::Ipfs { write: vec![] }),
            opened(u32::MAX, AccessSpec::Ipfs { write: vec!["*".to_owned(), "a".to_owned()] }),
            opened(7, AccessSpec::Orbitdb { name: "n".to_owned(), admins: vec!["a".to_owned()] }),
            opened(8, AccessSpec::Custom { kind: "own".to_owned(), parameters: vec![0xf6] }),
            JournalOp::IdentityAdded { block: 3 },
            JournalOp::EntryAccepted { database: DatabaseId(70_000), block: u32::MAX, effect: put },
            JournalOp::EntryAccepted { database, block: 0, effect: nothing },
            JournalOp::Shipped {
                daemon: "12D3".to_owned(),
                until: Some((place, 9)),
                added: vec![shipment, shipment],
                replaced: vec![1, u64::MAX],
            },
            JournalOp::Shipped { daemon: String::new(), until: None, added: vec![], replaced: vec![] },
            JournalOp::ShipmentsLost { daemon: "12D3".to_owned(), databases: vec![DatabaseId(3)], until: place },
            JournalOp::ShippedAgain { daemon: "12D3".to_owned(), until: Some(place), added: vec![shipment] },
            JournalOp::ShippedAgain { daemon: "12D3".to_owned(), until: None, added: vec![] },
            JournalOp::EntryHeld { database, block: 3, held: held(Hold::Missing, true), lacks: lacks.clone() },
            JournalOp::EntryHeld {
                database,
                block: 0,
                held: held(Hold::Refused { reason: "forged".to_owned() }, false),
                lacks: Lacks::default(),
            },
            JournalOp::EntryReleased { database, hash: root, effect: deleted },
            JournalOp::HoldChanged {
                database,
                hash: root,
                held: Some((held(Hold::Denied { user: "u".to_owned() }, true), lacks.clone())),
            },
            JournalOp::HoldChanged { database, hash: root, held: Some((held(Hold::Identity(root), true), lacks)) },
            JournalOp::HoldChanged { database, hash: root, held: None },
            JournalOp::RightsChanged { database },
            JournalOp::EntriesRead { database, entries: vec![(root, put), (Hash::of(b"other"), nothing)] },
            JournalOp::HoldKept { database, hash: root },
            JournalOp::DatabaseDropped { database, block: 3 },
            JournalOp::RowsDropped { database, most: u32::MAX },
            JournalOp::DatabaseReopened { database },
            JournalOp::SegmentsRewritten { segments: vec![] },
            JournalOp::SegmentsRewritten { segments: vec![(1, u64::MAX), (u32::MAX, 0)] },
            JournalOp::Unpinned { daemon: "12D3".to_owned(), databases: vec![DatabaseId(0), DatabaseId(u32::MAX)] },
        ]
    }

    #[test]
    fn ops_survive_bytes() {
        for op in ops() {
            assert_eq!(JournalOp::from_bytes(&op.to_bytes()), Ok(op));
        }
        let effect = Effect { did: Did::Put(None), local: true };
        let op = JournalOp::EntryAccepted { database: DatabaseId(1), block: 2, effect };
        assert_eq!(op.to_bytes(), [0x84, 3, 1, 2, 0x41, 3]);
    }

    #[test]
    fn a_journal_that_does_not_say_what_entries_changed_is_refused_with_a_sentence() {
        let digest = [&[0x58, 32][..], &[7; 32]].concat();
        for old in [vec![0x83, 3, 1, 2], [&[0x83, 8, 1][..], &digest].concat(), [&[0x83, 11, 1][..], &digest].concat()]
        {
            let error = JournalOp::from_bytes(&old).unwrap_err();
            assert!(error.to_string().contains("does not say what an entry changed"), "{error}");
        }
    }

    #[test]
    fn a_newer_kind_is_said_to_be_newer() {
        let error = JournalOp::from_bytes(&[0x82, 18, 0x61, b'x']).unwrap_err();
        assert_eq!(error, JournalOpError::Newer(18));
        assert!(error.to_string().contains("newer version"));
    }

    #[test]
    fn damage_is_an_error() {
        for op in ops() {
            let bytes = op.to_bytes();
            for len in 0..bytes.len() {
                assert!(JournalOp::from_bytes(&bytes[..len]).is_err());
            }
            let mut more = bytes.clone();
            more[0] += 1;
            more.push(0);
            assert!(JournalOp::from_bytes(&more).is_err());
        }
    }
}
