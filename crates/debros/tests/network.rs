//! Databases of several folders, which are peers of each other.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use debros::{Durability, NetworkError, NetworkEvent, OpenError, RendezvousError, WriteError, prelude::*};
use debros_orbit::{Rendezvous, SigningKey};
use std::{path::Path, time::Duration};

/// A room, which everyone may open.
#[model(scope = global, writers = anyone)]
#[derive(Debug, Clone)]
pub struct Room {
    /// Its key.
    #[field(key)]
    pub id: Id<Room>,
    /// Its name.
    #[field(unique)]
    pub name: String,
    /// What is said in it.
    #[has_many]
    pub messages: HasMany<Message>,
}

/// What a user says.
#[model(scope = user)]
#[derive(Debug, Clone)]
pub struct Message {
    /// Its key.
    #[field(key)]
    pub id: Id<Message>,
    /// Where it is said.
    pub room_id: Id<Room>,
    /// What is said.
    #[field(index)]
    pub text: String,
    /// When.
    #[field(created)]
    pub at: Timestamp,
    /// Where it is said.
    #[belongs_to(key = room_id)]
    pub room: BelongsTo<Room>,
}

const HERE: &str = "/ip4/127.0.0.1/tcp/0";

async fn open(folder: &Path) -> Db {
    Db::builder(folder, "chat").listen(HERE).local_discovery(false).open(models![Room, Message]).await.unwrap()
}

