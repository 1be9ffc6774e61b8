use crate::sync::{self, Mutex, MutexGuard};
use crate::{Accepted, Connect, Request, SendError, Transport};
use std::sync::Arc;

/// Keeps each request in memory: for tests and tools. A clone looks at the same requests.
///
/// Allocates once for each request, and keeps it until it is taken.
#[derive(Clone, Debug, Default)]
pub struct InMemory(Arc<Mutex<Vec<Vec<u8>>>>);

impl InMemory {
    /// With nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the requests so far out: each an encoded `ExportTraceServiceRequest`.
    pub fn take(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.requests())
    }

    /// How many requests there are.
    pub fn len(&self) -> usize {
        self.requests().len()
    }

    /// Whether there is no request.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn requests(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        sync::lock(&self.0)
    }
}

impl Transport for InMemory {
    fn send(&mut self, request: &Request<'_>) -> Result<Accepted, SendError> {
        self.requests().push(request.body.to_vec());
        Ok(Accepted::ALL)
    }
}

impl Connect for InMemory {
    fn connect(&self) -> Result<Box<dyn Transport>, SendError> {
        Ok(Box::new(self.clone()))
    }
}
