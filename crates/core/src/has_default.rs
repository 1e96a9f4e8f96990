//! [`HasDefault`]: what a bare `#[field(default)]` needs of a field's type.

/// Types with a default of their own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no default of its own",
    label = "say what it is: `default = ..`",
    note = "`#[field(default)]` takes the value of `Default::default()`"
)]
pub trait HasDefault {
    /// It.
    fn own_default() -> Self;
}
#[diagnostic::do_not_recommend]
impl<T: Default> HasDefault for T {
    fn own_default() -> T {
        T::default()
    }
}
