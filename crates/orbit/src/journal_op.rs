//! [`JournalOp`]: what the journal records.

use crate::{AccessSpec, DatabaseId, DatabaseSpec, Hash, encoder::Encoder, shipping::Shipment};
use ciborium::Value as Cbor;
use debros_ipfs::Place;

/// One thing that happened on this node. State follows from these, in their order, and from the blocks beside them, and
/// from nothing else.
///
/// In the journal an operation is a CBOR array whose first item is the number of its kind. A kind never changes its
/// meaning; later versions add kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum JournalOp {
    /// 1: a database was opened for the first time, and has this number from now on.
    DatabaseOpened { id: DatabaseId, manifest: Hash, spec: DatabaseSpec },
    /// 2: an identity was checked; its block is this one of the group.
    IdentityAdded { block: u32 },
    /// 3: an entry was checked and joined the log of a database; its block is this one of the group.
    EntryAccepted { database: DatabaseId, block: u32 },
    /// 4: a Kubo daemon (its peer id) confirmed that it holds and pins shipments: the new ones stand for `replaced`, or
    /// for what lies before `until`, where so many entries are.
    Shipped { daemon: String, until: Option<(Place, u64)>, added: Vec<Shipment>, replaced: Vec<u64> },
    /// 5: a daemon has lost shipments of these databases: what of them lies before `until` is to be shipped once more.
    ShipmentsLost { daemon: String, databases: Vec<DatabaseId>, until: Place },
    /// 6: of what a daemon had lost it has everything before this place again; all of it, without one.
    ShippedAgain { daemon: String, until: Option<Place>, added: Vec<Shipment> },
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
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let places = |place: &Option<Place>| place.map_or(Cbor::Null, |place| Cbor::Bytes(place.to_bytes().to_vec()));
        let shipments = |all: &[Shipment]| Cbor::Array(all.iter().map(shipment_to_cbor).collect());
        let items = match self {
            // by far the most frequent, so without a detour over values
            JournalOp::EntryAccepted { database, block } => {
                let mut encoder = Encoder::with_capacity(12);
                encoder.array(3).uint(3).uint(database.0.into()).uint((*block).into());
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
                },
                Cbor::from(spec.family.as_str()),
                Cbor::Bytes(spec.tag.clone()),
            ],
            JournalOp::Shipped { daemon, until, added, replaced } => vec![
                Cbor::from(4),
                Cbor::from(daemon.as_str()),
                places(&until.map(|(place, _)| place)),
                Cbor::from(until.map_or(0, |(_, entries)| entries)),
                shipments(added),
                Cbor::Array(replaced.iter().map(|number| Cbor::from(*number)).collect()),
            ],
            JournalOp::ShipmentsLost { daemon, databases, until } => vec![
                Cbor::from(5),
                Cbor::from(daemon.as_str()),
                Cbor::Array(databases.iter().map(|database| Cbor::from(database.0)).collect()),
                places(&Some(*until)),
            ],
            JournalOp::ShippedAgain { daemon, until, added } => {
                vec![Cbor::from(6), Cbor::from(daemon.as_str()), places(until), shipments(added)]
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
                manifest: Hash::from_digest(
                    bytes_of(next()?)?.try_into().map_err(|_| damaged("a hash is not of 32 bytes"))?,
                ),
                spec: DatabaseSpec {
                    name: text(next()?)?,
                    kind: text(next()?)?.parse().map_err(|_| damaged("a database is of an unknown type"))?,
                    access: access(next()?)?,
                    family: text(next()?)?,
                    tag: bytes_of(next()?)?,
                },
            },
            2 => JournalOp::IdentityAdded { block: number(next()?)? },
            3 => JournalOp::EntryAccepted { database: DatabaseId(number(next()?)?), block: number(next()?)? },
            4 => {
                let (daemon, until, entries) = (text(next()?)?, place(next()?)?, number(next()?)?);
                let added = list(next()?)?.into_iter().map(shipment).collect::<Result<_, _>>()?;
                let replaced = list(next()?)?.into_iter().map(number).collect::<Result<_, _>>()?;
                JournalOp::Shipped { daemon, until: until.map(|place| (place, entries)), added, replaced }
            }
            5 => JournalOp::ShipmentsLost {
                daemon: text(next()?)?,
                databases: list(next()?)?.into_iter().map(|id| number(id).map(DatabaseId)).collect::<Result<_, _>>()?,
                until: place(next()?)?.ok_or(damaged("a place is missing"))?,
            },
            6 => JournalOp::ShippedAgain {
                daemon: text(next()?)?,
                until: place(next()?)?,
                added: list(next()?)?.into_iter().map(shipment).collect::<Result<_, _>>()?,
            },
            newer => return Err(JournalOpError::Newer(newer)),
        };
        if items.next().is_some() { Err(damaged("it has too many items")) } else { Ok(op) }
    }
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
        root: Hash::from_digest(bytes_of(next()?)?.try_into().map_err(|_| damaged("a hash is not of 32 bytes"))?),
        depth: number(next()?)?,
        blocks: number(next()?)?,
    };
    if items.next().is_some() { Err(damaged("a shipment has too many items")) } else { Ok(shipment) }
}

fn access(value: Cbor) -> Result<AccessSpec, JournalOpError> {
    let mut items = list(value)?.into_iter();
    let ids = list(items.next().unwrap_or(Cbor::Null))?.into_iter().map(text).collect::<Result<Vec<_>, _>>()?;
    Ok(match items.next() {
        None => AccessSpec::Ipfs { write: ids },
        Some(name) => AccessSpec::Orbitdb { name: text(name)?, admins: ids },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DatabaseKind;

    fn ops() -> Vec<JournalOp> {
        let spec = |access| DatabaseSpec {
            name: "päivä".to_owned(),
            kind: DatabaseKind::Documents,
            access,
            family: "Post".to_owned(),
            tag: vec![0, 255],
        };
        let opened =
            |id, access| JournalOp::DatabaseOpened { id: DatabaseId(id), manifest: Hash::of(b"m"), spec: spec(access) };
        let place = Place::from_bytes(&[7; 48]).expect("48 bytes are a place");
        let (database, root) = (DatabaseId(4), Hash::of(b"root"));
        let shipment = Shipment { database, number: 77, level: 2, first: 9, root, depth: 1, blocks: 1_000 };
        vec![
            opened(0, AccessSpec::Ipfs { write: vec![] }),
            opened(u32::MAX, AccessSpec::Ipfs { write: vec!["*".to_owned(), "a".to_owned()] }),
            opened(7, AccessSpec::Orbitdb { name: "n".to_owned(), admins: vec!["a".to_owned()] }),
            JournalOp::IdentityAdded { block: 3 },
            JournalOp::EntryAccepted { database: DatabaseId(70_000), block: u32::MAX },
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
        ]
    }

    #[test]
    fn ops_survive_bytes() {
        for op in ops() {
            assert_eq!(JournalOp::from_bytes(&op.to_bytes()), Ok(op));
        }
        assert_eq!(JournalOp::EntryAccepted { database: DatabaseId(1), block: 2 }.to_bytes(), [0x83, 3, 1, 2]);
    }

    #[test]
    fn a_newer_kind_is_said_to_be_newer() {
        let error = JournalOp::from_bytes(&[0x82, 17, 0x61, b'x']).unwrap_err();
        assert_eq!(error, JournalOpError::Newer(17));
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
