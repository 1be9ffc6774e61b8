//! Runs the program and checks its output, its report and its errors.
#![allow(clippy::print_stderr)]

mod browser;
mod collector;
mod numbers;
mod program;
