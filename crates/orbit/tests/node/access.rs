use crate::support::{Words, del, folder, job_error, key, open, open_database, put, record, spec, verify, write};
use debros_orbit::{
    ACCESS_FAMILY, AccessAddress, AccessController, AccessSpec, DatabaseId, DatabaseKind, DatabaseSpec, Entry, Hash,
    Hold, Identity, Node, NodeOptions, OpenDatabaseError, Payload, ReadDocuments, Request, SigningKey, WriteError,
};
use futures::executor::block_on;

#[test]
fn only_those_on_the_list_write() {
    let folder = folder();
    let node = open(folder.path());
    let (alice, bob) = (node.identity("alice").unwrap(), node.identity("bob").unwrap());
    let hers = open_database(&node, &spec("hers", &[alice.id()]));
    let everyones = open_database(&node, &spec("everyones", &["*"]));
    put(&node, hers, &alice, record("a", [])).unwrap();
    let error = put(&node, hers, &bob, record("a", [])).unwrap_err();
    assert!(matches!(&error, WriteError::Denied { database, user } if database == "hers" && user == bob.id()));
    assert_eq!(error.to_string(), format!("the user {} may not write the database `hers`", bob.id()));
    assert!(matches!(del(&node, hers, &bob, "a"), Err(WriteError::Denied { .. })));
    put(&node, everyones, &alice, record("a", [])).unwrap();
    put(&node, everyones, &bob, record("a", [("w", "bob".into())])).unwrap();
    let found = node.snapshot().unwrap().get(everyones, &key("a")).unwrap().unwrap();
    assert_eq!((found.author.as_str(), found.first_author.as_str()), (bob.id(), alice.id()));
    del(&node, everyones, &bob, "a").unwrap();
    verify(&node);
}

#[test]
fn founding_admins_write_what_their_controller_protects() {
    let folder = folder();
    let node = open(folder.path());
    let (alice, bob, eve) =
        (node.identity("alice").unwrap(), node.identity("bob").unwrap(), node.identity("eve").unwrap());
    let with = |admins: [&str; 3]| DatabaseSpec {
        access: AccessSpec::orbitdb("debros/1/app/!access/-/1.0/0", admins),
        ..spec("protected", &[])
    };
    let spec = with([alice.id(), bob.id(), alice.id()]);
    let again = with([bob.id(), alice.id(), bob.id()]);
    assert_eq!(spec.address().unwrap(), again.address().unwrap(), "sorted, and each once");
    let db = open_database(&node, &spec);
    put(&node, db, &alice, record("a", [])).unwrap();
    put(&node, db, &bob, record("a", [])).unwrap();
    assert!(matches!(put(&node, db, &eve, record("a", [])), Err(WriteError::Denied { .. })));

    // the controller is a database of its own, with blocks that a peer can fetch
    let snapshot = node.snapshot().unwrap();
    let controller = snapshot.databases(ACCESS_FAMILY).unwrap().pop().unwrap();
    assert_eq!(
        (controller.spec.kind, controller.spec.name.as_str()),
        (DatabaseKind::KeyValue, "debros/1/app/!access/-/1.0/0")
    );
    assert_eq!(spec.manifest().unwrap().access, AccessAddress::Orbitdb(controller.address));
    let AccessSpec::Ipfs { write: admins } = &controller.spec.access else { panic!("{controller:?}") };
    let mut sorted = vec![alice.id(), bob.id()];
    sorted.sort_unstable();
    assert_eq!(*admins, sorted);
    let AccessAddress::Ipfs(list) = controller.spec.manifest().unwrap().access else { panic!() };
    assert!(snapshot.block(&list).unwrap().is_some());
    assert!(snapshot.block(&controller.address.manifest()).unwrap().is_some());

    // rows of the controller are written as those of any database, by its admins
    let grant = Payload::put("write".into(), vec![eve.id().into()].into());
    let (rights, theirs, hers) = (controller.id, grant.clone(), eve.clone());
    let error = job_error(write(&node, move |w| w.append(rights, &hers, theirs))).unwrap_err();
    assert!(matches!(error, WriteError::Denied { .. }), "{error}");
    job_error(write(&node, move |w| w.append(rights, &alice, grant))).unwrap();
    put(&node, db, &eve, record("b", [])).unwrap();
    verify(&node);
}

