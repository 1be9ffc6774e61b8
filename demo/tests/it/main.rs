//! The program itself, with all its parts: what it prints, what it writes, and what it says where something is missing.
#![allow(clippy::print_stderr)]

mod browser;
mod collector;
mod numbers;
mod program;
