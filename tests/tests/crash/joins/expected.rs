//! [`Expected`]: what must be in a folder.

use crate::child::Child;
use std::collections::{BTreeMap, BTreeSet};

/// What must be in a folder.
#[derive(Default)]
pub(super) struct Expected {
    /// Written records: of each batch, how many.
    pub(super) written: BTreeMap<String, u64>,
    /// Entries that were taken, by chapter and place.
    pub(super) taken: BTreeSet<(u64, usize)>,
    /// Who may write, as far as it is known.
    pub(super) rights: [Option<bool>; 3],
    /// What was begun and not answered.
    pub(super) begun: Vec<String>,
}

impl Expected {
    pub(super) fn hear(&mut self, child: &Child) {
        self.begun.clear();
        for line in &child.said {
            let (word, operation) = line.split_once(' ').expect("two words");
            if word == "begin" {
                self.begun.push(operation.to_owned());
                continue;
            }
            self.begun.retain(|begun| begun != operation);
            let (what, with) = operation.split_once(' ').expect("an operation");
            match what {
                "write" => {
                    let (name, size) = with.split_once(' ').expect("a batch and its size");
                    self.written.insert(name.to_owned(), size.parse().expect("a number"));
                }
                "receive" => self.taken.extend(with.split(' ').map(entry_named)),
                right => self.rights[with.parse::<usize>().expect("a number")] = Some(right == "grant"),
            }
        }
        for begun in &self.begun {
            if let Some((_, who)) = begun.split_once(' ').filter(|(what, _)| ["grant", "revoke"].contains(what)) {
                self.rights[who.parse::<usize>().expect("a number")] = None;
            }
        }
    }
}

fn entry_named(name: &str) -> (u64, usize) {
    let (chapter, at) = name.split_once('.').expect("chapter and place");
    (chapter.parse().expect("a number"), at.parse().expect("a number"))
}
