use crate::error::SendError;
use crate::request::Request;
use crate::response::ExportResponse;

/// A connection to a collector, or to anything else that takes requests.
///
/// A pipeline's worker creates it, uses it on one thread, and drops it there.
pub trait Transport: Send {
    /// Sends `request` once and waits for the response, no longer than until the request's deadline.
    ///
    /// # Errors
    ///
    /// [`SendError`] with a hint about the next attempt. A panic is caught: the request is counted as dropped, the
    /// transport is dropped, and the next request gets a new one.
    fn send(&mut self, request: &Request<'_>) -> Result<ExportResponse, SendError>;
}

/// Creates transports: one when the worker starts, another after a panic in one, and another after a fork.
///
/// Every `Fn() -> Result<T, SendError>` that returns a [`Transport`] implements it.
pub trait Connect: Send + Sync {
    /// Creates a transport. It need not connect before the first request.
    ///
    /// # Errors
    ///
    /// [`SendError`], as for an attempt that failed.
    fn connect(&self) -> Result<Box<dyn Transport>, SendError>;
}

impl<T: Transport + 'static, F: Fn() -> Result<T, SendError> + Send + Sync> Connect for F {
    fn connect(&self) -> Result<Box<dyn Transport>, SendError> {
        Ok(Box::new(self()?))
    }
}
