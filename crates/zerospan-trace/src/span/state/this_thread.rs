use super::provider_inner::ProviderInner;
use super::thread_state::ThreadState;
use crate::base::ids::RandomIds;
use crate::context::active_spans::ActiveSpans;
use crate::slot::TracerInner;
use std::cell::RefCell;
use std::sync::Arc;
use zerospan_core::fork;
use zerospan_pool::thread_states::{OwnerId, ThreadStates};

/// A thread's own state, so that starting and ending a span writes to nothing that threads share.
pub(crate) struct ThisThread {
    pub(crate) active_spans: ActiveSpans,
    pub(crate) ids: RefCell<RandomIds>,
    states: ThreadStates<ThreadState>,
}

thread_local! {
    static THIS_THREAD: ThisThread = const { ThisThread::new() };
}

/// Calls `work` with this thread's part.
///
/// If the thread is exiting and its part is dropped, `work` gets an empty one, which is dropped afterwards: spans in destructors
/// of other thread-locals are recorded too.
#[inline]
pub(crate) fn with<O>(mut work: impl FnMut(&ThisThread) -> O) -> O {
    match THIS_THREAD.try_with(&mut work) {
        Ok(output) => output,
        Err(_) => work(&ThisThread::new()),
    }
}

/// Calls `work` with this thread's part. Returns `false` if that is dropped.
#[inline(always)]
pub(crate) fn try_with(work: impl FnOnce(&ThisThread) -> bool) -> bool {
    THIS_THREAD.try_with(work).unwrap_or(false)
}

impl ThisThread {
    const fn new() -> Self {
        Self {
            active_spans: ActiveSpans::new(),
            ids: RefCell::new(RandomIds::new()),
            states: ThreadStates::new(),
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
