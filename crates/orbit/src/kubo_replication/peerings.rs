use debros_ipfs::Kubo;
use std::collections::{HashMap, HashSet};
use tokio::sync::watch;

/// The daemons with whom a connection is to stay, by their peer ids, and where they are.
pub(super) type Staying = HashMap<String, Vec<String>>;

/// Has the daemon stay connected to others, and to no more than are wanted. What its operator has entered is left as it is.
pub(super) struct Peerings {
    kubo: Kubo,
    /// What the daemon was told of here.
    ours: Staying,
}

/// What the daemon is to be told.
#[derive(Debug, Default, PartialEq, Eq)]
struct Changes {
    remove: Vec<String>,
    add: Vec<String>,
}

impl Peerings {
    pub(super) fn new(kubo: Kubo) -> Peerings {
        Peerings { kubo, ours: Staying::new() }
    }

    /// Goes on until nobody wants any; then those of ours are removed.
    pub(super) async fn run(mut self, mut wanted: watch::Receiver<Staying>) {
        while wanted.changed().await.is_ok() {
            let staying = wanted.borrow_and_update().clone();
            self.become_those(&staying).await;
        }
        self.become_those(&Staying::new()).await;
    }

    async fn become_those(&mut self, wanted: &Staying) {
        if wanted.is_empty() && self.ours.is_empty() {
            return;
        }
        // a daemon that does not answer is told when it is there again
        let Ok(listed) = self.kubo.swarm_peering_ls().await else { return };
        let Changes { remove, add } = changes(wanted, &self.ours, &listed.into_iter().collect());
        for peer in remove {
            // what is not there any more need not be removed
            let _ = self.kubo.swarm_peering_rm(&peer).await;
            self.ours.remove(&peer);
        }
        for peer in add {
            let addresses = &wanted[&peer];
            // what it does not take is no address that it could dial
            if self.kubo.swarm_peering_add(addresses).await.is_ok() {
                self.ours.insert(peer, addresses.clone());
            }
        }
    }
}

/// What makes of those that the daemon lists, some of which are ours, those that are wanted.
fn changes(wanted: &Staying, ours: &Staying, listed: &HashSet<String>) -> Changes {
    let mut changes = Changes {
        remove: ours.keys().filter(|peer| !wanted.contains_key(*peer)).cloned().collect(),
        add: wanted
            .iter()
            .filter(|(peer, addresses)| match ours.get(*peer) {
                Some(before) => before != *addresses || !listed.contains(*peer),
                None => !listed.contains(*peer),
            })
            .map(|(peer, _)| peer.clone())
            .collect(),
    };
    changes.remove.sort_unstable();
    changes.add.sort_unstable();
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn staying(all: &[(&str, &[&str])]) -> Staying {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        all.iter().map(|(peer, addresses)| ((*peer).to_owned(), owned(addresses))).collect()
    }

    #[test]
    fn what_the_operator_has_entered_is_left_alone() {
        let listed: HashSet<String> = ["operator's", "ours", "left"].map(str::to_owned).into();
        let ours = staying(&[("ours", &["1"]), ("left", &["1"]), ("forgotten", &["1"])]);
        let wanted = staying(&[("operator's", &["2"]), ("ours", &["1"]), ("forgotten", &["1"]), ("new", &["1", "2"])]);
        let told = changes(&wanted, &ours, &listed);
        assert_eq!(told, Changes { remove: vec!["left".into()], add: vec!["forgotten".into(), "new".into()] });
        // they are elsewhere now
        let told = changes(&staying(&[("ours", &["2"])]), &staying(&[("ours", &["1"])]), &listed);
        assert_eq!(told, Changes { remove: vec![], add: vec!["ours".into()] });
        // and at the end only ours go
        let told = changes(&Staying::new(), &staying(&[("ours", &["1"])]), &listed);
        assert_eq!(told, Changes { remove: vec!["ours".into()], add: vec![] });
    }
}
