use std::collections::VecDeque;

/// Back to the just-built state, with the memory kept for the next use.
///
/// The contract, which [`dev::conformance::check_reset`](crate::dev::conformance::check_reset) checks (feature `dev`):
///
/// - Nothing that was put in since the value was built can be read from it through its safe interface.
/// - Capacity is kept, unless the type documents a limit to what it retains.
/// - A second reset changes nothing.
///
/// # Panics
///
/// An implementation may panic where it drops elements whose `Drop` panics. The value is then in an unspecified state
/// that is safe to drop; a pool discards it.
pub trait Reset {
    /// Forgets the last use. Does not allocate.
    fn reset(&mut self);
}

/// How much heap memory a value keeps hold of.
pub trait Footprint {
    /// The bytes of heap memory that the value retains for its next use. Does not allocate.
    ///
    /// Judged after a [`Reset`]: a collection answers for its own capacity, not for what its elements own, since a reset
    /// collection has none.
    fn heap_bytes(&self) -> usize;
}

/// How a pool creates, resets and judges a `T`.
///
/// A trait of its own, so that a crate can pool a type that neither it nor this crate defines. Where `T` has what it takes
/// itself, [`DefaultRecycle`] is the implementation.
pub trait Recycle<T> {
    /// Makes a value in its just-built state. May allocate.
    fn create(&self) -> T;

    /// Brings a used value back to the state that [`create`](Self::create) gives, as [`Reset`] demands.
    fn reset(&self, value: &mut T);

    /// The bytes of heap memory that a reset `value` retains, as [`Footprint`] counts them.
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

/// Counts the box itself and what is behind it.
impl<T: Footprint> Footprint for Box<T> {
    fn heap_bytes(&self) -> usize {
        size_of::<T>() + (**self).heap_bytes()
    }
}
