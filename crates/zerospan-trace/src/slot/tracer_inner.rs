use opentelemetry::InstrumentationScope;
use zerospan_export::Scope;
use zerospan_pool::thread_states::OwnerId;

/// A tracer's data that its spans share. Does not keep the provider alive, since slots in a thread's cache hold it.
#[derive(Debug)]
pub(crate) struct TracerInner {
    pub(crate) provider: OwnerId,
    pub(crate) encoded_scope: Scope,
    pub(crate) scope: InstrumentationScope,
}
