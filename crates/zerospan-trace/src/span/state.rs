//! The state of a provider: what all threads share, and what each thread keeps for itself.

mod provider_inner;
pub(crate) mod this_thread;
mod thread_state;

pub(crate) use provider_inner::{ProviderConfig, ProviderInner, SpanSink};
pub(crate) use this_thread::ThisThread;
pub(crate) use thread_state::{Binding, ThreadState};
