//! The guarantees of the arenas, and hostile input.

mod arena;
mod attributes;
mod hostile;
mod model;
mod shared;
mod text;
mod typed;
