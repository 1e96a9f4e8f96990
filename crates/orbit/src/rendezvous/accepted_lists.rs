use super::{Rendezvous, RendezvousError};
use crate::{Node, PublicKey, small_file::SmallFile};
use debros_core::Timestamp;
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Mutex, PoisonError},
};

/// The file, in the data folder.
const FILE: &str = "rendezvous";
const FIRST_LINE: &str = "debros-accepted-lists 1";

/// When the newest list was issued that was accepted here, of each publisher and application. It is kept in a file:
///
/// ```text
/// debros-accepted-lists 1
/// 021ffd59… chat 2026-01-01T00:00:00Z
/// ```
pub(crate) struct AcceptedLists {
    /// Held while it is read and written.
    file: Mutex<SmallFile>,
}

impl AcceptedLists {
    pub(crate) fn of(folder: &Path) -> AcceptedLists {
        AcceptedLists { file: Mutex::new(SmallFile::new(folder.join(FILE))) }
    }

    /// Remembers a list, unless a newer one was accepted.
    fn accept(&self, list: &Rendezvous, publisher: &PublicKey) -> Result<(), RendezvousError> {
        // nothing in here panics halfway
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = |reason: String| RendezvousError::Memory { file: file.path().display().to_string(), reason };
        let text = file.read().map_err(|error| failed(error.to_string()))?;
        let mut newest = parse(&text).ok_or_else(|| failed("it is damaged; remove it".to_owned()))?;
        let key = (publisher.to_string(), list.application.clone());
        match newest.get(&key) {
            Some(newest) if list.issued < *newest => {
                return Err(RendezvousError::Older { issued: list.issued, newest: *newest });
            }
            Some(newest) if list.issued == *newest => return Ok(()),
            _ => drop(newest.insert(key, list.issued)),
        }
        let lines = newest.iter().map(|((publisher, name), issued)| format!("{publisher} {name} {issued}\n"));
        let text: String = [format!("{FIRST_LINE}\n")].into_iter().chain(lines).collect();
        file.replace(&text).map_err(|error| failed(error.to_string()))
    }
}

fn parse(text: &str) -> Option<BTreeMap<(String, String), Timestamp>> {
    let mut lines = text.lines();
    match lines.next() {
        None => return Some(BTreeMap::new()),
        Some(FIRST_LINE) => {}
        Some(_) => return None,
    }
    let entry = |line: &str| {
        let (publisher, rest) = line.split_once(' ')?;
        let (name, issued) = rest.split_once(' ')?;
        Some(((publisher.to_owned(), name.to_owned()), issued.parse().ok()?))
    };
    lines.map(entry).collect()
}

impl Node {
    /// Reads a list as [`Rendezvous::open`] does, and accepts it unless a newer one of its publisher was accepted before, for the same
    /// application: so nobody brings back peers that the publisher has taken off the list. That it was accepted lasts. Blocks, while
    /// that is written.
    ///
    /// # Errors
    /// See [`RendezvousError`].
    pub fn accept_rendezvous(
        &self,
        text: &[u8],
        application: &str,
        publisher: &PublicKey,
        now: Timestamp,
    ) -> Result<Rendezvous, RendezvousError> {
        let list = Rendezvous::open(text, application, publisher, now)?;
        self.lists().accept(&list, publisher)?;
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SigningKey;

    const PEER: &str = "/ip4/192.0.2.1/tcp/4001/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

    fn at(day: u32) -> Timestamp {
        format!("2026-01-{day:02}T00:00:00.{day:03}Z").parse().unwrap()
    }

    #[test]
    fn a_list_is_not_rolled_back_to_an_older_one() {
        let folder = tempfile::tempdir().unwrap();
        let [key, other] = [1, 2].map(|n| SigningKey::from_bytes(&[n; 32]).unwrap().public_key());
        let list = |application, day| Rendezvous::new(application, at(day), at(20), [PEER]).unwrap();
        let accept = |list: &Rendezvous, by| AcceptedLists::of(folder.path()).accept(list, by);
        accept(&list("chat", 3), &key).unwrap();
        // the same once more, and a newer one
        accept(&list("chat", 3), &key).unwrap();
        accept(&list("chat", 5), &key).unwrap();
        let older = accept(&list("chat", 3), &key).unwrap_err();
        assert_eq!(older, RendezvousError::Older { issued: at(3), newest: at(5) });
        assert!(older.to_string().contains("2026-01-05"), "{older}");
        // others, for themselves
        accept(&list("blog", 2), &key).unwrap();
        accept(&list("chat", 1), &other).unwrap();
        assert!(accept(&list("blog", 1), &key).is_err());
        assert!(accept(&list("chat", 4), &key).is_err());
        accept(&list("chat", 5), &key).unwrap();

        let path = folder.path().join(FILE);
        let whole = std::fs::read_to_string(&path).unwrap();
        for damage in ["x", "debros-accepted-lists 2\n", "debros-accepted-lists 1\nx\n", &whole[..whole.len() - 3]] {
            std::fs::write(&path, damage).unwrap();
            let error = accept(&list("chat", 9), &key).unwrap_err();
            assert!(matches!(&error, RendezvousError::Memory { .. }), "{error}");
            assert!(error.to_string().contains("remove it"), "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), damage);
        }
    }
}
