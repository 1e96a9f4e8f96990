//! [`Inc`] and [`Include`]: what `.with(..)` takes.

use crate::{
    Bare, Differs, Expr, Filter, IncludeSpec, Model, Of, Part, Parts, Rel, RelOf, Relation, Sort, With, Yields,
};
use std::{fmt, marker::PhantomData};

/// A relation with its order, limit, filter and nested relations.
pub struct Inc<R, N>(IncludeSpec, PhantomData<fn() -> (R, N)>);

impl<R, N> Clone for Inc<R, N> {
    fn clone(&self) -> Inc<R, N> {
        Inc(self.0.clone(), PhantomData)
    }
}
impl<R, N> fmt::Debug for Inc<R, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

type FieldsOf<R> = <<R as Relation>::Target as Model>::Fields;

impl<R: Relation, N> Inc<R, N> {
    pub(crate) fn new() -> Inc<R, N> {
        let spec = IncludeSpec {
            relation: R::NAME,
            filter: Expr::Always,
            order: Vec::new(),
            limit: None,
            mine: false,
            includes: Vec::new(),
        };
        Inc(spec, PhantomData)
    }

    pub(crate) fn spec(self) -> IncludeSpec {
        self.0
    }

    /// At most this many rows for each parent.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Inc<R, N> {
        self.0.limit = Some(limit);
        self
    }

    /// The order of its rows, for each parent. Several add up: rows that tie in one go by the next.
    #[must_use]
    pub fn order_by(mut self, order: impl FnOnce(FieldsOf<R>) -> Sort<R::Target>) -> Inc<R, N> {
        self.0.order.extend(order(R::Target::FIELDS).into_keys());
        self
    }

    /// Only these of its rows. Several add up: all must hold.
    #[must_use]
    pub fn filter(mut self, filter: impl FnOnce(FieldsOf<R>) -> Filter<R::Target>) -> Inc<R, N> {
        self.0.filter = self.0.filter.and(filter(R::Target::FIELDS).into_expr());
        self
    }

    /// Only rows in the asking user's own stores.
    #[must_use]
    pub fn mine(mut self) -> Inc<R, N> {
        self.0.mine = true;
        self
    }

    /// Loads these relations of each of its rows, too.
    pub fn with<I: Include<R::Target>>(mut self, include: impl FnOnce(FieldsOf<R>) -> I) -> Inc<R, With<I::Shape>>
    where
        N: NoneYet,
    {
        self.0.includes = include(R::Target::FIELDS).specs();
        Inc(self.0, PhantomData)
    }
}

/// Shapes of queries that have no `.with(..)` yet.
#[diagnostic::on_unimplemented(
    message = "this query has its `.with(..)` already",
    label = "name all relations in one: `.with(|p| (p.a, p.b))`"
)]
pub trait NoneYet {}
impl NoneYet for Bare {}

/// One relation inside a `.with(..)`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no relation of `{M}`",
    label = "only relations of `{M}` can stand here"
)]
pub trait IncludeOne<M> {
    /// The relation.
    type Rel: Relation;
    /// What it adds to a row.
    type Of: Part;
    /// The relation as data.
    fn spec(self) -> IncludeSpec;
}
impl<M: Model, R: Relation + RelOf<M>> IncludeOne<M> for Rel<R> {
    type Rel = R::Itself;
    type Of = Of<R, Bare>;
    fn spec(self) -> IncludeSpec {
        Rel::spec(self)
    }
}
impl<M: Model, R: Relation + RelOf<M>, N: Yields<R::Target>> IncludeOne<M> for Inc<R, N> {
    type Rel = R::Itself;
    type Of = Of<R, N>;
    fn spec(self) -> IncludeSpec {
        Inc::spec(self)
    }
}

