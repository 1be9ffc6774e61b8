use std::collections::VecDeque;

/// Restores the initial state, and keeps the memory for the next use.
///
/// The contract, which [`dev::conformance::check_reset`](crate::dev::conformance::check_reset) checks (feature `dev`):
///
/// - Nothing that was written since the value was built can be read through its safe interface.
/// - Capacity is kept, up to a limit if the type documents one.
/// - A second reset changes nothing.
///
/// # Panics
///
/// An implementation may panic if it drops elements whose `Drop` panics. The value is then in an unspecified state that
/// is safe to drop; a pool discards it.
pub trait Reset {
    /// Restores the initial state. Does not allocate.
    fn reset(&mut self);
}

/// Reports the heap memory that a value retains.
pub trait Footprint {
    /// Returns the bytes of heap memory that the value retains for its next use. Does not allocate.
    ///
    /// Measured after a [`Reset`]: a collection counts its own capacity and not what its elements own, since a reset
    /// collection has none.
    fn heap_bytes(&self) -> usize;
}

/// Creates, resets and measures the objects of a pool.
///
/// Separate from `T`, so that a crate can pool a type that another crate defines. [`DefaultRecycle`] implements it for
/// types that are [`Default`], [`Reset`] and [`Footprint`].
pub trait Recycle<T> {
    /// Creates a value in its initial state. May allocate.
    fn create(&self) -> T;

    /// Restores the state that [`create`](Self::create) returns, under the contract of [`Reset`].
    fn reset(&self, value: &mut T);

    /// Returns the bytes of heap memory that a reset `value` retains, as [`Footprint`] counts them.
    fn heap_bytes(&self, value: &T) -> usize;
}

/// Recycles a `T` through its own [`Default`], [`Reset`] and [`Footprint`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DefaultRecycle;

impl<T: Default + Reset + Footprint> Recycle<T> for DefaultRecycle {
    fn create(&self) -> T {
        T::default()
    }

    fn reset(&self, value: &mut T) {
        value.reset();
    }

    fn heap_bytes(&self, value: &T) -> usize {
        value.heap_bytes()
    }
}

impl<T> Reset for Vec<T> {
    fn reset(&mut self) {
        self.clear();
    }
}

impl<T> Footprint for Vec<T> {
    fn heap_bytes(&self) -> usize {
        self.capacity() * size_of::<T>()
    }
}

impl<T> Reset for VecDeque<T> {
    fn reset(&mut self) {
        self.clear();
    }
}

impl<T> Footprint for VecDeque<T> {
    fn heap_bytes(&self) -> usize {
        self.capacity() * size_of::<T>()
    }
}

impl Reset for String {
    fn reset(&mut self) {
        self.clear();
    }
}

impl Footprint for String {
    fn heap_bytes(&self) -> usize {
        self.capacity()
    }
}

impl<T: Reset + ?Sized> Reset for Box<T> {
    fn reset(&mut self) {
        (**self).reset();
    }
}

/// Counts the boxed value and what it retains.
impl<T: Footprint> Footprint for Box<T> {
    fn heap_bytes(&self) -> usize {
        size_of::<T>() + (**self).heap_bytes()
    }
}
