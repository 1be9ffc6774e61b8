use std::fmt;
use ureq::Error;
use ureq::unversioned::transport::{Buffers, NextTimeout, Transport};
use uri::Uri;

/// A connection to a proxy that forwards requests: it gets the whole URL in the first line, as RFC 9112 asks
/// (`absolute-form`), where `ureq` writes the path.
pub(super) struct Forwarded {
    transport: Box<dyn Transport>,
    /// Scheme, host and port of the collector.
    origin: String,
    /// The next output is the beginning of a request.
    is_start: bool,
}

impl Forwarded {
    pub(super) fn new(transport: Box<dyn Transport>, collector: &Uri) -> Self {
        let authority = collector.authority();
        let authority = authority.map_or("", |authority| authority.as_str());
        Self {
            transport,
            origin: format!("{}://{authority}", collector.scheme_str().unwrap_or("http")),
            is_start: true,
        }
    }
}

impl Transport for Forwarded {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.transport.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if !std::mem::take(&mut self.is_start) {
            return self.transport.transmit_output(amount, timeout);
        }
        let output = &self.transport.buffers().output()[..amount];
        let path = output.iter().position(|&byte| byte == b' ');
        let (method, path) = output.split_at(path.map_or(0, |space| space + 1));
        let request = [method, self.origin.as_bytes(), path].concat();
        let mut rest = &request[..];
        while !rest.is_empty() {
            let output = self.transport.buffers().output();
            let (piece, behind) = rest.split_at(rest.len().min(output.len()));
            output[..piece.len()].copy_from_slice(piece);
            self.transport.transmit_output(piece.len(), timeout)?;
            rest = behind;
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        // A response: what is written after it is another request.
        self.is_start = true;
        self.transport.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.transport.is_open()
    }
}

impl fmt::Debug for Forwarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forwarded")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}
