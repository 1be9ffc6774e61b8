//! Replayed files arrive whole, and a file that cannot be replayed is an error that names the fault.
#![forbid(unsafe_code)]

mod collector;
mod command;
mod formats;
mod hostile;
mod real;
mod shop;
