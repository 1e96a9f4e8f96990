//! A blog of two users, on one node: it writes, links, asks, and tells what it does.
//!
//! `cargo run -p blog -- [DIR]`; the data folder is `data/blog` if none is named, and has to be new. With
//! `cargo run -p blog --features kubo -- [DIR] --kubo URL` its blocks are kept in a Kubo daemon, too.

mod models;

use debros::prelude::*;
use models::{Comment, NewComment, NewPost, NewTag, NewUser, Post, Tag, User};
use std::{error::Error, process::ExitCode, time::Duration};

/// A post as it stands on a page: what `.with` has to load is part of the type.
type Card = Loaded![Post { author, tags, comments { author } }];

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let kubo = arguments.iter().position(|argument| argument == "--kubo").map(|at| {
        arguments.remove(at);
        if at < arguments.len() { arguments.remove(at) } else { String::new() }
    });
    let folder = arguments.first().map_or("data/blog", String::as_str);
    match run(folder, kubo.as_deref()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn open(folder: &str, kubo: Option<&str>) -> Result<Db, Box<dyn Error>> {
    let builder = Db::builder(folder, "blog");
    #[cfg(feature = "kubo")]
    let builder = match kubo {
        Some(url) => builder.kubo(url),
        None => builder,
    };
    #[cfg(not(feature = "kubo"))]
    if kubo.is_some() {
        return Err("this program was built without the client for Kubo; run it by `cargo run -p blog --features kubo -- [DIR] --kubo URL`".into());
    }
    Ok(builder.open(models![User, Post, Comment, Tag]).await?)
}

async fn run(folder: &str, kubo: Option<&str>) -> Result<(), Box<dyn Error>> {
    let db = open(folder, kubo).await?;
    if User::query().exists(&db).await? {
        return Err(format!("{folder} holds a blog already: name a new folder, `cargo run -p blog -- DIR`").into());
    }

    heading("Two users");
    let (alice_key, ben_key) = (db.identity("alice").await?, db.identity("ben").await?);
    let (me, ben_session) = (db.session(&alice_key), db.session(&ben_key));
    let alice = me.create(NewUser { username: "alice".into() }).set(|u| u.bio, "writes about networks").await?;
    let ben = ben_session.create(NewUser { username: "ben".into() }).await?;
    println!("alice signs with {}", alice_key.user());
    println!("ben signs with   {}", ben_key.user());

    heading("A name that is taken, and one that is too short");
    for username in ["alice", "al"] {
        match ben_session.create(NewUser { username: username.into() }).await {
            Ok(_) => println!("`{username}` was free"),
            Err(error) => println!("{error}"),
        }
    }

    heading("Posts, tags and comments");
    let rust = me.create(NewTag { name: "rust".into() }).await?;
    let p2p = me.create(NewTag { name: "p2p".into() }).await?;
    let hello = me.create(post(&alice, "Hello", "My first post.")).await?;
    let logs = me
        .create(post(&alice, "Logs that merge", "Append, sign, exchange heads."))
        .set(|p| p.created_at, hello.created_at + Duration::from_secs(60 * 60))
        .await?;
    let draft = me.create(post(&alice, "A draft", "Not yet.")).await?;
    let many: Vec<Post> = me.batch().create_all((1..=5).map(|n| post(&alice, &format!("Note {n}"), "Short."))).await?;
    println!("{} posts, the last {} of them in one commit", many.len() + 3, many.len());

    for post in [&hello, &logs].into_iter().chain(&many) {
        me.update(post).set(|p| p.published, true).await?;
    }
    me.link(&hello, |p| p.tags, &rust).await?;
    me.link(&logs, |p| p.tags, &rust).await?;
    me.link(&logs, |p| p.tags, &p2p).await?;
    let texts = ["Nice.", "How do heads find each other?", "By gossip.", "I see.", "Thanks!"];
    for (minute, text) in (1..).zip(texts) {
        let (session, user) = if text == "By gossip." { (&me, &alice) } else { (&ben_session, &ben) };
        session
            .create(NewComment { post_id: logs.id, user_id: user.id, text: text.into() })
            .set(|c| c.created_at, logs.created_at + Duration::from_secs(60 * minute))
            .await?;
    }

    heading("Published posts about rust or p2p, newest first, with the last three comments");
    let live = Post::FIELDS.published.eq(true);
    let page = Post::query()
        .matching(&live)
        .filter(|p| !p.title.contains("draft"))
        .filter(|p| p.author.is(|u| u.username.eq("alice")) & p.tags.any(|t| t.name.one_of(["rust", "p2p"])))
        .with(|p| (p.author, p.tags, p.comments.order_by(|c| c.created_at.desc()).limit(3).with(|c| c.author)))
        .order_by(|p| p.created_at.desc())
        .page(20)
        .fetch(&me)
        .await?;
    for post in &page.rows {
        print!("{}", card(post));
        me.update(post).set(|p| p.popularity, post.popularity + 1).await?;
    }

    heading("Page by page");
    let mut page = Post::query().matching(&live).order_by(|p| p.title.asc()).page(3).fetch(&me).await?;
    loop {
        println!("{}", join(page.rows.iter().map(|post| &post.title)));
        match page.next(&me).await? {
            Some(next) => page = next,
            None => break,
        }
    }

    heading("Whose posts?");
    let alices = db.view(alice_key.user());
    println!("ben's own:         {}", Post::query().count(&ben_session).await?);
    println!("alice's:           {}", Post::query().count(&alices).await?);
    println!("with everybody's:  {}", Post::query().everywhere().count(&db).await?);
    println!("the owner of \"{}\" is alice: {}", logs.title, db.owner(&logs).await? == alice_key.user());
    if let Err(error) = ben_session.update(&logs).set(|p| p.title, "Ben was here").await {
        println!("{error}");
    }

    heading("Numbers");
    let reads: i64 = Post::query().sum(|p| p.popularity, &me).await?;
    let mean: Option<f64> = Post::query().everywhere().avg(|p| p.popularity, &db).await?;
    println!("read {reads} times, {:.2} in the mean", mean.unwrap_or_default());
    let groups = Post::query()
        .group_by(|p| p.published)
        .select(|g| (g.count(), g.avg(|p| p.popularity)))
        .order_by(|g| g.count().desc())
        .fetch(&me)
        .await?;
    for (published, (count, _)) in groups {
        println!("{count} {}", if published { "published" } else { "not published" });
    }

    heading("From a row to what belongs to it");
    let recent = logs.related(|p| p.comments).order_by(|c| c.created_at.asc()).limit(2).fetch(&me).await?;
    println!("the first comments on \"{}\": {}", logs.title, join(recent.iter().map(|comment| &comment.text)));
    let tagged = rust.related(|t| t.posts).everywhere().order_by(|p| p.title.asc()).fetch(&db).await?;
    println!("about rust: {}", join(tagged.iter().map(|post| &post.title)));

    heading("Change and delete");
    let drafts = Post::query().filter(|p| p.published.eq(false)).update_all(&me).set(|p| p.published, true).await?;
    let was_linked = me.unlink(&logs, |p| p.tags, &p2p).await?;
    let notes = Post::query().filter(|p| p.title.starts_with("Note")).delete_all(&me).await?;
    me.batch()
        .create(post(&alice, "One commit", "Made, changed and deleted together."), |p| p.set(|p| p.published, true))
        .update(&hello, |p| p.set(|p| p.title, "Hello again"))
        .delete(&draft)
        .await?;
    println!(
        "{drafts} draft published, a link removed: {was_linked}, {notes} notes deleted, three writes in one commit"
    );
    if let Err(error) = me.delete(&logs).await {
        println!("{error}");
    }
    let left = Post::query().order_by(|p| p.title.asc()).fetch(&me).await?;
    println!("left: {}", join(left.iter().map(|post| &post.title)));

    heading("How a query is answered");
    println!("{}", Post::query().matching(&live).order_by(|p| p.created_at.desc()).explain(&me).await?);

    heading("And after a restart");
    db.close().await?;
    let db = open(folder, kubo).await?;
    let me = db.session(&db.identity("alice").await?);
    println!("{} posts, {} comments", Post::query().count(&me).await?, Comment::query().everywhere().count(&db).await?);
    #[cfg(feature = "kubo")]
    if kubo.is_some() {
        heading("In Kubo");
        db.kubo().flush(Duration::from_secs(60)).await?;
        for (name, address) in db.addresses().await? {
            println!("{name}: {}", db.kubo().root(&address).await?.unwrap_or_default());
        }
    }
    db.close().await?;
    Ok(())
}

fn post(author: &User, title: &str, body: &str) -> NewPost {
    NewPost { user_id: author.id, title: title.into(), body: body.into() }
}

/// Needs the author, the tags, and the comments with their authors: a query that does not load them does not compile here.
fn card(post: &Card) -> String {
    let mut tags: Vec<&str> = post.tags().iter().map(|tag| tag.name.as_str()).collect();
    tags.sort_unstable();
    let mut text = format!("{} by {} [{}]\n", post.title, post.author().username, tags.join(", "));
    for comment in post.comments() {
        text += &format!("    {}: {}\n", comment.author().username, comment.text);
    }
    text
}

fn join<'t>(texts: impl Iterator<Item = &'t String>) -> String {
    texts.map(String::as_str).collect::<Vec<_>>().join(" | ")
}

fn heading(text: &str) {
    println!("\n{text}\n{}", "-".repeat(text.len()));
}
