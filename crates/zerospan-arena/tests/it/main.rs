//! What the arenas promise, and their answers to hostile input.

mod arena;
mod attributes;
mod hostile;
mod model;
mod shared;
mod text;
mod typed;
