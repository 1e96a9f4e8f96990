//! What the words of the API mean, on the typed surface.

use debros_core::{BelongsTo, HasMany, Model as _};
use debros_query::{
    Coverage, Get, Page, Partial, Query, QueryError, Related as _,
    oracle::{
        Memory, MemorySource,
        blog::{Post, User},
        user,
    },
};
use futures::executor::block_on;

fn posts() -> Query<Post> {
    Query::new()
}
fn post(number: i64, author: &str, likes: i64, rating: Option<f64>) -> Post {
    Post { number, author_name: author.to_owned(), likes, published: true, rating, author: BelongsTo::new() }
}
fn numbers(posts: &[Post]) -> Vec<i64> {
    posts.iter().map(|post| post.number).collect()
}
fn send<T: Send + 'static>(value: T) -> T {
    value
}

#[test]
fn absent_values_are_as_options() {
    let me = Memory::blog();
    let count = |query: Query<Post>| block_on(query.count(&me)).unwrap();
    // ratings: 0.5, none, 1.0, none
    assert_eq!(count(posts().filter(|p| p.rating.eq(0.5))), 1);
    assert_eq!(count(posts().filter(|p| p.rating.ne(0.5))), 3);
    assert_eq!(count(posts().filter(|p| p.rating.eq(None))), 2);
    assert_eq!(count(posts().filter(|p| p.rating.is_some())), 2);
    assert_eq!(count(posts().filter(|p| p.rating.one_of([0.5, 2.0]))), 1);
    assert_eq!(count(posts().filter(|p| p.rating.none_of([0.5, 2.0]))), 3);
    assert_eq!(count(posts().filter(|p| p.rating.gt(0.1))), 2);
    assert_eq!(count(posts().filter(|p| p.rating.le(9.0))), 2);
    assert_eq!(count(posts().filter(|p| !p.rating.gt(0.1))), 2);
    let up = block_on(posts().order_by(|p| p.rating.asc()).fetch(&me)).unwrap();
    assert_eq!(numbers(&up), [2, 4, 1, 3]);
    let down = block_on(posts().order_by(|p| p.rating.desc()).fetch(&me)).unwrap();
    assert_eq!(numbers(&down), [3, 1, 4, 2]);
    assert_eq!(block_on(posts().avg(|p| p.rating, &me)).unwrap(), Some(0.75));
    assert_eq!(block_on(posts().sum(|p| p.rating, &me)).unwrap(), 1.5);
    let least: Option<f64> = block_on(posts().min(|p| p.rating, &me)).unwrap();
    assert_eq!(least, Some(0.5));
}

#[test]
fn several_orders_add_up_and_ties_go_by_key() {
    let me = Memory::blog();
    let by = |query: Query<Post, _, _>| numbers(&block_on(query.fetch(&me)).unwrap());
    assert_eq!(by(posts().order_by(|p| p.published.asc())), [4, 1, 2, 3]);
    assert_eq!(by(posts().order_by(|p| p.published.desc())), [3, 2, 1, 4]);
    assert_eq!(by(posts().order_by(|p| p.published.desc()).order_by(|p| p.likes.asc())), [1, 3, 2, 4]);
    assert_eq!(by(posts().order_by(|p| p.number.desc())), [4, 3, 2, 1]);
}

#[test]
fn an_end_acts_on_the_rows_that_fetch_would_give() {
    let me = Memory::blog();
    let two = || posts().order_by(|p| p.likes.desc()).limit(2);
    assert_eq!(block_on(two().count(&me)).unwrap(), 2);
    assert_eq!(block_on(two().sum(|p| p.likes, &me)).unwrap(), 50);
    assert_eq!(block_on(two().min(|p| p.likes, &me)).unwrap(), Some(20));
    assert_eq!(block_on(two().limit(5).count(&me)).unwrap(), 2);
    assert!(!block_on(two().limit(0).exists(&me)).unwrap());
    let groups = two().group_by(|p| p.author_name).select(|g| g.count()).fetch(&me);
    assert_eq!(block_on(groups).unwrap(), [("alice".to_owned(), 2)]);
    // a page of what is left
    let page = block_on(two().page(5).fetch(&me)).unwrap();
    assert_eq!((numbers(&page.rows), page.has_more), (vec![2, 3], false));
    let page = block_on(two().page(1).fetch(&me)).unwrap();
    let next = block_on(page.next(&me)).unwrap().unwrap();
    assert_eq!((numbers(&next.rows), next.has_more), (vec![3], false));
    assert!(block_on(next.next(&me)).unwrap().is_none());
}

#[test]
fn one_is_an_error_for_none_and_for_several() {
    let me = Memory::blog();
    let of = |likes| block_on(posts().filter(|p| p.likes.gt(likes)).one(&me));
    assert_eq!(of(20).unwrap().number, 2);
    assert!(matches!(of(10), Err(QueryError::SeveralFound { model: "Post" })));
    let none = of(90).unwrap_err();
    assert_eq!(none.to_string(), "no `Post` matches; `.first(..)` gives an `Option` instead");
    assert_eq!(block_on(posts().filter(|p| p.likes.gt(90)).first(&me)).unwrap(), None);
    assert_eq!(block_on(posts().order_by(|p| p.likes.asc()).limit(1).one(&me)).unwrap().number, 4);
}

