use opentelemetry::InstrumentationScope;
use std::any::Any;
use std::sync::Weak;
use zerospan_export::Scope;
use zerospan_pool::thread_states::OwnerId;

/// A tracer's data that its spans share. Does not keep the provider alive, since slots in a thread's cache hold it.
#[derive(Debug)]
pub(crate) struct TracerInner {
    pub(crate) provider: OwnerId,
    /// The provider, a layer above: found by spans that end on a thread that has no state of it.
    pub(crate) provider_inner: Weak<dyn Any + Send + Sync>,
    pub(crate) encoded_scope: Scope,
    pub(crate) scope: InstrumentationScope,
}
