//! The contracts of `zerospan-transport`, against real sockets on the loopback interface.

mod collector;
mod endpoints;
mod file;
mod grpc_answers;
mod networks;
mod own_transport;
mod proxy;
mod requests;
mod responses;
mod runtimes;
mod settings;
mod signals;
mod support;
mod threads;