#[test]
fn figures_of_nothing_and_of_too_much() {
    let me = Memory::new(MemorySource::new([User::DEF, Post::DEF]), user(0));
    assert_eq!(block_on(posts().sum(|p| p.likes, &me)).unwrap(), 0);
    assert_eq!(block_on(posts().avg(|p| p.likes, &me)).unwrap(), None);
    assert_eq!(block_on(posts().max(|p| p.author_name, &me)).unwrap(), None);
    me.insert(&post(1, "alice", i64::MAX, None));
    assert_eq!(block_on(posts().sum(|p| p.likes, &me)).unwrap(), i64::MAX);
    me.insert(&post(2, "bob", 1, None));
    let error = block_on(posts().sum(|p| p.likes, &me)).unwrap_err();
    assert!(error.to_string().starts_with("the sum of `Post.likes` does not fit its type"), "{error}");
    let by_author = posts().group_by(|p| p.author_name).select(|g| (g.sum(|p| p.likes), g.max(|p| p.rating)));
    let groups = block_on(by_author.fetch(&me)).unwrap();
    assert_eq!(groups, [("alice".to_owned(), (i64::MAX, None)), ("bob".to_owned(), (1, None))]);
    me.insert(&post(3, "bob", i64::MAX, None));
    assert!(block_on(posts().group_by(|p| p.author_name).select(|g| g.sum(|p| p.likes)).fetch(&me)).is_err());
}

#[test]
fn partial_gives_what_is_here_and_says_how_much() {
    let me = Memory::blog();
    me.lack::<Post>(2);
    let error = block_on(posts().fetch(&me)).unwrap_err();
    let coverage = Coverage::default();
    assert!(matches!(error, QueryError::Incomplete(held) if held.missing == 2 && held.databases == 1), "{error}");
    assert_eq!(
        error.to_string(),
        "the answer would not be complete: 1 database read, 2 not held here; `.partial()` takes what is here"
    );
    for incomplete in [
        block_on(posts().count(&me)).map(drop),
        block_on(posts().first(&me)).map(drop),
        block_on(posts().sum(|p| p.likes, &me)).map(drop),
        block_on(posts().filter(|p| p.likes.gt(90)).one(&me)).map(drop),
        block_on(posts().order_by(|p| p.likes.asc()).page(2).fetch(&me)).map(drop),
        block_on(Get::<Post>::new(&9).fetch(&me)).map(drop),
    ] {
        assert!(matches!(incomplete, Err(QueryError::Incomplete(_))), "{incomplete:?}");
    }
    // a row that is here needs no other database
    assert!(block_on(Get::<Post>::new(&1).fetch(&me)).unwrap().is_some());
    let Partial { rows, coverage: held } = block_on(posts().partial().filter(|p| p.likes.gt(1)).fetch(&me)).unwrap();
    assert_eq!((numbers(&rows).len(), held.missing), (3, 2));
    assert_eq!(block_on(posts().partial().count(&me)).unwrap().rows, 4);
    let page: Partial<Page<Post>> = block_on(posts().order_by(|p| p.likes.asc()).page(3).partial().fetch(&me)).unwrap();
    assert_eq!(page.coverage.missing, 2);
    let next = block_on(page.rows.next(&me)).unwrap().unwrap();
    assert_eq!((next.rows.len(), next.coverage.missing), (1, 2));
    let plan = block_on(posts().explain(&me)).unwrap();
    assert_eq!(plan.databases, 1);
    assert_eq!(coverage, Coverage::default());
}

#[test]
fn a_row_that_lacks_what_it_requires_is_left_out_before_the_limit() {
    let me = Memory::blog();
    me.insert(&post(9, "nobody", 99, None));
    let best = || posts().order_by(|p| p.likes.desc());
    assert_eq!(numbers(&block_on(best().limit(2).fetch(&me)).unwrap()), [9, 2]);
    let loaded = block_on(best().with(|p| p.author).limit(2).fetch(&me)).unwrap();
    assert_eq!(
        loaded.iter().map(|post| (post.number, &post.author().name[..])).collect::<Vec<_>>(),
        [(2, "alice"), (3, "alice")]
    );
    assert_eq!(block_on(posts().with(|p| p.author).count(&me)).unwrap(), 4);
    assert_eq!(block_on(posts().with(|p| p.author).max(|p| p.likes, &me)).unwrap(), Some(30));
    assert_eq!(block_on(best().with(|p| p.author).first(&me)).unwrap().unwrap().number, 2);
    assert!(block_on(Get::<Post>::new(&9).with(|p| p.author).fetch(&me)).unwrap().is_none());
    let all = block_on(posts().with(|p| p.author).partial().fetch(&me)).unwrap();
    assert_eq!((all.rows.len(), all.coverage.left_out), (4, 1));
    let page = block_on(best().with(|p| p.author).page(1).fetch(&me)).unwrap();
    assert_eq!((page.rows[0].number, page.coverage.left_out), (2, 1));
}

