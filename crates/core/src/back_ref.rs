//! [`ChildOf`]: the way back from a child to its parent, checked by the compiler.

use crate::{Field, const_text::ConstText};

/// Models with `#[belongs_to]` fields that lead to `P`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `#[belongs_to]` field that points back to `{P}`",
    label = "`has_one` and `has_many` lead to models that belong to this one"
)]
pub trait ChildOf<P> {
    /// The name of the child, for messages.
    const NAME: &'static str;
    /// The name of the parent, for messages.
    const PARENT: &'static str;
    /// These fields.
    const PARENTS: &'static [BackRef];
}

/// One `#[belongs_to]` field.
#[derive(Debug)]
pub struct BackRef {
    /// Its name.
    pub relation: &'static str,
    /// The fields that hold the parent's key.
    pub keys: &'static [&'static str],
}

/// The fields of the child `C` that hold the key of its parent `P`: those of the `belongs_to` named `relation`, or of the only
/// one. `of` is the relation that asks, for messages.
///
/// # Panics
/// When it is evaluated by the compiler, as a compile error: if there are several and none is named, or none has this
/// name.
#[track_caller]
pub const fn back_ref<C: ChildOf<P>, P>(relation: Option<&'static str>) -> &'static [&'static str] {
    let all = C::PARENTS;
    match relation {
        None if all.len() == 1 => all[0].keys,
        None => {
            let text = ConstText::new()
                .add("`")
                .add(C::NAME)
                .add("` has more than one `#[belongs_to]` to `")
                .add(C::PARENT)
                .add("`: pick one with `key = ")
                .add(all[0].relation)
                .add("`");
            panic!("{}", text.as_str())
        }
        Some(name) => {
            let mut at = 0;
            while at < all.len() {
                if ConstText::same(all[at].relation, name) {
                    return all[at].keys;
                }
                at += 1;
            }
            let text = ConstText::new()
                .add("`")
                .add(C::NAME)
                .add("` has no `#[belongs_to]` field named `")
                .add(name)
                .add("` that leads to `")
                .add(C::PARENT)
                .add("`");
            panic!("{}", text.as_str())
        }
    }
}

/// Types of fields that can hold a key of the type `K`: `K` itself, or an `Option` of it.
#[diagnostic::on_unimplemented(
    message = "foreign key has type `{Self}`, but the referenced key has type `{K}`",
    label = "must hold the key of the model that the relation leads to"
)]
pub trait RefersTo<K> {}
impl<K> RefersTo<K> for K {}
impl<K: Field> RefersTo<K> for Option<K> {}

/// Tuples of types of fields that together can hold a composite key of the type `K`.
#[diagnostic::on_unimplemented(
    message = "foreign key has type `{Self}`, but the referenced key has type `{K}`",
    label = "must hold the key of the model that the relation leads to, field by field"
)]
pub trait RefersToAll<K> {}
macro_rules! refers {
    ($($($field:ident $key:ident)*;)*) => { $(
        #[diagnostic::do_not_recommend]
        impl<$($key,)* $($field: RefersTo<$key>),*> RefersToAll<($($key,)*)> for ($($field,)*) {}
    )* };
}
refers! {
    A K;
    A K B L;
    A K B L C M;
    A K B L C M D N;
    A K B L C M D N E O;
    A K B L C M D N E O F P;
}
