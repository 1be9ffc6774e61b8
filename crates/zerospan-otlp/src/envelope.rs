//! The envelope of a request: the resource and the scopes around the encoded items.
//!
//! It is the same for spans and log records. `ExportTraceServiceRequest`, `ResourceSpans` and `ScopeSpans` have the same tags as
//! `ExportLogsServiceRequest`, `ResourceLogs` and `ScopeLogs`. An item is a whole field of the innermost message:
//! `ScopeSpans.spans` or `ScopeLogs.log_records`.

mod request;
mod resource;
mod scope;
mod scope_identity;

pub use request::{encode_request, request_len};
pub use resource::EncodedResource;
pub use scope::EncodedScope;
#[cfg(feature = "sdk")]
pub(crate) use scope::{encode_schema_url, encode_scope};
pub use scope_identity::ScopeIdentity;