/// Everything that a node has of a database, in the order in which it was written, and the identities.
fn everything(node: &Node, database: DatabaseId) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let snapshot = node.snapshot().unwrap();
    let (mut entries, mut identities) = (Vec::new(), Vec::new());
    let mut list = snapshot.heads(database).unwrap();
    let mut seen = std::collections::HashSet::new();
    while let Some(hash) = list.pop() {
        if seen.insert(hash) {
            let entry = Entry::decode(&snapshot.block(&hash).unwrap().unwrap()).unwrap();
            list.extend(entry.next());
            identities.push(snapshot.block(&entry.identity()).unwrap().unwrap().to_vec());
            entries.push(entry);
        }
    }
    entries.sort_by_key(|entry| entry.clock());
    (identities, entries.into_iter().map(|entry| entry.bytes().to_vec()).collect())
}

struct Team {
    _folder: tempfile::TempDir,
    node: Node,
    spec: DatabaseSpec,
    access: DatabaseId,
    data: DatabaseId,
}

impl Team {
    fn new(spec: &DatabaseSpec) -> Team {
        let folder = folder();
        let node = open(folder.path());
        let data = open_database(&node, spec);
        let access = node.snapshot().unwrap().info(data).unwrap().controller.unwrap();
        Team { _folder: folder, node, spec: spec.clone(), access, data }
    }

    fn grant(&self, by: &Identity, to: &Identity) -> Result<bool, WriteError> {
        let (access, by, to) = (self.access, by.clone(), to.id().to_owned());
        let granted = job_error(write(&self.node, move |w| w.grant(access, &by, "write", &to)));
        granted.map(|hash| hash.is_some())
    }

    fn revoke(&self, by: &Identity, from: &Identity) -> bool {
        let (access, by, from) = (self.access, by.clone(), from.id().to_owned());
        job_error(write(&self.node, move |w| w.revoke(access, &by, "write", &from))).unwrap().is_some()
    }

    fn put(&self, by: &Identity, id: &str) -> Result<(), WriteError> {
        put(&self.node, self.data, by, record(id, []))
    }

    /// Sends this node's access database, and then its data, entry by entry.
    fn send(&self, to: &Team, what: [DatabaseId; 2]) {
        for database in what {
            let (identities, entries) = everything(&self.node, database);
            for entry in entries {
                block_on(to.node.receive(database, "a peer", identities.clone(), vec![entry])).unwrap();
            }
        }
        block_on(to.node.settle());
        verify(&to.node);
    }

    fn rows(&self) -> u64 {
        self.node.snapshot().unwrap().count(self.data).unwrap()
    }

    fn held(&self) -> Vec<Hold> {
        let snapshot = self.node.snapshot().unwrap();
        snapshot.held(Some(self.data)).map(|held| held.unwrap().hold).collect()
    }

    fn state(&self) -> [u8; 32] {
        self.node.snapshot().unwrap().state_hash(self.data).unwrap()
    }

    fn beside(&self) -> Team {
        Team::new(&self.spec)
    }
}

fn team() -> (Team, [Identity; 3]) {
    let key = |n| SigningKey::from_bytes(&[n; 32]).unwrap();
    let identity = |n| Identity::new(&key(n), key(100 + n));
    let (admin, anna, ben) = (identity(1), identity(2), identity(3));
    let spec = spec("data", &[]).with_access(AccessSpec::orbitdb("rights", [admin.id()]));
    (Team::new(&spec), [admin, anna, ben])
}

#[test]
fn rights_are_granted_and_revoked() {
    let (team, [admin, anna, ben]) = team();
    assert!(matches!(team.put(&anna, "a"), Err(WriteError::Denied { .. })));
    assert!(matches!(team.grant(&anna, &ben), Err(WriteError::Denied { .. })), "only founding admins grant");
    assert!(team.grant(&admin, &anna).unwrap());
    assert!(!team.grant(&admin, &anna).unwrap(), "she has it already");
    team.put(&anna, "a").unwrap();
    let snapshot = team.node.snapshot().unwrap();
    assert!(snapshot.may_write(team.data, anna.id()).unwrap() && !snapshot.may_write(team.data, ben.id()).unwrap());
    let capabilities = snapshot.capabilities(team.access).unwrap();
    assert!(capabilities.holders("write").eq([anna.id()]) && capabilities.holders("admin").eq([admin.id()]));
    assert!(team.revoke(&admin, &anna) && !team.revoke(&admin, &anna));
    assert!(matches!(team.put(&anna, "b"), Err(WriteError::Denied { .. })));
    assert_eq!(team.rows(), 1, "what she wrote stays");
    assert!(team.grant(&admin, &anna).unwrap());
    team.put(&anna, "b").unwrap();
    let data = team.data;
    let wrong = job_error(write(&team.node, move |w| w.grant(data, &admin, "write", "x"))).unwrap_err();
    assert!(matches!(wrong, WriteError::NoRights { .. }), "{wrong}");
    verify(&team.node);
}