/// What the closure of `.with(..)` may return: a relation, or a tuple of 1 to 12. A relation and the tuple of it alone
/// have one shape.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no relation of `{M}`, nor a tuple of its relations",
    label = "loads relations: `.with(|p| p.a)`, `.with(|p| (p.a, p.b))`"
)]
pub trait Include<M> {
    /// What it adds to a row.
    type Shape: Parts;
    /// The relations as data, in order.
    fn specs(self) -> Vec<IncludeSpec>;
}
impl<M: Model, R: Relation + RelOf<M>> Include<M> for Rel<R> {
    type Shape = (Of<R, Bare>,);
    fn specs(self) -> Vec<IncludeSpec> {
        vec![Rel::spec(self)]
    }
}
impl<M: Model, R: Relation + RelOf<M>, N: Yields<R::Target>> Include<M> for Inc<R, N> {
    type Shape = (Of<R, N>,);
    fn specs(self) -> Vec<IncludeSpec> {
        vec![Inc::spec(self)]
    }
}

macro_rules! include_tuples {
    ($([$($name:ident)*] $($a:ident $b:ident),*;)*) => { $(
        impl<M, $($name: IncludeOne<M>),*> Include<M> for ($($name,)*)
        where
            $($a::Rel: Differs<$b::Rel>),*
        {
            type Shape = ($($name::Of,)*);
            fn specs(self) -> Vec<IncludeSpec> {
                #[allow(non_snake_case, reason = "the type parameters name the variables too")]
                let ($($name,)*) = self;
                vec![$($name.spec()),*]
            }
        }
    )* };
}
include_tuples! {
    [A] ;
    [A B] A B;
    [A B C] A B, A C, B C;
    [A B C D] A B, A C, A D, B C, B D, C D;
    [A B C D E] A B, A C, A D, A E, B C, B D, B E, C D, C E, D E;
    [A B C D E F] A B, A C, A D, A E, A F, B C, B D, B E, B F, C D, C E, C F, D E, D F, E F;
    [A B C D E F G] A B, A C, A D, A E, A F, A G, B C, B D, B E, B F, B G, C D, C E, C F, C G, D E, D F, D G, E F, E G, F G;
    [A B C D E F G H] A B, A C, A D, A E, A F, A G, A H, B C, B D, B E, B F, B G, B H, C D, C E, C F, C G, C H, D E, D F, D G, D H, E F, E G, E H, F G, F H, G H;
    [A B C D E F G H I] A B, A C, A D, A E, A F, A G, A H, A I, B C, B D, B E, B F, B G, B H, B I, C D, C E, C F, C G, C H, C I, D E, D F, D G, D H, D I, E F, E G, E H, E I, F G, F H, F I, G H, G I, H I;
    [A B C D E F G H I J] A B, A C, A D, A E, A F, A G, A H, A I, A J, B C, B D, B E, B F, B G, B H, B I, B J, C D, C E, C F, C G, C H, C I, C J, D E, D F, D G, D H, D I, D J, E F, E G, E H, E I, E J, F G, F H, F I, F J, G H, G I, G J, H I, H J, I J;
    [A B C D E F G H I J K] A B, A C, A D, A E, A F, A G, A H, A I, A J, A K, B C, B D, B E, B F, B G, B H, B I, B J, B K, C D, C E, C F, C G, C H, C I, C J, C K, D E, D F, D G, D H, D I, D J, D K, E F, E G, E H, E I, E J, E K, F G, F H, F I, F J, F K, G H, G I, G J, G K, H I, H J, H K, I J, I K, J K;
    [A B C D E F G H I J K L] A B, A C, A D, A E, A F, A G, A H, A I, A J, A K, A L, B C, B D, B E, B F, B G, B H, B I, B J, B K, B L, C D, C E, C F, C G, C H, C I, C J, C K, C L, D E, D F, D G, D H, D I, D J, D K, D L, E F, E G, E H, E I, E J, E K, E L, F G, F H, F I, F J, F K, F L, G H, G I, G J, G K, G L, H I, H J, H K, H L, I J, I K, I L, J K, J L, K L;
}
