use crate::KuboDaemon;
use debros_ipfs::{Cid, Kubo, KuboOptions};
use ipld_core::ipld::Ipld;
use std::collections::BTreeMap;

/// What a daemon holds of ours: what the pins named `debros/` lead to.
#[derive(Debug)]
pub struct Held {
    /// How many pins there are.
    pub pins: usize,
    /// Payloads of entries by the names of their blocks, and in how many lists each is.
    pub entries: BTreeMap<String, (Ipld, usize)>,
}

impl Held {
    /// Follows our pins from list to list and block to block, as anyone could.
    pub async fn by(daemon: &KuboDaemon) -> Held {
        let kubo = Kubo::new(KuboOptions::new(daemon.url())).expect("a client");
        let mut pins = kubo.pins_named("debros/").await.expect("the pins");
        // the root that was given away is over the others
        pins.retain(|pin| !pin.name.ends_with("-root"));
        let mut held = Held { pins: pins.len(), entries: BTreeMap::new() };
        let mut lists: Vec<Cid> = pins.iter().map(|pin| pin.cid).collect();
        while let Some(list) = lists.pop() {
            let Ipld::Map(list) = block(&kubo, &list).await else { panic!("{list} is no list") };
            let (Ipld::List(links), leaf) = (&list["links"], list["depth"] == Ipld::Integer(0)) else {
                panic!("no links: {list:?}")
            };
            for link in links {
                let Ipld::Link(cid) = link else { panic!("no link: {link:?}") };
                if !leaf {
                    lists.push(*cid);
                    continue;
                }
                // a list names blocks as bytes that nobody looks into
                assert_eq!(cid.codec(), 0x55);
                let cid = &Cid::new_v1(0x71, *cid.hash());
                if let Some((_, count)) = held.entries.get_mut(&cid.to_string()) {
                    *count += 1;
                } else if let Ipld::Map(entry) = block(&kubo, cid).await
                    && let Some(payload) = entry.get("payload")
                {
                    held.entries.insert(cid.to_string(), (payload.clone(), 1));
                }
            }
        }
        held
    }

    /// Each entry is in exactly one list.
    pub fn nothing_twice(&self) {
        let twice: Vec<_> = self.entries.iter().filter(|(_, (_, count))| *count != 1).collect();
        assert!(twice.is_empty(), "in more than one list: {twice:?}");
    }

    /// The records with these numbers are there and no others, each entry in exactly one list.
    pub fn has_once(&self, numbers: std::ops::Range<i64>) {
        self.nothing_twice();
        let mut found: Vec<i64> = self.entries.values().map(|(payload, _)| number_of(payload)).collect();
        found.sort_unstable();
        assert_eq!(found, numbers.collect::<Vec<_>>());
    }
}

async fn block(kubo: &Kubo, cid: &Cid) -> Ipld {
    let bytes = kubo.block_get_local(cid).await.expect("it is asked").expect("it is held");
    serde_ipld_dagcbor::from_slice(&bytes).expect("DAG-CBOR")
}

/// The field `number` of the record that an entry puts.
pub fn number_of(payload: &Ipld) -> i64 {
    let Ok(Some(Ipld::Map(record))) = payload.get("value") else { panic!("no record: {payload:?}") };
    let Ipld::Integer(number) = record["number"] else { panic!("no number: {record:?}") };
    i64::try_from(number).expect("a small number")
}
