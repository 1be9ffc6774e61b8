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
