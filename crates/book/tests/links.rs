//! The links of the book lead somewhere, and its summary is complete.

use debros_book::{anchors, blocks, links};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace")
}

fn pages(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(pages(&path));
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path.canonicalize().expect("it is there"));
        }
    }
    found.sort();
    found
}

/// Every link of a text that leads to no file or heading of the project; links to the web are not followed.
fn broken(page: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for link in links(text).into_iter().filter(|link| !link.target.contains("://")) {
        let (path, anchor) = match link.target.split_once('#') {
            Some((path, anchor)) => (path, Some(anchor)),
            None => (link.target, None),
        };
        let target = if path.is_empty() { page.to_owned() } else { page.with_file_name("").join(path) };
        let reached = target.exists()
            && anchor.is_none_or(|anchor| {
                let text = fs::read_to_string(&target).unwrap_or_default();
                anchors(&text).iter().any(|one| one == anchor)
            });
        if !reached {
            found.push(format!("{}:{}: {}", page.display(), link.line, link.target));
        }
    }
    found
}

#[test]
fn internal_links_resolve() {
    let root = root();
    let mut all = pages(&root.join("docs"));
    all.extend(["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(|name| root.join(name)));
    all.extend(pages(&root.join("examples")));
    let mut bad = Vec::new();
    for page in &all {
        bad.extend(broken(page, &fs::read_to_string(page).expect("a page")));
    }
    assert!(bad.is_empty(), "{bad:#?}");
}

#[test]
fn a_broken_link_is_found() {
    let page = root().join("README.md");
    let text = "[one](docs/none.md) [two](LICENSE-MIT) `[code](x)` [`three`](gone) [four](#no-such-heading)\n\n```text\n[block](y)\n```\n";
    let bad = broken(&page, text);
    assert_eq!(bad.len(), 3, "{bad:#?}");
}

#[test]
fn the_summary_lists_every_page_once() {
    let docs = root().join("docs").canonicalize().expect("docs");
    let text = fs::read_to_string(docs.join("SUMMARY.md")).expect("a summary");
    let listed: Vec<PathBuf> = links(&text).iter().map(|link| docs.join(link.target)).collect();
    let distinct: BTreeSet<PathBuf> = listed.iter().cloned().collect();
    assert_eq!(distinct.len(), listed.len(), "a page is listed twice");
    let there: BTreeSet<PathBuf> = pages(&docs).into_iter().filter(|page| !page.ends_with("SUMMARY.md")).collect();
    assert_eq!(distinct, there);
}

#[test]
fn every_block_says_what_it_is() {
    const KNOWN: [&str; 6] = ["rust", "output", "text", "sh", "toml", "json"];
    let root = root();
    let mut all = pages(&root.join("docs"));
    all.push(root.join("README.md"));
    let mut seen = 0;
    for page in all {
        let text = fs::read_to_string(&page).expect("a page");
        for block in blocks(&text) {
            seen += 1;
            let (page, line) = (page.display(), block.line + 1);
            assert!(KNOWN.contains(&block.info), "{page}:{line}: `{}` would be tested by nobody", block.info);
        }
    }
    assert!(seen > 0);
}
