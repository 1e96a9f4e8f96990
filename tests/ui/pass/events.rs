// A model of events has what others have, but nothing that changes.
#[path = "../visits.rs"]
mod visits;
use debros::EventHooks;
use debros::prelude::*;
use debros::typed::Changeable;
use visits::{NewVisit, Page, Visit};

#[model(store = events, hooks, name = "clicks", unique(who, at), index(x, y), sharding(strategy = hash, key = who, count = 4))]
#[derive(Debug, Clone, PartialEq)]
pub struct Click {
    #[field(key)]
    pub id: Id<Click>,
    #[field(owner)]
    pub who: UserId,
    #[field(range = 0..)]
    pub x: u32,
    #[field(default = 0)]
    pub y: u32,
    #[field(created)]
    pub at: Timestamp,
    pub visit_id: Option<Id<Visit>>,
    #[belongs_to]
    pub visit: BelongsTo<Option<Visit>>,
    #[many_to_many]
    pub pages: ManyToMany<Linked>,
}

impl EventHooks for Click {
    fn before_create(&mut self, _: &HookContext) -> Result<(), HookError> {
        self.y += 1;
        Ok(())
    }
}

#[model(store = "events")]
#[derive(Debug, Clone)]
pub struct Linked {
    #[field(key)]
    pub left: String,
    #[field(key)]
    pub right: i64,
    #[many_to_many(inverse = pages)]
    pub clicks: ManyToMany<Click>,
}

/// What a function says that changes rows of any model that can be changed.
pub async fn forget<W: Row<Model: Changeable>>(me: &Session, row: &W) -> debros::Result<()> {
    Ok(me.delete(row).await?)
}

pub async fn program(db: Db, me: Session, page: Page) -> debros::Result<()> {
    let new = NewVisit { page_id: page.id, browser: "lynx".into() };
    let visit = me.create(new).await?;
    let click = me.create(NewClick { x: 1 }).set(|c| c.visit_id, visit.id).set(|c| c.at, Timestamp::now()).await?;
    let _: Vec<Click> = me.batch().create_all([NewClick { x: 2 }, NewClick { x: 3 }]).await?;
    let linked = me.create(NewLinked { left: "a".into(), right: 1 }).await?;
    me.link(&click, |c| c.pages, &linked).await?;
    me.unlink(&linked, |l| l.clicks, &click).await?;
    for page in Page::query().with(|p| p.visits.with(|v| v.page)).fetch(&db).await? {
        println!("{}", page.visits()[0].page().path);
    }
    let _: Option<Click> = Click::get(&click.id).fetch(&me).await?;
    let _ = Click::query().filter(|c| c.visit.is(|v| v.browser.eq("lynx"))).order_by(|c| c.x.desc()).page(5).fetch(&me).await?;
    forget(&me, &page).await
}

fn main() {
    let _ = (models![Click, Linked, Visit, Page], program);
}
