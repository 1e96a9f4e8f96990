use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, also when a thread died with the lock held: the threads of the store guard their invariants with
/// [`Poison`](crate::Poison), not with the poisoning of locks.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
