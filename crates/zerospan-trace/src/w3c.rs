//! W3C Trace Context: the headers that carry a trace from one process to the next.

mod propagator;
mod remote;
mod trace_parent;
mod trace_state;

pub use propagator::TraceContextPropagator;
pub use remote::remote_span_context;
pub use trace_parent::{TraceParent, TraceParentError};
