//! What a replayed file becomes, and what is said of one that cannot be replayed.
#![forbid(unsafe_code)]

mod collector;
mod command;
mod hostile;
mod real;
mod shop;
