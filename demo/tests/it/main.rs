//! The program itself, with all its parts: what it prints, what it writes, and what it says where something is missing.

mod browser;
mod numbers;
mod program;
