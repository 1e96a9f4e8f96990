//! Relations over users' stores: what is loaded, linked, shown and required.
#![allow(clippy::unwrap_used, unreachable_pub, reason = "tests: a panic is what they are for, and models are public")]

mod blog;

use blog::{Comment, NewComment, Post, Tag, User, blog, comment, post, session, tag, user};
use debros::WriteError;
use debros::prelude::*;

#[tokio::test]
async fn nested_relations_are_loaded_with_order_and_limit_for_each_parent() {
    let (_folder, db, alice) = blog().await;
    let bob = session(&db, "bob").await;
    let (a, b) = (user(&alice, "alice").await, user(&bob, "bobby").await);
    for title in ["one", "two"] {
        let written = post(&alice, &a, title).await;
        for n in 0..4 {
            comment(
                if n % 2 == 0 { &alice } else { &bob },
                if n % 2 == 0 { &a } else { &b },
                &written,
                &format!("{title} {n}"),
            )
            .await;
        }
    }
    type Card = Loaded![Post { author, comments { author } }];
    fn texts(post: &Card) -> Vec<String> {
        post.comments().iter().map(|c| format!("{}: {}", c.author().username, c.text)).collect()
    }
    let posts: Vec<Card> = Post::query()
        .with(|p| (p.author, p.comments.order_by(|c| c.text.desc()).limit(3).with(|c| c.author)))
        .order_by(|p| p.title.asc())
        .fetch(&alice)
        .await
        .unwrap();
    assert_eq!(posts.len(), 2);
    assert_eq!(posts[0].author().username, "alice");
    assert_eq!(texts(&posts[0]), ["bobby: one 3", "alice: one 2", "bobby: one 1"]);
    assert_eq!(texts(&posts[1]), ["bobby: two 3", "alice: two 2", "bobby: two 1"]);
    let mine = Post::query().with(|p| p.comments.mine()).order_by(|p| p.title.asc()).fetch(&alice).await.unwrap();
    assert_eq!(mine[0].comments().len(), 2);
}

#[tokio::test]
async fn predicates_lead_through_relations() {
    let (_folder, _db, me) = blog().await;
    let (a, b) = (user(&me, "alice").await, user(&me, "bobby").await);
    let (one, two) = (post(&me, &a, "one").await, post(&me, &b, "two").await);
    let (rust, p2p) = (tag(&me, "rust").await, tag(&me, "p2p").await);
    me.link(&one, |p| p.tags, &rust).await.unwrap();
    me.link(&one, |p| p.tags, &p2p).await.unwrap();
    comment(&me, &b, &two, "hello").await;
    let titles = |posts: Vec<Post>| posts.into_iter().map(|p| p.title).collect::<Vec<_>>();
    let q = || Post::query().order_by(|p| p.title.asc());
    assert_eq!(titles(q().filter(|p| p.author.is(|u| u.username.eq("alice"))).fetch(&me).await.unwrap()), ["one"]);
    assert_eq!(titles(q().filter(|p| p.tags.any(|t| t.name.one_of(["p2p"]))).fetch(&me).await.unwrap()), ["one"]);
    assert_eq!(titles(q().filter(|p| p.comments.none(|c| c.text.contains("hell"))).fetch(&me).await.unwrap()), ["one"]);
    assert_eq!(titles(q().filter(|p| p.tags.all(|t| t.name.eq("rust"))).fetch(&me).await.unwrap()), ["two"]);
    let both = q().filter(|p| {
        p.author.is(|u| u.username.eq("alice")) | p.comments.any(|c| c.author.is(|u| u.username.eq("bobby")))
    });
    assert_eq!(titles(both.fetch(&me).await.unwrap()), ["one", "two"]);
}

#[tokio::test]
async fn related_rows_are_a_query() {
    let (_folder, db, me) = blog().await;
    let a = user(&me, "alice").await;
    let written = post(&me, &a, "one").await;
    for n in 0..5 {
        comment(&me, &a, &written, &n.to_string()).await;
    }
    let recent = written.related(|p| p.comments).order_by(|c| c.text.desc()).limit(2).fetch(&me).await.unwrap();
    assert_eq!(recent.iter().map(|c| c.text.as_str()).collect::<Vec<_>>(), ["4", "3"]);
    assert_eq!(written.related(|p| p.author).one(&db).await.unwrap(), a);
    let rust = tag(&me, "rust").await;
    me.link(&written, |p| p.tags, &rust).await.unwrap();
    assert_eq!(rust.related(|t| t.posts).fetch(&db).await.unwrap(), [written]);
}