async fn until<F: Future<Output = bool>>(what: &str, mut is: impl FnMut() -> F) {
    for _ in 0..1_200 {
        if is().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never happened that {what}");
}

async fn meet(a: &Db, b: &Db) -> String {
    let address = a.network().addresses().into_iter().next().unwrap();
    assert_eq!(address.matches("/p2p/").count(), 1, "{address}");
    b.network().dial(&address).await.unwrap()
}

async fn texts(db: &Db) -> Vec<String> {
    let all = Message::query().order_by(|m| m.text.asc()).everywhere().fetch(db).await.unwrap();
    all.into_iter().map(|message| message.text).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_writes_the_other_reads() {
    let [here, there] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (a, b) = (open(here.path()).await, open(there.path()).await);
    let (anna, ben) = (a.identity("anna").await.unwrap(), b.identity("ben").await.unwrap());
    let mut events = b.network().events().unwrap();
    let id = meet(&a, &b).await;
    // that ben was announced may be told after it was asked what happens
    let mut event = events.next().await;
    while matches!(event, Some(NetworkEvent::Users)) {
        event = events.next().await;
    }
    assert!(matches!(&event, Some(NetworkEvent::Connected { peer }) if *peer == id), "{event:?}");
    assert_eq!(b.network().peers().len(), 1);

    // global models come by themselves
    let hers = a.session(&anna);
    let room = hers.create(NewRoom { name: "hall".into() }).await.unwrap();
    until("the room is there", || async { Room::query().count(&b).await.unwrap() == 1 }).await;
    let changed = async {
        loop {
            match events.next().await.unwrap() {
                NetworkEvent::Changed { model, entries, .. } if entries > 0 => return (model, entries),
                _ => {}
            }
        }
    };
    assert_eq!(changed.await, ("Room".to_owned(), 1));

    // of users those who are followed
    let his = b.session(&ben);
    let said = NewMessage { room_id: room.id, text: "hello".into() };
    let message = his.create(said).await.unwrap();
    a.network().follow(ben.user()).await.unwrap();
    until("his message is there", || async { texts(&a).await == ["hello"] }).await;
    let theirs = a.view(ben.user());
    let with_room = Message::query().with(|m| m.room).one(&theirs).await.unwrap();
    assert_eq!((with_room.id, with_room.room().name.as_str()), (message.id, "hall"));
    his.update(&message).set(|m| m.text, "hello!").await.unwrap();
    until("it changed", || async { texts(&a).await == ["hello!"] }).await;

    // apart, both go on
    b.network().disconnect(a.network().addresses()[0].rsplit('/').next().unwrap()).unwrap();
    until("they are apart", || async { a.network().peers().is_empty() }).await;
    his.create(NewMessage { room_id: room.id, text: "alone".into() }).await.unwrap();
    hers.create(NewRoom { name: "attic".into() }).await.unwrap();
    meet(&a, &b).await;
    until("they agree", || async {
        let all = a.network().sync().await.unwrap();
        texts(&a).await.len() == 2 && all.iter().all(|sync| sync.state.missing.is_empty())
    })
    .await;
    until("the rooms are there", || async { Room::query().count(&b).await.unwrap() == 2 }).await;
    assert!(a.verify().await.unwrap().is_clean() && b.verify().await.unwrap().is_clean());
    a.close().await.unwrap();

    // whoever was followed is so after the folder is opened again
    let a = open(here.path()).await;
    his.create(NewMessage { room_id: room.id, text: "back".into() }).await.unwrap();
    meet(&a, &b).await;
    until("the new message is there", || async { texts(&a).await.len() == 3 }).await;
    a.close().await.unwrap();
    b.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_peers_write_is_told_with_who_wrote_it() {
    let [here, there] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (a, b) = (open(here.path()).await, open(there.path()).await);
    let anna = a.identity("anna").await.unwrap();
    // two devices of one user, and one of another
    let laptop = a.session(&anna);
    let phone = b.session(&b.import_identity("anna", &anna.export()).await.unwrap());
    let ben = b.session(&b.identity("ben").await.unwrap());
    let mut told = a.changes().stream();
    let mut messages = Message::changes().filter(|m| m.text.contains("o")).everywhere().stream(&a);
    for (on, user) in [(&a, ben.user()), (&a, anna.user()), (&b, anna.user())] {
        on.network().follow(user).await.unwrap();
    }
    meet(&a, &b).await;

    let room = ben.create(NewRoom { name: "hall".into() }).await.unwrap();
    let theirs = ben.create(NewMessage { room_id: room.id, text: "hello".into() }).await.unwrap();
    until("the message is there", || async { texts(&a).await == ["hello"] }).await;
    until("the room is there", || async { Room::query().count(&a).await.unwrap() == 1 }).await;
    let own = laptop.create(NewMessage { room_id: room.id, text: "good day".into() }).await.unwrap();
    until("they agree", || async { texts(&b).await.len() == 2 }).await;
    phone.update(&own).set(|m| m.text, "good evening").await.unwrap();
    ben.delete(&theirs).await.unwrap();

    let mut all = Vec::new();
    while all.len() < 5 {
        all.push(told.next().await.unwrap().unwrap());
    }
    // two logs go their own ways
    let of = |user: UserId, model: &str| -> Vec<_> {
        let of = all.iter().filter(|change| change.user == user && change.model == model);
        of.map(|change| (change.kind, change.local, change.device.as_str(), change.clock)).collect()
    };
    use ChangeKind::{Created, Deleted, Updated};
    let bens = all.iter().find(|change| change.user == ben.user()).unwrap().device.as_str();
    assert_eq!(of(ben.user(), "Room"), [(Created, false, bens, 1)]);
    assert_eq!(of(ben.user(), "Message"), [(Created, false, bens, 1), (Deleted, false, bens, 2)]);
    let annas = of(anna.user(), "Message");
    let kinds: Vec<_> = annas.iter().map(|(kind, local, _, clock)| (*kind, *local, *clock)).collect();
    assert_eq!(kinds, [(Created, true, 1), (Updated, false, 2)]);
    assert!(annas[0].2 != annas[1].2 && annas[1].2 != bens, "each device has a key of its own");
    let entries: Vec<String> = all.iter().map(|change| change.entry.clone()).collect();

    // what is told of the same entries there is what they are there
    let mut there = b.changes().from_beginning().stream();
    let mut seen = Vec::new();
    while seen.len() < 5 {
        let change = there.next().await.unwrap().unwrap();
        assert!(entries.contains(&change.entry));
        seen.push((change.user, change.kind, change.local));
    }
    assert!(seen.contains(&(anna.user(), Created, false)) && seen.contains(&(anna.user(), Updated, true)));
    // typed, and filtered
    let texts = [messages.next().await, messages.next().await, messages.next().await, messages.next().await];
    let texts = texts.map(|change| change.unwrap().unwrap()).map(|change| (change.kind, change.row.map(|m| m.text)));
    assert_eq!(texts.iter().filter(|(kind, _)| *kind == Created).count(), 2);
    assert!(texts.contains(&(Updated, Some("good evening".into()))) && texts.contains(&(Deleted, None)));
    a.close().await.unwrap();
    b.close().await.unwrap();
}

#[tokio::test]
async fn an_address_that_takes_a_feature_names_it() {
    let id = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
    let (quic, relay) =
        (format!("/ip4/127.0.0.1/udp/0/quic-v1/p2p/{id}"), format!("/ip4/127.0.0.1/tcp/1/p2p/{id}/p2p-circuit"));
    let peer = format!("{relay}/p2p/{id}");
    let folder = tempfile::tempdir().unwrap();
    let builder = || Db::builder(folder.path(), "chat").dial_only().local_discovery(false);
    let takes = [
        ("quic", cfg!(feature = "quic"), builder().listen("/ip4/127.0.0.1/udp/0/quic-v1")),
        ("quic", cfg!(feature = "quic"), builder().peer(&quic)),
        ("relay", cfg!(feature = "relay"), builder().listen(&relay)),
        ("relay", cfg!(feature = "relay"), builder().peer(&peer)),
    ];
    for (name, is_there, builder) in takes {
        match builder.open(models![Room, Message]).await {
            Ok(db) => {
                assert!(is_there);
                db.close().await.unwrap();
            }
            Err(OpenError::Network(error)) => {
                assert!(
                    !is_there && matches!(*error, NetworkError::Feature { feature, .. } if feature == name),
                    "{error}"
                );
                let toml = format!("debros = {{ version = \"..\", features = [\"{name}\"] }}");
                assert!(error.to_string().contains(&toml), "{error}");
            }
            Err(error) => panic!("{error}"),
        }
    }
    // a list has addresses for everybody
    let key = SigningKey::generate().unwrap();
    let publisher = UserId::from_bytes(*key.public_key().as_bytes());
    let plain = format!("/ip4/127.0.0.1/tcp/1/p2p/{id}");
    let (begin, end) = ("2026-01-01T00:00:00Z".parse().unwrap(), "9999-01-01T00:00:00Z".parse().unwrap());
    let list = Rendezvous::new("chat", begin, end, [&plain, &quic, &peer]).unwrap().sign(&key);
    let db = builder().open(models![Room, Message]).await.unwrap();
    let kept = db.network().rendezvous(publisher, list.as_bytes()).await.unwrap();
    let there = [(true, plain), (cfg!(feature = "quic"), quic), (cfg!(feature = "relay"), peer)];
    let there: Vec<String> = there.into_iter().filter_map(|(is_there, address)| is_there.then_some(address)).collect();
    assert_eq!(kept, there);
    db.close().await.unwrap();
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere =
        Db::builder(folder.path(), "chat").listen("everywhere").open(models![Room, Message]).await.unwrap_err();
    let OpenError::Network(nowhere) = nowhere else { panic!("{nowhere}") };
    assert!(matches!(*nowhere, NetworkError::Address { .. }), "{nowhere}");
    assert!(nowhere.to_string().contains("`everywhere` is no address"), "{nowhere}");
    let db = Db::open(folder.path(), "chat", models![Room, Message]).await.unwrap();
    let user = db.identity("anna").await.unwrap().user();
    let error = db.network().follow(user).await.unwrap_err();
    assert!(matches!(error, NetworkError::NotListening) && error.to_string().contains("listen("), "{error}");
    assert!(db.network().addresses().is_empty() && db.network().peers().is_empty());
    db.close().await.unwrap();

    let other = tempfile::tempdir().unwrap();
    let db = open(other.path()).await;
    assert!(matches!(db.network().dial("localhost:1").await, Err(NetworkError::Address { .. })));
    let gone = db.network().dial("/ip4/127.0.0.1/tcp/1").await.unwrap_err();
    assert!(matches!(&gone, NetworkError::Dial { address, .. } if address.ends_with("/tcp/1")), "{gone}");
    db.close().await.unwrap();
}

#[tokio::test]
async fn a_write_can_wait_for_peers() {
    let [here, there] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let short = Duration::from_millis(300);
    let one = Db::builder(here.path(), "chat").listen(HERE).local_discovery(false).replicated_within(short);
    let one = one.open(models![Room, Message]).await.unwrap();
    let me = one.session(&one.identity("me").await.unwrap()).durability(Durability::Replicated(1));
    let alone = me.create(NewRoom { name: "hall".into() }).await.unwrap_err();
    assert!(matches!(&alone, WriteError::NotReplicated(not) if not.acknowledged == 0), "{alone}");
    assert!(alone.to_string().contains("it is not to be written again"), "{alone}");
    assert_eq!(Room::query().count(&one).await.unwrap(), 1, "it was written all the same");
    one.close().await.unwrap();

    let (one, two) = (open(here.path()).await, open(there.path()).await);
    let user = one.identity("me").await.unwrap();
    let me = one.session(&user).durability(Durability::Replicated(1));
    two.network().follow(user.user()).await.unwrap();
    meet(&one, &two).await;
    // an answer says that it is there, whatever is asked of it
    for n in 0..20 {
        let room = me.create(NewRoom { name: format!("room {n}") }).await.unwrap();
        assert_eq!(Room::get(&room.id).fetch(&two).await.unwrap().unwrap().name, room.name);
        me.create(NewMessage { room_id: room.id, text: "hello".into() }).await.unwrap();
        assert_eq!(Message::query().everywhere().count(&two).await.unwrap(), n + 1);
    }
    one.close().await.unwrap();
    two.close().await.unwrap();

    let one = Db::open(here.path(), "chat", models![Room, Message]).await.unwrap();
    let me = one.session(&one.identity("me").await.unwrap()).durability(Durability::Replicated(1));
    let error = me.create(NewRoom { name: "cellar".into() }).await.unwrap_err();
    assert!(error.to_string().contains("opened without a network"), "{error}");
    assert_eq!(Room::query().count(&one).await.unwrap(), 21, "nothing was written");
    one.close().await.unwrap();
}

/// The addresses of a node that is there no more, at a port that it will have again.
async fn gone(folder: &Path) -> String {
    let db = open(folder).await;
    let address = db.network().addresses().remove(0);
    db.close().await.unwrap();
    address
}

async fn back(folder: &Path, address: &str) -> Db {
    let (listen, _) = address.split_once("/p2p/").unwrap();
    let builder = Db::builder(folder, "chat").listen(listen).local_discovery(false);
    builder.open(models![Room, Message]).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_is_dialled_until_it_is_there() {
    let [here, there] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let address = gone(there.path()).await;
    let builder = Db::builder(here.path(), "chat").dial_only().local_discovery(false).peer(&address);
    let a = builder.open(models![Room, Message]).await.unwrap();
    assert!(a.network().peers().is_empty());
    let b = back(there.path(), &address).await;
    until("they meet", || async { a.network().peers().len() == 1 }).await;
    b.close().await.unwrap();
    until("it is gone", || async { a.network().peers().is_empty() }).await;
    let b = back(there.path(), &address).await;
    until("they meet again", || async { a.network().peers().len() == 1 }).await;
    a.close().await.unwrap();
    b.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_of_a_signed_list_are_dialled() {
    let [here, there] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let address = gone(there.path()).await;
    let key = SigningKey::generate().unwrap();
    let publisher = UserId::from_bytes(*key.public_key().as_bytes());
    let list = |application: &str, from: i64, until: i64| {
        let at = |day: i64| Timestamp::from_millis(Timestamp::now().as_millis() + day * 86_400_000);
        Rendezvous::new(application, at(from), at(until), [&address]).unwrap().sign(&key)
    };
    let open_with = |publisher: UserId, list: String| {
        let builder = Db::builder(here.path(), "chat").dial_only().local_discovery(false);
        builder.rendezvous(publisher, list).open(models![Room, Message])
    };
    let refused = |error: OpenError| match error {
        OpenError::Network(error) => match *error {
            NetworkError::Rendezvous(error) => error,
            other => panic!("{other}"),
        },
        other => panic!("{other}"),
    };
    let error = refused(open_with(publisher, list("chat", -2, -1)).await.unwrap_err());
    assert!(matches!(error, RendezvousError::Expired(_)), "{error}");
    let error = refused(open_with(publisher, list("blog", -1, 1)).await.unwrap_err());
    assert!(matches!(error, RendezvousError::Application { .. }), "{error}");
    let somebody = UserId::from_bytes([2; 33]);
    let error = refused(open_with(somebody, list("chat", -1, 1)).await.unwrap_err());
    assert!(matches!(error, RendezvousError::Publisher { .. }), "{error}");

    let a = open_with(publisher, list("chat", -1, 1)).await.unwrap();
    let b = back(there.path(), &address).await;
    until("they meet", || async { a.network().peers().len() == 1 }).await;
    a.close().await.unwrap();

    // later, and without an error if it is of no use
    let a = open(here.path()).await;
    let error = a.network().rendezvous(publisher, list("chat", -2, -1).as_bytes()).await.unwrap_err();
    assert!(matches!(error, NetworkError::Rendezvous(RendezvousError::Expired(_))), "{error}");
    let newer = list("chat", -1, 1);
    let peers = a.network().rendezvous(publisher, newer.as_bytes()).await.unwrap();
    assert_eq!(peers, std::slice::from_ref(&address));
    until("they meet", || async { a.network().peers().len() == 1 }).await;
    a.close().await.unwrap();

    // one that was issued earlier is not taken any more, though it has not expired
    let older = list("chat", -2, 1);
    let error = refused(open_with(publisher, older.clone()).await.unwrap_err());
    assert!(matches!(error, RendezvousError::Older { .. }), "{error}");
    let a = open_with(publisher, newer).await.unwrap();
    let error = a.network().rendezvous(publisher, older.as_bytes()).await.unwrap_err();
    assert!(matches!(error, NetworkError::Rendezvous(RendezvousError::Older { .. })), "{error}");
    until("they meet", || async { a.network().peers().len() == 1 }).await;
    a.close().await.unwrap();
    b.close().await.unwrap();
}

#[tokio::test]
async fn a_write_can_wait_for_a_peer_that_was_there_before() {
    let [here, there] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (one, two) = (open(here.path()).await, open(there.path()).await);
    meet(&one, &two).await;
    let me = one.session(&one.identity("me").await.unwrap());
    two.network().follow(one.identity("me").await.unwrap().user()).await.unwrap();
    let careful = me.durability(Durability::Replicated(1));
    for n in 0..3 {
        let room = careful.create(NewRoom { name: format!("room {n}") }).await.unwrap();
        careful.create(NewMessage { room_id: room.id, text: "hello".into() }).await.unwrap();
        assert_eq!(Message::query().everywhere().count(&two).await.unwrap(), n + 1);
    }
    one.close().await.unwrap();
    two.close().await.unwrap();
}