#[test]
fn what_was_written_before_a_revocation_stays_valid_on_fresh_replicas() {
    let (team, [admin, anna, ben]) = team();
    team.grant(&admin, &anna).unwrap();
    team.grant(&admin, &ben).unwrap();
    for n in 0..20 {
        team.put(if n % 3 == 0 { &anna } else { &ben }, &format!("before {n}")).unwrap();
    }
    let ahead = team.beside();
    team.send(&ahead, [team.access, team.data]);
    team.revoke(&admin, &anna);
    team.put(&ben, "after").unwrap();
    // anna goes on where nobody has told her
    put(&ahead.node, ahead.data, &anna, record("too late", [])).unwrap();

    for order in [[team.access, team.data], [team.data, team.access]] {
        let fresh = team.beside();
        team.send(&fresh, order);
        assert_eq!((fresh.rows(), fresh.held()), (21, vec![]));
        assert_eq!(fresh.state(), team.state());
        ahead.send(&fresh, [ahead.data, ahead.access]);
        assert_eq!((fresh.rows(), fresh.held()), (21, vec![Hold::Denied { user: anna.id().to_owned() }]));
        assert_eq!(fresh.state(), team.state());
    }
    // where it was written it stays
    team.send(&ahead, [team.access, team.data]);
    assert_eq!(ahead.rows(), 22);
}

#[test]
fn what_waits_for_its_ancestors_while_its_users_right_is_revoked_is_judged_when_they_come() {
    let (team, [admin, anna, _]) = team();
    team.grant(&admin, &anna).unwrap();
    let log = team.spec.address().unwrap();
    let entry = |id: &str, next: &[&Entry], time| {
        let next: Vec<_> = next.iter().map(|entry| entry.hash()).collect();
        let payload = Payload::put(id.into(), record(id, []).into()).into_value();
        Entry::create(&anna, log, payload, &next, &[], time).unwrap()
    };
    let one = entry("1", &[], 1);
    let two = entry("2", &[&one], 2);
    let three = entry("3", &[&two], 3);
    let receive = |entry: &Entry| {
        let (identities, entries) = (vec![anna.bytes().to_vec()], vec![entry.bytes().to_vec()]);
        block_on(team.node.receive(team.data, "a peer", identities, entries)).unwrap();
        block_on(team.node.settle());
    };
    receive(&three);
    receive(&two);
    assert_eq!(team.held(), [Hold::Missing, Hold::Missing]);
    assert!(team.revoke(&admin, &anna));
    receive(&one);
    assert_eq!(team.held(), vec![Hold::Denied { user: anna.id().to_owned() }; 3]);
    verify(&team.node);
    assert!(team.grant(&admin, &anna).unwrap());
    block_on(team.node.settle());
    assert_eq!((team.rows(), team.held()), (3, vec![]));
    verify(&team.node);
}

#[test]
fn a_revocation_by_javascript_leaves_each_replica_with_what_it_had() {
    let (team, [admin, anna, _]) = team();
    team.grant(&admin, &anna).unwrap();
    team.put(&anna, "before").unwrap();
    let (access, by) = (team.access, admin.clone());
    job_error(write(&team.node, move |w| w.append(access, &by, Payload::del("write".into())))).unwrap();
    team.put(&admin, "after").unwrap();
    let fresh = team.beside();
    team.send(&fresh, [team.access, team.data]);
    // unlike JavaScript, which would have nothing
    assert_eq!((team.rows(), fresh.rows()), (2, 1));
    assert_eq!(fresh.held(), [Hold::Denied { user: anna.id().to_owned() }]);
    // a grant brings it back
    team.grant(&admin, &anna).unwrap();
    team.send(&fresh, [team.access, team.data]);
    assert_eq!((fresh.rows(), fresh.held()), (2, vec![]));
    assert_eq!(fresh.state(), team.state());
}

