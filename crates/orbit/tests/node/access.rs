use crate::support::{del, folder, job_error, key, open, open_database, put, record, spec, verify, write};
use debros_orbit::{
    ACCESS_FAMILY, AccessAddress, AccessSpec, DatabaseKind, DatabaseSpec, Payload, ReadDocuments, WriteError,
};

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
        access: AccessSpec::Orbitdb {
            name: "debros/1/app/!access/-/1.0/0".to_owned(),
            admins: admins.iter().map(|&id| id.to_owned()).collect(),
        },
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

    // rights cannot be granted yet, rather than granted without effect
    let grant = Payload::put("write".into(), vec![eve.id().into()].into());
    let error = job_error(write(&node, move |w| w.append(controller.id, &alice, grant))).unwrap_err();
    assert!(matches!(error, WriteError::Grants(_)), "{error}");
    verify(&node);
}
