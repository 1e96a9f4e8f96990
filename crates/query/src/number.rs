//! [`Number`] and [`Extreme`]: the types of figures over rows.

use debros_core::{Field, Id, Ordered, Timestamp, UserId};

/// Types of columns that can be added up.
#[diagnostic::on_unimplemented(message = "`{Self}` is no number, so it cannot be added up")]
pub trait Number {
    /// The type of a sum: wider than the column's where there is a wider one.
    type Sum: Field + Send + 'static;
}
macro_rules! numbers {
    ($($sum:ty: $($number:ty)*;)*) => { $($(
        impl Number for $number {
            type Sum = $sum;
        }
    )*)* };
}
numbers! {
    i64: i8 i16 i32 i64;
    u64: u8 u16 u32 u64;
    f64: f32 f64;
}
#[cfg(feature = "decimal")]
numbers! { rust_decimal::Decimal: rust_decimal::Decimal; }
#[diagnostic::do_not_recommend]
impl<T: Number> Number for Option<T> {
    type Sum = T::Sum;
}

/// Types of columns that have a smallest and a largest value.
#[diagnostic::on_unimplemented(message = "`{Self}` has no order, so it has no smallest and no largest value")]
pub trait Extreme: Ordered {
    /// The type of that value: the column's, without the `Option`.
    type Value: Field + Send + 'static;
}
macro_rules! extremes {
    ($($t:ty)*) => { $(
        impl Extreme for $t {
            type Value = $t;
        }
    )* };
}
extremes! { bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 String Vec<u8> Timestamp UserId }
#[cfg(feature = "uuid")]
extremes! { uuid::Uuid }
#[cfg(feature = "decimal")]
extremes! { rust_decimal::Decimal }
impl<M: 'static> Extreme for Id<M> {
    type Value = Id<M>;
}
#[diagnostic::do_not_recommend]
impl<T: Extreme> Extreme for Option<T> {
    type Value = T::Value;
}
