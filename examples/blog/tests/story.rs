//! The program runs, and tells what it should.

use std::process::Command;

#[test]
fn the_whole_story_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = || Command::new(env!("CARGO_BIN_EXE_blog")).arg(folder.path()).output().expect("it starts");

    let output = run();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    let mut rest = told.as_str();
    for expected in [
        "`User.username` is unique, and",
        "`len = 3..=32`",
        "8 posts, the last 5 of them in one commit",
        "Logs that merge by alice [p2p, rust]\n    ben: Thanks!\n    ben: I see.\n    alice: By gossip.\n",
        "Hello by alice [rust]\n",
        "Hello | Logs that merge | Note 1\nNote 2 | Note 3 | Note 4\nNote 5\n",
        "ben's own:         0\nalice's:           8\nwith everybody's:  8\n",
        "the owner of \"Logs that merge\" is alice: true",
        "read 2 times, 0.25 in the mean\n7 published\n1 not published\n",
        "the first comments on \"Logs that merge\": Nice. | How do heads find each other?\n",
        "about rust: Hello | Logs that merge\n",
        "1 draft published, a link removed: true, 5 notes deleted, three writes in one commit\n",
        "left: Hello again | Logs that merge | One commit\n",
        "3 posts, 5 comments\n",
    ] {
        match rest.split_once(expected) {
            Some((_, after)) => rest = after,
            None => panic!("`{expected}` is missing, or not where it belongs, in\n{told}"),
        }
    }

    let output = run();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains("holds a blog already"), "{told}");
}
