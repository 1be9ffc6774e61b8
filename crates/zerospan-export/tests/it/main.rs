//! The contracts of `zerospan-export`, against real sockets on the loopback interface.

mod pipeline;
mod support;
