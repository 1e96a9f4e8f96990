//! What is new costs what is new.

use crate::{Message, Peer, open};

#[tokio::test(flavor = "multi_thread")]
async fn a_few_new_entries_among_many_are_fetched_without_the_others() {
    const MANY: i64 = 20_000;
    let (one, two) = (Peer::start().await, Peer::start().await);
    one.connect(&two);
    for part in 0..20 {
        one.write(part * MANY / 20..(part + 1) * MANY / 20).await;
    }
    let all = async || Message::query().count(&two.db).await.expect("a count") == MANY as u64;
    crate::until("there", all, || format!("{:#?}", two.hints())).await;
    one.agrees().await;
    two.agrees().await;
    let first = two.hints().blocks;
    assert!(first >= MANY as u64, "{first}: {:#?}", two.hints());

    for round in 0..3 {
        let before = two.hints();
        one.write(MANY + 10 * round..MANY + 10 * (round + 1)).await;
        let all = async || Message::query().count(&two.db).await.expect("a count") == (MANY + 10 * (round + 1)) as u64;
        crate::until("there", all, || format!("{:#?}", two.hints())).await;
        let counted = async || two.hints().fetched > before.fetched;
        crate::until("counted", counted, || format!("{:#?}", two.hints())).await;
        let blocks = two.hints().blocks - before.blocks;
        println!("10 of {MANY} entries were new: {blocks} blocks were fetched");
        assert!((10..60).contains(&blocks), "{blocks}");
        two.agrees().await;
    }
    // also by who has just begun and remembers no lists
    two.db.close().await.expect("it closes");
    one.write(MANY + 30..MANY + 40).await;
    let (db, me) = open(two.folder.path(), &two.daemon.url()).await;
    let two = Peer { db, me, ..two };
    let all = async || Message::query().count(&two.db).await.expect("a count") == (MANY + 40) as u64;
    crate::until("there", all, || format!("{:#?}", two.hints())).await;
    crate::until("counted", async || two.hints().fetched > 0, || format!("{:#?}", two.hints())).await;
    let blocks = two.hints().blocks;
    println!("10 of {MANY} entries were new after opening: {blocks} blocks were fetched");
    assert!((10..60).contains(&blocks), "{blocks}");
    for peer in [one, two] {
        peer.db.close().await.expect("it closes");
    }
}