#[test]
fn a_query_reads_its_handles_user_or_everybody() {
    let me = Memory::blog();
    let other = me.as_user(user(1));
    other.insert(&post(1, "bob", 7, None));
    assert_eq!(block_on(posts().count(&me)).unwrap(), 4);
    assert_eq!(block_on(posts().count(&other)).unwrap(), 1);
    assert_eq!(block_on(posts().everywhere().count(&other)).unwrap(), 5);
    assert_eq!(block_on(Query::<User>::new().count(&other)).unwrap(), 2);
    // a natural key means a row of one's own
    assert_eq!(block_on(Get::<Post>::new(&1).fetch(&other)).unwrap().unwrap().likes, 7);
    assert_eq!(block_on(Get::<Post>::new(&1).everywhere().fetch(&me)).unwrap().unwrap().likes, 10);
    assert!(block_on(Get::<Post>::new(&2).everywhere().fetch(&other)).unwrap().is_none());
    // relations read every store
    let bob = block_on(Get::<User>::new("bob").fetch(&me)).unwrap().unwrap();
    assert_eq!(block_on(bob.related(|u| u.posts).count(&me)).unwrap(), 2);
    assert_eq!(block_on(bob.related(|u| u.posts).filter(|p| p.likes.gt(1)).one(&other)).unwrap().likes, 7);
}

#[test]
fn relations_load_in_order_within_their_limit() {
    let me = Memory::blog();
    let alice = Query::<User>::new()
        .filter(|u| u.posts.any(|p| p.likes.ge(30)))
        .with(|u| u.posts.order_by(|p| p.likes.desc()).limit(2).with(|p| p.author))
        .one(&me);
    let alice = block_on(alice).unwrap();
    let posts: Vec<_> = alice.posts().iter().map(|post| (post.likes, &post.author().name[..])).collect();
    assert_eq!(posts, [(30, "alice"), (20, "alice")]);
}

#[test]
fn update_all_and_delete_all_act_on_the_rows_of_the_query() {
    let me = Memory::blog();
    let best = posts().order_by(|p| p.likes.desc()).limit(2);
    assert_eq!(block_on(async { best.update_all(&me).set(|p| p.rating, 5.0).set(|p| p.likes, 0).await }).unwrap(), 2);
    assert_eq!(block_on(posts().filter(|p| p.rating.eq(5.0)).count(&me)).unwrap(), 2);
    assert_eq!(block_on(posts().filter(|p| p.likes.eq(0)).delete_all(&me)).unwrap(), 2);
    assert_eq!(block_on(posts().count(&me)).unwrap(), 2);
}

#[test]
fn what_has_no_stored_form_is_the_error_of_the_end() {
    let me = Memory::blog();
    let error = block_on(async { posts().update_all(&me).set(|p| p.rating, f64::NAN).await }).unwrap_err();
    assert!(matches!(error, QueryError::Encode(_)), "{error}");
    // no stored value is equal to NaN, smaller or larger
    assert_eq!(block_on(posts().filter(|p| p.rating.ne(f64::NAN)).count(&me)).unwrap(), 4);
    assert_eq!(block_on(posts().filter(|p| p.rating.le(f64::NAN)).count(&me)).unwrap(), 0);
    assert_eq!(block_on(posts().filter(|p| p.rating.lt(f64::INFINITY)).count(&me)).unwrap(), 2);
}

#[test]
fn pages_go_on_where_they_ended() {
    let me = Memory::blog();
    let mut page = block_on(posts().order_by(|p| p.likes.asc()).page(1).fetch(&me)).unwrap();
    let mut seen = numbers(&page.rows);
    me.insert(&post(8, "bob", 0, None));
    me.insert(&post(9, "bob", 15, None));
    while let Some(next) = block_on(page.next(&me)).unwrap() {
        seen.extend(numbers(&next.rows));
        page = next;
    }
    assert_eq!(seen, [4, 1, 9, 3, 2]);
    // a last page can be asked again
    me.insert(&post(10, "bob", 99, None));
    assert_eq!(numbers(&block_on(page.next(&me)).unwrap().unwrap().rows), [10]);
}

#[test]
fn answers_can_be_sent() {
    let me = Memory::blog();
    let answers = (
        send(posts().with(|p| p.author).fetch(&me)),
        send(posts().order_by(|p| p.likes.asc()).page(2).fetch(&me)),
        send(posts().group_by(|p| (p.published, p.author_name)).select(|g| (g.count(), g.avg(|p| p.likes))).fetch(&me)),
        send(posts().partial().exists(&me)),
    );
    let page = send(block_on(answers.1).unwrap());
    assert_eq!(page.rows.len(), 2);
    let groups = block_on(answers.2).unwrap();
    assert_eq!(groups[0], ((false, "bob".to_owned()), (1, Some(1.0))));
    let _ = (answers.0, answers.3, HasMany::<Post>::new());
}