#[tokio::test]
async fn a_link_counts_if_its_maker_owns_an_end() {
    let (_folder, db, alice) = blog().await;
    let bob = session(&db, "bob").await;
    let a = user(&alice, "alice").await;
    let hers = post(&alice, &a, "hers").await;
    let rust = tag(&bob, "rust").await;
    // the tag is global, and the post is alice's: bob's link would not be shown
    let refused = bob.link(&hers, |p| p.tags, &rust).await.unwrap_err();
    assert!(
        matches!(&refused, WriteError::NotYours { model, owner, .. } if model == "Post.tags" && *owner == alice.user()),
        "{refused}"
    );
    alice.link(&hers, |p| p.tags, &rust).await.unwrap();
    let unlink = bob.unlink(&hers, |p| p.tags, &rust).await.unwrap_err();
    assert!(matches!(&unlink, WriteError::NotYours { owner, .. } if *owner == alice.user()), "{unlink}");
    let seen = Post::query().with(|p| p.tags).everywhere().one(&db).await.unwrap();
    assert_eq!(seen.tags().len(), 1);
}

mod between_users {
    use super::*;

    #[model(scope = user)]
    #[derive(Debug, Clone)]
    pub struct Photo {
        #[field(key)]
        pub id: Id<Photo>,
        pub name: String,
        #[many_to_many]
        pub albums: ManyToMany<Album>,
    }
    #[model(scope = user)]
    #[derive(Debug, Clone)]
    pub struct Album {
        #[field(key)]
        pub id: Id<Album>,
        pub name: String,
        #[many_to_many(inverse = albums)]
        pub photos: ManyToMany<Photo>,
    }
    #[model(scope = global, writers = owner)]
    #[derive(Debug, Clone)]
    pub struct Band {
        #[field(key)]
        pub id: Id<Band>,
        #[many_to_many]
        pub genres: ManyToMany<Genre>,
    }
    #[model(scope = global, writers = anyone)]
    #[derive(Debug, Clone)]
    pub struct Genre {
        #[field(key)]
        pub name: String,
        #[many_to_many(inverse = genres)]
        pub bands: ManyToMany<Band>,
    }

    async fn open() -> (tempfile::TempDir, Db, Session, Session, Session) {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(folder.path(), "photos", models![Photo, Album, Band, Genre]).await.unwrap();
        let (a, b, c) = (session(&db, "alice").await, session(&db, "bob").await, session(&db, "carol").await);
        (folder, db, a, b, c)
    }

    #[tokio::test]
    async fn either_owner_links_two_users_rows() {
        let (_folder, db, alice, bob, carol) = open().await;
        let photo = alice.create(NewPhoto { name: "cat".into() }).await.unwrap();
        let album = bob.create(NewAlbum { name: "cats".into() }).await.unwrap();
        bob.link(&photo, |p| p.albums, &album).await.unwrap();
        alice.link(&album, |a| a.photos, &photo).await.unwrap();
        let refused = carol.link(&photo, |p| p.albums, &album).await;
        assert!(matches!(refused, Err(WriteError::NotYours { .. })), "{refused:?}");
        let seen = Photo::query().with(|p| p.albums).everywhere().one(&db).await.unwrap();
        assert_eq!(seen.albums().len(), 1, "a pair that two users linked shows once");
        assert!(bob.unlink(&photo, |p| p.albums, &album).await.unwrap());
        // alice's link is left
        assert_eq!(album.related(|a| a.photos).count(&db).await.unwrap(), 1);
        assert!(matches!(bob.unlink(&photo, |p| p.albums, &album).await, Err(WriteError::NotYours { .. })));
    }

