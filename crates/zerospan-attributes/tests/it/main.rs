//! The shared sets against the contracts of `zerospan-core` and naive models.

mod interner;
mod overlay;
mod sets;
