//! The public API.

mod bad_input;
mod differential;
mod dynamic;
mod hooks;
mod hostile;
mod logs;
mod program;
mod run;
mod support;
mod table;
mod threads;
