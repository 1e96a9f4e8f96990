//! An application whose types changed opens the data of the version before.
#![allow(clippy::unwrap_used, unreachable_pub, reason = "tests: a panic is what they are for, and models are public")]

use debros::prelude::*;
use debros::{ProblemKind, Value};

mod before {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Value)]
    pub enum Mood {
        Glad,
        Sad,
    }
    #[derive(Clone, Debug, PartialEq, Value)]
    pub struct Place {
        pub town: String,
        pub moods: Vec<Mood>,
        pub within: Vec<Place>,
    }
    #[model(scope = global, writers = anyone, name = "Day")]
    #[derive(Clone, Debug)]
    pub struct Day {
        #[field(key)]
        pub date: String,
        pub place: Place,
    }
}

mod after {
    use super::*;

    /// `Sad` is gone.
    #[derive(Clone, Debug, PartialEq, Value)]
    pub enum Mood {
        Glad,
        Calm,
    }
    #[derive(Clone, Debug, PartialEq, Value)]
    pub struct Place {
        pub town: String,
        pub moods: Vec<Mood>,
        pub within: Vec<Place>,
    }
    #[model(scope = global, writers = anyone, name = "Day")]
    #[derive(Clone, Debug)]
    pub struct Day {
        #[field(key)]
        pub date: String,
        pub place: Place,
    }
}

#[tokio::test]
async fn rows_that_a_changed_enum_cannot_read_are_listed_and_the_others_served() {
    use before::{Mood, NewDay, Place};
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(folder.path(), "diary", models![before::Day]).await.unwrap();
    let me = db.session(&db.identity("me").await.unwrap());
    for (date, mood) in [("monday", Mood::Glad), ("tuesday", Mood::Sad)] {
        let inner = Place { town: "garden".into(), moods: vec![mood], within: Vec::new() };
        let place = Place { town: "home".into(), moods: Vec::new(), within: vec![inner] };
        me.create(NewDay { date: date.into(), place }).await.unwrap();
    }
    db.close().await.unwrap();

    let db = Db::open(folder.path(), "diary", models![after::Day]).await.unwrap();
    let days = after::Day::query().fetch(&db).await.unwrap();
    assert_eq!(days.iter().map(|day| day.date.as_str()).collect::<Vec<_>>(), ["monday"]);
    assert_eq!(after::Day::query().count(&db).await.unwrap(), 1);
    assert_eq!(days[0].place.within[0].moods, [after::Mood::Glad]);
    let problems = db.problems().await.unwrap();
    assert_eq!(problems.len(), 1);
    assert_eq!((problems[0].model.as_str(), problems[0].key.as_str()), ("Day", "tuesday"));
    let ProblemKind::Unreadable { reason } = &problems[0].kind else { panic!("{problems:?}") };
    assert!(reason.contains("`Sad`") && reason.contains("Day.place"), "{reason}");
    db.close().await.unwrap();

    // nothing was lost: the version before reads both again
    let db = Db::open(folder.path(), "diary", models![before::Day]).await.unwrap();
    assert_eq!(before::Day::query().count(&db).await.unwrap(), 2);
    assert!(db.problems().await.unwrap().is_empty());
    assert!(db.verify().await.unwrap().is_clean());
    db.close().await.unwrap();
}
