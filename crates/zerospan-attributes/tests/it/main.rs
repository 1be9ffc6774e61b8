//! The sets that are shared, held to the contracts of `zerospan-core` and to naive models.

mod interner;
mod overlay;
mod sets;
