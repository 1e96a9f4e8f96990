// Models inside functions, in private modules, and two of one name.
#![deny(warnings)]
use debros::prelude::*;

mod shop {
    use debros::prelude::*;

    #[model(name = "shop_item")]
    #[derive(Debug)]
    pub(super) struct Item {
        #[field(key)]
        pub(super) id: Id<Item>,
        pub(super) maker_id: Id<super::Maker>,
        price: i64,
        #[belongs_to]
        pub(super) maker: BelongsTo<super::Maker>,
    }

    impl Item {
        pub(super) fn made(maker_id: Id<super::Maker>) -> NewItem {
            NewItem { maker_id, price: 3 }
        }
        pub(super) fn cheap() -> Filter<Item> {
            Item::FIELDS.price.lt(5)
        }
    }
}

mod todo {
    use debros::prelude::*;

    #[model]
    struct Item {
        #[field(key)]
        id: Id<Item>,
        text: String,
    }

    pub fn models() -> Models {
        let _ = |item: Item| (item.id, item.text);
        models![Item]
    }
}

#[model]
#[derive(Debug)]
pub(crate) struct Maker {
    #[field(key)]
    id: Id<Maker>,
    #[has_many]
    items: HasMany<shop::Item>,
}

fn main() {
    #[model]
    #[derive(Debug)]
    struct Inner {
        #[field(key)]
        id: Id<Inner>,
        #[field(unique, len = 1..=3)]
        name: String,
        other_id: Option<Id<Inner>>,
        #[belongs_to]
        other: BelongsTo<Option<Inner>>,
        #[has_many]
        others: HasMany<Inner>,
    }
    let _ = models![Inner];
    let _ = Inner::query().filter(|inner| inner.name.eq("a") & inner.others.any(|other| other.name.eq("b")));
    let _ = NewInner { name: "a".into() };
    let _ = |inner: Inner| (inner.id, inner.name, inner.other_id, inner.other, inner.others);

    let _ = models![shop::Item, Maker];
    let _ = todo::models();
    let _ = |maker: &Maker| shop::Item::made(maker.id);
    let _ = Maker::query().filter(|maker| maker.items.any(|_| shop::Item::cheap()));
    let _ = shop::Item::query().with(|item| item.maker);
    let _ = |item: &shop::Item| (item.id, item.maker_id, item.maker);
}
