//! The names of our pins: `debros/<family>.<address>/<data folder>-<number>`.

use crate::{Address, DatabaseInfo, DatabaseSpec};

/// Kubo takes names of at most 255 bytes; this leaves room for the rest.
const MAX_FAMILY: usize = 130;

/// What the names of a data folder's pins have in common, and no other name has.
pub(crate) fn of_folder(tag: &str) -> String {
    format!("/{tag}-")
}

/// The name of a shipment's pin.
pub(crate) fn of_shipment(info: &DatabaseInfo, tag: &str, number: u64) -> String {
    format!("debros/{}.{}/{tag}-{number}", family(&info.spec), info.address.manifest())
}

/// The name of the pin of the one root over a database's shipments.
pub(crate) fn of_root(info: &DatabaseInfo, tag: &str) -> String {
    format!("debros/{}.{}/{tag}-root", family(&info.spec), info.address.manifest())
}

/// The name of a pin that holds what is being taken over.
pub(crate) fn of_catching_up(spec: &DatabaseSpec, tag: &str) -> String {
    format!("debros/{}/{tag}-{CATCHING_UP}", family(spec))
}

const CATCHING_UP: &str = "catching-up";

/// Whether a pin of this data folder holds what is, or was, being taken over.
pub(crate) fn is_catching_up(name: &str, tag: &str) -> bool {
    let last = name.rsplit_once('/').and_then(|(_, last)| last.strip_prefix(tag)?.strip_prefix('-'));
    name.starts_with("debros/") && last == Some(CATCHING_UP)
}

fn family(spec: &DatabaseSpec) -> String {
    spec.family.chars().filter(char::is_ascii_graphic).take(MAX_FAMILY).collect()
}

/// The database of which a pin of this data folder holds something.
pub(crate) fn database(name: &str, tag: &str) -> Option<Address> {
    let (database, last) = name.strip_prefix("debros/")?.rsplit_once('/')?;
    last.strip_prefix(tag)?.strip_prefix('-')?;
    let (_, manifest) = database.rsplit_once('.')?;
    manifest.parse().ok().map(Address::of)
}

/// Whether a pin is one of this data folder's.
pub(crate) fn is_ours(name: &str, tag: &str) -> bool {
    let number = name.rsplit_once('/').and_then(|(_, last)| last.strip_prefix(tag)?.strip_prefix('-'));
    name.starts_with("debros/") && number.is_some_and(|number| number.parse::<u64>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::{database, is_catching_up, is_ours};
    use crate::{Address, Hash};

    #[test]
    fn only_shipments_of_the_folder_are_ours() {
        assert!(is_ours("debros/blog/Post.zdpu/00ff-12", "00ff"));
        for name in [
            "",
            "debros/blog/Post.zdpu/00ff-root",
            "debros/a/00fe-1",
            "other/00ff-1",
            "debros/a/00ff-1/x",
            "debros/a/100ff-1",
        ] {
            assert!(!is_ours(name, "00ff"), "{name}");
        }
        assert!(is_catching_up("debros/blog/Post/00ff-catching-up", "00ff"));
        assert!(!is_catching_up("debros/blog/Post/00fe-catching-up", "00ff"));
    }

    #[test]
    fn a_pin_of_the_folder_names_its_database() {
        let manifest = Hash::of(b"m");
        for name in [format!("debros/a.b/Post.{manifest}/00ff-12"), format!("debros/Post.{manifest}/00ff-root")] {
            assert_eq!(database(&name, "00ff"), Some(Address::of(manifest)), "{name}");
            assert_eq!(database(&name, "00fe"), None, "{name}");
        }
        for name in ["", "debros/a/Post.author/00ff-catching-up", "other/a.zdpu/00ff-1", "debros/a.zdpu/00ff-1"] {
            assert_eq!(database(name, "00ff"), None, "{name}");
        }
    }
}
