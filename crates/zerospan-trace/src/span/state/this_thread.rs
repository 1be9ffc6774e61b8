use super::provider_inner::ProviderInner;
use super::thread_state::ThreadState;
use crate::base::ids::RandomIds;
use crate::context::active_spans::ActiveSpans;
use crate::slot::TracerInner;
use opentelemetry::Context;
use opentelemetry::trace::{SpanId, TraceContextExt};
use std::cell::RefCell;
use std::sync::Arc;
use zerospan_core::{context, fork, log, panics};
use zerospan_pool::thread_states::{OwnerId, ThreadStates};

/// A thread's own state, so that starting and ending a span writes to nothing that threads share.
pub(crate) struct ThisThread {
    pub(crate) active_spans: ActiveSpans,
    pub(crate) ids: RefCell<RandomIds>,
    states: ThreadStates<ThreadState>,
    /// The API's current context can be read for as long as this exists.
    has_context: bool,
}

thread_local! {
    // Asks for the API's context first, and so is destroyed before it.
    static THIS_THREAD: ThisThread = ThisThread::new(context::is_alive());
}

/// Calls `work` with this thread's part.
///
/// If the thread is exiting, and its part or the API's context is dropped, `work` gets an empty one, which is dropped
/// afterwards: spans in destructors of other thread-locals are recorded too.
#[inline]
pub(crate) fn with<O>(mut work: impl FnMut(&ThisThread) -> O) -> O {
    let output = THIS_THREAD.try_with(|thread| thread.has_context.then(|| work(thread)));
    match output {
        Ok(Some(output)) => output,
        _ => with_new(work),
    }
}

/// Not inlined, so that callers have the code of `work` once.
#[cold]
#[inline(never)]
fn with_new<O>(mut work: impl FnMut(&ThisThread) -> O) -> O {
    work(&ThisThread::new(false))
}

/// Calls `work` with this thread's part. Returns `false` if that is dropped.
///
/// While this part has the state of a provider, the API's current context can be read.
#[inline(always)]
pub(crate) fn try_with(work: impl FnOnce(&ThisThread) -> bool) -> bool {
    THIS_THREAD.try_with(work).unwrap_or(false)
}

impl ThisThread {
    const fn new(has_context: bool) -> Self {
        Self {
            active_spans: ActiveSpans::new(),
            ids: RefCell::new(RandomIds::new()),
            states: ThreadStates::new(),
            has_context,
        }
    }

    /// Returns `true` if telemetry is suppressed.
    #[inline]
    pub(crate) fn is_suppressed(&self) -> bool {
        log::is_suppressed_here()
            || match self.has_context {
                true => Context::is_current_telemetry_suppressed(),
                false => log::is_suppressed_by_api(),
            }
    }

    /// Calls `read`, which must not panic, with the API's current context. Returns `None`, without the call, where it cannot be
    /// read: while the thread ends, and while the API changes it.
    #[inline]
    pub(crate) fn try_map_context<O>(&self, read: impl FnOnce(&Context) -> O) -> Option<O> {
        match self.has_context {
            true => panics::catch(|| Context::map_current(read)).ok(),
            false => context::with_current(read),
        }
    }

    /// Returns the id of the span of the API's current context.
    #[inline]
    pub(crate) fn api_span_id(&self) -> SpanId {
        let read = |current: &Context| current.span().span_context().span_id();
        if self.has_context {
            Context::map_current(read)
        } else {
            context::with_current(read).unwrap_or(SpanId::INVALID)
        }
    }

    /// Returns this thread's state of the provider, if it is registered in this process.
    #[inline]
    pub(crate) fn get(&self, provider: OwnerId) -> Option<&ThreadState> {
        let state = self.states.get(provider)?;
        (state.generation() == fork::generation()).then_some(state)
    }

    /// Returns this thread's state of the provider. Registers it if necessary.
    #[inline]
    pub(crate) fn get_or_register(&self, provider: &Arc<ProviderInner>) -> &ThreadState {
        match self.get(provider.id()) {
            Some(state) => state,
            None => self.states.register(provider.id(), provider),
        }
    }

    /// Returns this thread's state of the tracer's provider. Registers it if necessary. Returns `None` if the provider's last
    /// handle is dropped.
    #[inline]
    pub(crate) fn get_by_tracer(&self, tracer: &TracerInner) -> Option<&ThreadState> {
        match self.get(tracer.provider) {
            Some(state) => Some(state),
            None => {
                let found = ProviderInner::of(tracer)?;
                Some(self.states.register(tracer.provider, &found))
            }
        }
    }
}
