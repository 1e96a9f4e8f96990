//! Who is not followed any more leaves nothing here, and nothing pinned.

use crate::{NewNote, Note, Peer, open};
use debros::{KuboReadError, UnfollowError};
use debros_tests::Held;

/// Names of the daemon's pins that hold notes of others: all but those of the one database of one's own.
async fn pins_of_notes(peer: &Peer) -> Vec<String> {
    let all = peer.db.addresses().await.expect("addresses");
    let me = peer.me.user().to_string();
    let mine = all.iter().find(|(name, _)| name.contains("Note") && name.contains(&me));
    let mine = mine.map(|(_, address)| address.trim_start_matches("/orbitdb/").to_owned()).expect("one's own notes");
    let pins = peer.daemon.ipfs_ok(&["pin", "ls", "--type=recursive", "--names"]);
    pins.lines().filter(|pin| pin.contains("Note.") && !pin.contains(&mine)).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_followed_any_more_leaves_nothing_here_and_nothing_pinned() {
    let (one, two) = (Peer::start().await, Peer::start().await);
    one.connect(&two);
    one.write(0..10).await;
    one.me.batch().create_all((0..30).map(|number| NewNote { number })).await.expect("they are stored");
    let user = one.me.user();
    let told = || format!("{:#?}\n{}", two.db.kubo().status(), two.daemon.log());
    two.db.kubo().follow(user).await.expect("it is followed");
    crate::until("followed", async || two.notes_of(user).await == 30, told).await;
    two.has(0..10).await;
    two.drained().await;
    let addresses = two.db.addresses().await.expect("addresses");
    let (_, address) = addresses.iter().find(|(name, _)| name.contains(&user.to_string())).expect("it is held");
    // the root over all of it is a pin, too
    two.db.kubo().root(address).await.expect("it is pinned").expect("a root");
    let before = Held::by(&two.daemon).await;
    assert!(pins_of_notes(&two).await.len() >= 2 && before.entries.len() >= 2);
    let databases = two.hints().databases;

    let error = two.db.kubo().unfollow(two.me.user()).await.unwrap_err();
    assert!(matches!(error, KuboReadError::Unfollow(UnfollowError::OwnUser { .. })), "{error}");
    two.db.kubo().unfollow(user).await.expect("it is dropped");
    assert_eq!(two.notes_of(user).await, 0);
    two.drained().await;
    assert_eq!(pins_of_notes(&two).await, [""; 0]);
    two.daemon.ipfs_ok(&["repo", "gc"]);
    let local = two.daemon.ipfs_ok(&["refs", "local"]);
    let after = Held::by(&two.daemon).await;
    // what is still pinned are messages
    assert!(after.entries.keys().all(|entry| before.entries.contains_key(entry)));
    assert!(before.entries.len() > after.entries.len());
    for entry in before.entries.keys().filter(|entry| !after.entries.contains_key(*entry)) {
        let cid: debros_ipfs::Cid = entry.parse().expect("a CID");
        let raw = debros_ipfs::Cid::new_v1(0x55, *cid.hash()).to_string();
        assert!(!local.contains(&raw), "the daemon's collection has left {raw}");
    }
    crate::until("told of no more", async || two.hints().databases == databases - 1, told).await;

    // what is written now does not come, and what others write does
    one.me.create(NewNote { number: 30 }).await.expect("it is stored");
    one.write(10..20).await;
    two.has(0..20).await;
    assert_eq!(two.notes_of(user).await, 0);
    two.db.clone().close().await.expect("it closes");
    let (db, me) = open(two.folder.path(), &two.daemon.url()).await;
    let two = Peer { db, me, ..two };
    let told = || format!("{:#?}\n{}", two.db.kubo().status(), two.daemon.log());
    one.write(20..30).await;
    two.has(0..30).await;
    two.drained().await;
    assert_eq!((two.notes_of(user).await, pins_of_notes(&two).await.len()), (0, 0));
    assert_eq!(Note::query().everywhere().count(&two.db).await.expect("a count"), 0);

    // until they are followed again
    two.db.kubo().follow(user).await.expect("it is followed");
    crate::until("followed again", async || two.notes_of(user).await == 31, told).await;
    two.drained().await;
    assert!(!pins_of_notes(&two).await.is_empty());
    for peer in [one, two] {
        peer.clean().await;
        peer.db.close().await.expect("it closes");
    }
}