#[test]
fn a_grant_that_comes_late_lets_in_what_waited() {
    let (team, [admin, anna, ben]) = team();
    team.grant(&admin, &anna).unwrap();
    team.grant(&admin, &ben).unwrap();
    for n in 0..10 {
        team.put(if n % 2 == 0 { &anna } else { &ben }, &format!("{n}")).unwrap();
    }
    team.put(&admin, "last").unwrap();
    let fresh = team.beside();
    let (identities, entries) = everything(&team.node, team.data);
    for entry in entries {
        block_on(fresh.node.receive(fresh.data, "a peer", identities.clone(), vec![entry])).unwrap();
    }
    block_on(fresh.node.settle());
    // what an admin wrote is in, on top of what nobody has granted yet
    assert_eq!((fresh.rows(), fresh.held().len()), (1, 10));
    assert_eq!(
        fresh.node.snapshot().unwrap().heads(fresh.data).unwrap(),
        team.node.snapshot().unwrap().heads(team.data).unwrap()
    );
    verify(&fresh.node);
    let (identities, entries) = everything(&team.node, team.access);
    block_on(fresh.node.receive(fresh.access, "a peer", identities, entries)).unwrap();
    block_on(fresh.node.settle());
    assert_eq!((fresh.rows(), fresh.held().len()), (11, 0));
    assert_eq!(fresh.state(), team.state());
    verify(&fresh.node);
}

/// Everybody may write before noon.
struct Noon(std::sync::atomic::AtomicBool);

impl AccessController for Noon {
    fn kind(&self) -> &str {
        "noon"
    }
    fn allows(&self, request: &Request<'_>) -> bool {
        assert_eq!(request.parameters, [0x0c]);
        !self.0.load(std::sync::atomic::Ordering::Relaxed)
    }
}

#[test]
fn an_application_has_a_rule_of_its_own() {
    let folder = folder();
    let rule = std::sync::Arc::new(Noon(false.into()));
    let mut options = NodeOptions::default();
    options.controllers.push(rule.clone());
    let node = Node::open(folder.path(), options, std::sync::Arc::new(Words)).unwrap();
    let me = node.identity("me").unwrap();
    let custom = AccessSpec::Custom { kind: "noon".to_owned(), parameters: vec![0x0c] };
    let spec = spec("by day", &[]).with_access(custom);
    assert!(spec.manifest().unwrap().access.to_string().starts_with("/noon/zdpu"));
    let db = open_database(&node, &spec);
    put(&node, db, &me, record("a", [])).unwrap();
    rule.0.store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(matches!(put(&node, db, &me, record("b", [])), Err(WriteError::Denied { .. })));
    let log = spec.address().unwrap();
    let first = node.snapshot().unwrap().heads(db).unwrap()[0];
    let payload = Payload::put("b".into(), record("b", []).into()).into_value();
    let entry = Entry::create(&me, log, payload, &[first], &[], 2).unwrap();
    let receipt = block_on(node.receive(db, "p", vec![], vec![entry.bytes().to_vec()])).unwrap();
    assert!(matches!(receipt.held[..], [(_, Hold::Denied { .. })]));
    rule.0.store(false, std::sync::atomic::Ordering::Relaxed);
    block_on(node.judge_again(db)).unwrap();
    block_on(node.settle());
    assert_eq!(node.snapshot().unwrap().heads(db).unwrap(), [entry.hash()]);
    verify(&node);

    // without it the node does not open such a database
    let other = crate::support::folder();
    let node = open(other.path());
    let error = job_error(write(&node, move |w| w.open(&spec))).unwrap_err();
    assert!(matches!(&error, OpenDatabaseError::NoController(kind) if kind == "noon"), "{error}");
}

#[test]
fn databases_are_opened_by_their_address() {
    let (team, [admin, anna, _]) = team();
    team.grant(&admin, &anna).unwrap();
    let plain = spec("plain", &["*"]).of_kind(DatabaseKind::Events);
    let meta = DatabaseSpec { meta: Some("of old".into()), ..plain.clone() };
    open_database(&team.node, &plain);
    open_database(&team.node, &meta);
    let theirs = team.node.snapshot().unwrap();
    let folder = folder();
    let node = open(folder.path());
    for spec in [&plain, &meta, &team.spec] {
        let (address, blocks) = (spec.address().unwrap(), theirs.clone());
        let missing = job_error(write(&node, move |w| w.open_address(&address, "Family", &[], |_| None))).unwrap_err();
        assert!(matches!(missing, OpenDatabaseError::Missing(hash) if hash == address.manifest()), "{missing}");
        let fetch = move |hash: &Hash| blocks.block(hash).unwrap().map(|block| block.to_vec());
        let id = job_error(write(&node, move |w| w.open_address(&address, "Family", &[], fetch))).unwrap();
        let info = node.snapshot().unwrap().info(id).unwrap();
        assert_eq!((&info.spec, info.address), (spec, address));
        let again = job_error(write(&node, move |w| w.open_address(&address, "Family", &[], |_| None))).unwrap();
        assert_eq!(again, id);
    }
    verify(&node);
}
