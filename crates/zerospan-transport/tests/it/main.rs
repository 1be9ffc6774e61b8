//! The contracts of `zerospan-transport`, against real sockets on the loopback interface.

mod collector;
mod own_transport;
mod proxy;
mod requests;
mod settings;
mod signals;
mod support;
mod threads;
