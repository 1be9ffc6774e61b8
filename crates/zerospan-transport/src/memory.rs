use crate::error::SendError;
use crate::request::Request;
use crate::response::ExportResponse;
use crate::transport::{Connect, Transport};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zerospan_core::fork::PerProcess;

/// Keeps each request in memory, for tests and tools. A clone shares the requests; a forked child starts with none.
///
/// Allocates once for each request, and keeps it until it is taken.
#[derive(Clone, Debug, Default)]
pub struct InMemoryTransport(Arc<PerProcess<Mutex<Vec<Vec<u8>>>>>);

impl InMemoryTransport {
    /// Creates a transport that holds no request.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes out the requests received so far, each an encoded `ExportTraceServiceRequest` or
    /// `ExportLogsServiceRequest`.
    pub fn take(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.requests())
    }

    /// Returns the number of requests.
    pub fn len(&self) -> usize {
        self.requests().len()
    }

    /// Returns `true` if it holds no request.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn requests(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0
            .current()
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for InMemoryTransport {
    fn send(&mut self, request: &Request<'_>) -> Result<ExportResponse, SendError> {
        self.requests().push(request.body.to_vec());
        Ok(ExportResponse::ALL)
    }
}

impl Connect for InMemoryTransport {
    fn connect(&self) -> Result<Box<dyn Transport>, SendError> {
        Ok(Box::new(self.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Connect, InMemoryTransport, Request};
    use crate::signal::Signal;
    use std::time::Instant;

    #[test]
    fn each_request_is_taken_out_once_and_clones_share_them() {
        let memory = InMemoryTransport::new();
        assert!(memory.is_empty());
        let mut transport = memory.clone().connect().unwrap();
        for body in [&[0x0a, 0][..], &[0x0a, 1, 2]] {
            let request = Request::new(Signal::Traces, body, 1, Instant::now());
            transport.send(&request).unwrap();
        }
        assert_eq!(memory.len(), 2);
        assert_eq!(memory.take(), [vec![0x0a, 0], vec![0x0a, 1, 2]]);
        assert!(memory.take().is_empty() && memory.is_empty());
    }
}
