//! Rows as JSON: as the struct of the model is written, with the loaded rows in the places of their relations.

use debros::prelude::*;
use serde::Serialize;
use serde_json::json;

#[model(scope = global, writers = anyone)]
#[derive(Debug, Clone, Serialize)]
struct Author {
    #[field(key)]
    name: String,
    #[has_many]
    #[serde(skip)]
    books: HasMany<Book>,
}

#[model(scope = global, writers = anyone)]
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Book {
    #[field(key)]
    title: String,
    author_id: String,
    page_count: f32,
    next_id: Option<String>,
    #[belongs_to]
    author: BelongsTo<Author>,
    #[belongs_to]
    next: BelongsTo<Option<Book>>,
}

#[tokio::test]
async fn what_was_loaded_stands_in_the_place_of_its_relation() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let db = Db::open(folder.path(), "library", models![Author, Book]).await?;
    let me = db.session(&db.identity("anna").await?);
    me.create(NewAuthor { name: "Ada".into() }).await?;
    for (title, next) in [("Two", None), ("One", Some("Two"))] {
        let new = NewBook { title: title.into(), author_id: "Ada".into(), page_count: 0.1 };
        me.create(new).set(|b| b.next_id, next.map(str::to_owned)).await?;
    }

    let one =
        Book::query().filter(|b| b.title.eq("One")).with(|b| (b.next.with(|b| b.author), b.author)).one(&me).await?;
    let two = json!({
        "title": "Two", "authorId": "Ada", "pageCount": 0.1f32, "nextId": null, "author": { "name": "Ada" }, "next": null
    });
    let whole = json!({
        "title": "One", "authorId": "Ada", "pageCount": 0.1f32, "nextId": "Two", "author": { "name": "Ada" }, "next": two
    });
    assert_eq!(serde_json::to_value(&one)?, whole);
    assert!(
        serde_json::to_string(&one)?
            .starts_with(r#"{"title":"One","authorId":"Ada","pageCount":0.1,"nextId":"Two","author":"#)
    );

    let ada = Author::query().with(|a| a.books.order_by(|b| b.title.asc())).one(&me).await?;
    let books = serde_json::to_value(&ada)?;
    assert_eq!(
        (&books["name"], &books["books"][0]["title"], &books["books"][1]["title"]),
        (&json!("Ada"), &json!("One"), &json!("Two"))
    );
    assert_eq!(serde_json::to_value(&*ada)?, json!({ "name": "Ada" }));
    db.close().await?;
    Ok(())
}
