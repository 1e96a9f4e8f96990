//! Replicas become the same.

use crate::support::{PATIENCE, Replica, events, keys, notes, of, until, until_equal};
use debros_orbit::{DatabaseSpec, Hold, ReadDocuments as _, ReplicationEvent};
use tokio::time::timeout;

#[tokio::test]
async fn what_one_writes_the_other_has_and_the_other_way_round() {
    let (one, two) = (Replica::start().await, Replica::start().await);
    let notes = notes();
    one.open(&notes).await;
    two.open(&notes).await;
    one.dial(&two).await;
    one.write(&notes, keys("one", 20)).await;
    until_equal(&[&one, &two], &notes, 20).await;
    two.write(&notes, keys("two", 20)).await;
    until_equal(&[&one, &two], &notes, 40).await;
    // both at once
    tokio::join!(one.write(&notes, keys("uno", 30)), two.write(&notes, keys("due", 30)));
    until_equal(&[&one, &two], &notes, 100).await;
}

#[tokio::test]
async fn a_late_one_gets_everything_and_both_know_that_they_agree() {
    let (one, two) = (Replica::start().await, Replica::start().await);
    let events = events();
    let at_one = one.open(&events).await;
    one.write_together(&events, keys("early", 3000)).await;
    one.dial(&two).await;
    let mut told = two.replication.events();
    let at_two = two.open(&events).await;
    until_equal(&[&one, &two], &events, 3000).await;
    let changed =
        async { while !matches!(told.next().await, Some(ReplicationEvent::Changed { entries: 3000, .. })) {} };
    timeout(PATIENCE, changed).await.expect("it is told");
    for (replica, database) in [(&one, at_one), (&two, at_two)] {
        let agreed = async {
            while !replica.replication.sync(database).await.unwrap().is_agreed() {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, agreed).await.expect("they agree");
        assert_eq!(replica.replication.sync(database).await.unwrap().pending_since, None);
    }
}

#[tokio::test]
async fn a_database_is_opened_by_its_address_alone() {
    let (one, two) = (Replica::start().await, Replica::start().await);
    let notes = of(&[&one]);
    one.open(&notes).await;
    one.write(&notes, keys("one", 5)).await;
    let address = notes.address().unwrap();
    // asked for before there is anyone to ask
    let (replication, to_open) = (two.replication.clone(), address);
    let opening = tokio::spawn(async move { replication.open_address(&to_open, "notes", &[]).await });
    two.dial(&one).await;
    let database = timeout(PATIENCE, opening).await.unwrap().unwrap().unwrap();
    until_equal(&[&one, &two], &notes, 5).await;
    assert_eq!(two.node.snapshot().unwrap().info(database).unwrap().address, address);
}

#[tokio::test]
async fn what_was_written_apart_comes_together() {
    let (one, two, three) = (Replica::start().await, Replica::start().await, Replica::start().await);
    let notes = notes();
    for replica in [&one, &two, &three] {
        replica.open(&notes).await;
    }
    // one - two - three: one and three never meet
    one.dial(&two).await;
    three.dial(&two).await;
    one.write(&notes, keys("one", 5)).await;
    three.write(&notes, keys("three", 5)).await;
    until_equal(&[&one, &two, &three], &notes, 10).await;
    let id = two.replication.id();
    three.replication.disconnect(id);
    three.until_connected(id, false).await;
    two.until_connected(three.replication.id(), false).await;
    for (replica, prefix) in [(&one, "uno"), (&two, "due"), (&three, "tre")] {
        replica.write(&notes, keys(prefix, 10)).await;
    }
    until_equal(&[&one, &two], &notes, 30).await;
    assert_eq!(three.entries(&notes), 20);
    three.dial(&two).await;
    until_equal(&[&one, &two, &three], &notes, 40).await;
    // and goes on
    one.write(&notes, keys("again", 1)).await;
    until_equal(&[&one, &two, &three], &notes, 41).await;
}

#[tokio::test]
async fn a_node_that_was_away_catches_up_under_its_old_name() {
    let (one, two) = (Replica::start().await, Replica::start().await);
    let notes = notes();
    one.open(&notes).await;
    two.open(&notes).await;
    one.dial(&two).await;
    one.write(&notes, keys("before", 3)).await;
    until_equal(&[&one, &two], &notes, 3).await;
    let (id, Replica { node, replication, folder, .. }) = (two.replication.id(), two);
    replication.close().await;
    node.close().await.unwrap();
    drop((replication, node));
    one.until_connected(id, false).await;
    one.write(&notes, keys("meanwhile", 30)).await;
    let two = Replica::at(folder).await;
    assert_eq!(two.replication.id(), id);
    two.open(&notes).await;
    two.dial(&one).await;
    until_equal(&[&one, &two], &notes, 33).await;
}

#[tokio::test]
async fn a_peer_that_was_dialled_is_dialled_again() {
    let (one, two) = (Replica::start().await, Replica::start().await);
    let notes = notes();
    one.open(&notes).await;
    two.open(&notes).await;
    one.dial(&two).await;
    let (at_one, at_two) = (one.replication.id(), two.replication.id());
    two.until_connected(at_one, true).await;
    let mut told = one.replication.events();
    two.replication.disconnect(at_one);
    let parted =
        async { while !matches!(told.next().await, Some(ReplicationEvent::Disconnected(peer)) if peer == at_two) {} };
    timeout(PATIENCE, parted).await.expect("it is told");
    one.write(&notes, keys("apart", 3)).await;
    until_equal(&[&one, &two], &notes, 3).await;
}

#[tokio::test]
async fn large_entries_and_many_heads() {
    let replicas = [Replica::start().await, Replica::start().await, Replica::start().await, Replica::start().await];
    let events = events();
    for (n, replica) in replicas.iter().enumerate() {
        replica.prepare(&events).await;
        // several heads, and each larger than a frame
        replica.write(&events, [format!("{n}").repeat(200_000)]).await;
        replica.write(&events, [format!("{n}").repeat(900_000)]).await;
    }
    for replica in &replicas {
        let database = replica.prepare(&events).await;
        replica.replication.open(database).await.unwrap();
    }
    for replica in &replicas[1..] {
        replica.dial(&replicas[0]).await;
    }
    let [one, two, three, four] = &replicas;
    until_equal(&[one, two, three, four], &events, 8).await;
    two.write(&events, ["x".repeat(1_000_000)]).await;
    until_equal(&[one, two, three, four], &events, 9).await;
}

#[tokio::test]
async fn who_may_not_write_is_not_let_in() {
    let (one, two) = (Replica::start().await, Replica::start().await);
    let notes = of(&[&one]);
    let at_one = one.open(&notes).await;
    one.dial(&two).await;
    two.open(&notes).await;
    // two makes an entry that its own node would not take: of a log of its own, with the same address
    let (access, outsider) = (of(&[&two]), &two);
    assert_ne!(access.address().unwrap(), notes.address().unwrap());
    let address = notes.address().unwrap();
    let payload = debros_orbit::Payload::put("mine".into(), debros_core::Map::from_iter([("_id", "mine")]).into());
    let entry = debros_orbit::Entry::create(&outsider.me, address, payload.into_value(), &[], &[], 1).unwrap();
    let identity = outsider.me.block().to_bytes();
    let receipt = one.node.receive(at_one, "two", vec![identity], vec![entry.bytes().to_vec()]).await.unwrap();
    assert!(matches!(&receipt.held[..], [(_, Hold::Denied { .. })]), "{receipt:?}");
    one.write(&notes, keys("one", 2)).await;
    until_equal(&[&one, &two], &notes, 2).await;
}

#[tokio::test]
async fn rights_are_replicated_with_what_they_protect() {
    let (one, two) = (Replica::start().await, Replica::start().await);
    let access = debros_orbit::AccessSpec::orbitdb("notes", [one.me.id()]);
    let notes = notes().with_access(access);
    let at_one = one.open(&notes).await;
    one.dial(&two).await;
    let at_two = two.replication.open_address(&notes.address().unwrap(), "", &[]).await.unwrap();
    let (me, user) = (one.me.clone(), two.me.id().to_owned());
    let granted = one.node.write(debros_orbit::Durability::Local, move |writer| {
        let access = writer.info(at_one)?.controller.unwrap();
        writer.grant(access, &me, "write", &user)?;
        Ok::<_, crate::support::Problem>(())
    });
    granted.await.unwrap();
    let user = two.me.id().to_owned();
    until("the grant has arrived", || two.node.snapshot().unwrap().may_write(at_two, &user).unwrap()).await;
    two.write(&notes, keys("two", 3)).await;
    until_equal(&[&one, &two], &notes, 3).await;
}

#[tokio::test]
async fn a_database_that_is_closed_is_replicated_no_more() {
    let (one, two) = (Replica::start().await, Replica::start().await);
    let notes = notes();
    one.open(&notes).await;
    let at_two = two.open(&notes).await;
    one.dial(&two).await;
    one.write(&notes, keys("one", 1)).await;
    until_equal(&[&one, &two], &notes, 1).await;
    assert!(two.replication.close_database(at_two).await.unwrap());
    assert!(!two.replication.close_database(at_two).await.unwrap());
    assert!(two.replication.sync(at_two).await.is_err());
    let database = one.prepare(&notes).await;
    loop {
        if one.replication.sync(database).await.unwrap().peers.is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    one.write(&notes, keys("uno", 1)).await;
    two.replication.open(at_two).await.unwrap();
    until_equal(&[&one, &two], &notes, 2).await;
}

#[tokio::test]
async fn hundreds_of_databases() {
    let (one, two) = (Replica::start().await, Replica::start().await);
    one.dial(&two).await;
    let specs: Vec<_> = (0..200).map(|n| debros_orbit::DatabaseSpec::documents(format!("notes{n}"), ["*"])).collect();
    for spec in &specs {
        one.open(spec).await;
        one.write(spec, ["early".to_owned()]).await;
    }
    for spec in &specs {
        two.open(spec).await;
    }
    for spec in &specs {
        until_equal(&[&one, &two], spec, 1).await;
    }
    two.write(&specs[77], ["late".to_owned()]).await;
    until_equal(&[&one, &two], &specs[77], 2).await;
}

#[tokio::test]
async fn what_peers_have_is_known_to_whoever_waits_for_it() {
    let (one, two, three) = (Replica::start().await, Replica::start().await, Replica::start().await);
    let notes = notes();
    let database = one.open(&notes).await;
    let short = std::time::Duration::from_millis(300);
    one.write(&notes, keys("alone", 1)).await;
    let alone = one.replication.replicated(&[database], 1, short).await.unwrap_err();
    assert_eq!((alone.wanted, alone.acknowledged, alone.within), (1, 0, short));
    two.open(&notes).await;
    two.dial(&one).await;
    for n in 0..10 {
        one.write_together(&notes, keys(&format!("{n}-"), 20)).await;
        one.replication.replicated(&[database], 1, PATIENCE).await.unwrap();
        assert_eq!(two.entries(&notes), 1 + 20 * (n + 1));
    }
    // nobody counts twice
    let twice = one.replication.replicated(&[database], 2, short).await.unwrap_err();
    assert_eq!(twice.acknowledged, 1);
    three.open(&notes).await;
    let databases = [database];
    let (replicated, ()) = tokio::join!(one.replication.replicated(&databases, 2, PATIENCE), three.dial(&one));
    replicated.unwrap();
    assert_eq!(three.entries(&notes), 201);
    // a database that is not replicated is not waited for
    let other = one.prepare(&events()).await;
    let never = one.replication.replicated(&[other], 1, PATIENCE).await.unwrap_err();
    assert_eq!(never.acknowledged, 0);
}

#[tokio::test]
async fn an_exchange_tells_what_it_took() {
    let (one, two) = (Replica::start().await, Replica::start().await);
    let events = events();
    for replica in [&one, &two] {
        replica.open(&events).await;
    }
    one.dial(&two).await;
    one.write_together(&events, keys("much", 5000)).await;
    until_equal(&[&one, &two], &events, 5000).await;
    // apart, and each goes on
    one.replication.disconnect(two.replication.id());
    one.until_connected(two.replication.id(), false).await;
    one.write_together(&events, keys("more", 6)).await;
    two.write_together(&events, keys("and more", 4)).await;
    let mut told = one.replication.events();
    one.dial(&two).await;
    until_equal(&[&one, &two], &events, 5010).await;
    let traffic = timeout(PATIENCE, async {
        loop {
            if let Some(ReplicationEvent::Synced { traffic, .. }) = told.next().await
                && traffic.entries_sent + traffic.entries_received > 0
            {
                return traffic;
            }
        }
    });
    let traffic = traffic.await.expect("they exchange what is different");
    assert_eq!((traffic.entries_sent, traffic.entries_received), (6, 4), "{traffic:?}");
    assert!(traffic.bytes_sent + traffic.bytes_received < 10_000, "{traffic:?}");
    assert!(traffic.messages_sent <= 5 && traffic.messages_received <= 5, "{traffic:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_databases_may_be_open_before_the_first_peer_is_there() {
    let (a, b) = (Replica::start().await, Replica::start().await);
    let specs: Vec<_> = (0..400).map(|n| DatabaseSpec::documents(format!("notes {n}"), ["*"])).collect();
    for replica in [&a, &b] {
        for spec in &specs {
            replica.open(spec).await;
        }
    }
    for spec in [&specs[0], &specs[399]] {
        a.write(spec, keys("before", 3)).await;
    }
    a.dial(&b).await;
    for spec in [&specs[0], &specs[399]] {
        until_equal(&[&a, &b], spec, 3).await;
        b.write(spec, keys("after", 2)).await;
        until_equal(&[&a, &b], spec, 5).await;
    }
}
