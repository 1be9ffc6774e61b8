//! The contracts of `zerospan-export`, against real sockets on the loopback interface.

mod collector;
mod end;
mod errors;
mod exporter;
mod faults;
mod file;
mod hostile;
mod inline_worker;
mod logs;
mod metrics;
mod model;
mod networks;
mod observed;
mod operating;
mod pipeline;
mod producer;
mod recording;
mod requests;
mod scenario;
mod settings;
mod support;
mod trim;