    #[tokio::test]
    async fn between_global_models_whoever_may_write_the_left_side_links() {
        let (_folder, db, alice, bob, _) = open().await;
        let band = alice.create(NewBand {}).await.unwrap();
        let jazz = bob.create(NewGenre { name: "jazz".into() }).await.unwrap();
        let refused = bob.link(&jazz, |g| g.bands, &band).await.unwrap_err();
        assert!(matches!(&refused, WriteError::NotYours { owner, .. } if *owner == alice.user()), "{refused}");
        alice.link(&band, |b| b.genres, &jazz).await.unwrap();
        assert_eq!(jazz.related(|g| g.bands).count(&db).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_deleted_rows_own_links_go_with_it() {
        let (_folder, db, _, bob, _) = open().await;
        let band = bob.create(NewBand {}).await.unwrap();
        let jazz = bob.create(NewGenre { name: "jazz".into() }).await.unwrap();
        bob.link(&band, |b| b.genres, &jazz).await.unwrap();
        bob.delete(&jazz).await.unwrap();
        // a genre of the same name is not linked
        let jazz = bob.create(NewGenre { name: "jazz".into() }).await.unwrap();
        assert_eq!(jazz.related(|g| g.bands).count(&db).await.unwrap(), 0);
        assert!(!bob.unlink(&band, |b| b.genres, &jazz).await.unwrap());
    }
}

#[tokio::test]
async fn natural_keys_of_a_user_scoped_model_resolve_within_their_own_store() {
    #[model(scope = user)]
    #[derive(Debug, Clone)]
    pub struct Folder {
        #[field(key)]
        pub name: String,
        pub note: String,
        #[has_many]
        pub files: HasMany<File>,
    }
    #[model(scope = user)]
    #[derive(Debug, Clone)]
    pub struct File {
        #[field(key)]
        pub name: String,
        pub folder_name: String,
        #[belongs_to(key = folder_name)]
        pub folder: BelongsTo<Folder>,
    }
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(dir.path(), "files", models![Folder, File]).await.unwrap();
    let (alice, bob) = (session(&db, "alice").await, session(&db, "bob").await);
    let hers = alice.create(NewFolder { name: "docs".into(), note: "hers".into() }).await.unwrap();
    let orphan = bob.create(NewFile { name: "f".into(), folder_name: "docs".into() }).await;
    assert!(matches!(orphan, Err(WriteError::MissingParent { .. })), "alice's folder is none of bob's: {orphan:?}");
    bob.create(NewFolder { name: "docs".into(), note: "his".into() }).await.unwrap();
    bob.create(NewFile { name: "f".into(), folder_name: "docs".into() }).await.unwrap();
    let file = File::query().with(|f| f.folder).one(&bob).await.unwrap();
    assert_eq!(file.folder().note, "his");
    // bob's file does not require alice's folder
    alice.delete(&hers).await.unwrap();
    assert!(matches!(bob.delete(file.folder()).await, Err(WriteError::StillRequired { .. })));
}

#[tokio::test]
async fn rows_that_require_each_other_are_deleted_together() {
    #[model(scope = global, writers = anyone)]
    #[derive(Debug, Clone)]
    pub struct Node {
        #[field(key)]
        pub name: String,
        pub parent_name: String,
        #[belongs_to(key = parent_name)]
        pub parent: BelongsTo<Node>,
        #[has_many]
        pub children: HasMany<Node>,
    }
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(dir.path(), "nodes", models![Node]).await.unwrap();
    let me = session(&db, "me").await;
    // a root is its own parent: it cannot be there before it is
    let root = me.create(NewNode { name: "root".into(), parent_name: "root".into() }).await.unwrap();
    me.create(NewNode { name: "leaf".into(), parent_name: "root".into() }).await.unwrap();
    assert!(matches!(me.delete(&root).await, Err(WriteError::StillRequired { ref child, .. }) if child == "leaf"));
    assert_eq!(Node::query().delete_all(&me).await.unwrap(), 2);
}

#[tokio::test]
async fn required_rows_that_are_gone_leave_their_rows_out_and_are_listed() {
    let (_folder, db, alice) = blog().await;
    let a = user(&alice, "alice").await;
    let written = post(&alice, &a, "one").await;
    let said = comment(&alice, &a, &written, "hi").await;
    assert_eq!(db.problems().await.unwrap(), []);
    let new = NewComment { post_id: Id::from_uuid(uuid::Uuid::from_u128(1)), user_id: a.id, text: "x".into() };
    assert!(matches!(alice.create(new).await, Err(WriteError::MissingParent { relation: "post", .. })));
    // required parents are checked where they are named anew
    let moved = alice.update(&said).set(|c| c.post_id, Id::from_uuid(uuid::Uuid::from_u128(1))).await;
    assert!(matches!(moved, Err(WriteError::MissingParent { relation: "post", .. })), "{moved:?}");
    assert_eq!(Comment::query().with(|c| c.post).fetch(&alice).await.unwrap().len(), 1);
    let _ = (Tag::query().count(&db).await.unwrap(), User::query().count(&db).await.unwrap());
}
