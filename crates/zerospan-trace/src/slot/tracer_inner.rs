use opentelemetry::InstrumentationScope;
use zerospan_export::Scope;
use zerospan_pool::thread_states::OwnerId;

/// What the spans of a tracer share. Does not keep the provider alive, since slots in a thread's cache hold it.
#[derive(Debug)]
pub(crate) struct TracerInner {
    pub(crate) provider: OwnerId,
    pub(crate) encoded_scope: Scope,
    pub(crate) scope: InstrumentationScope,
}
