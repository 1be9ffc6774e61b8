use super::provider_inner::ProviderInner;
use crate::base::clock::Anchor;
use crate::counters::Counters;
use crate::slot::Slot;
use std::cell::Cell;
use std::mem;
use std::rc::Rc;
use std::sync::Arc;
use zerospan_core::Reset;
use zerospan_export::{Pipeline, Producer};
use zerospan_pool::{Pool, Return, thread_states};

/// One thread's state of one provider.
#[derive(Default)]
pub(crate) struct ThreadState {
    pub(crate) anchor: Cell<Anchor>,
    counters: Arc<Counters>,
    generation: Cell<u64>,
    binding: Cell<Option<Rc<Binding>>>,
    /// The slot of the span that ended last, for the next one. The pool has the others.
    spare_slot: Cell<Option<Box<Slot>>>,
}

/// A thread's handles of a provider and its exporters.
pub(crate) struct Binding {
    pub(crate) provider: Arc<ProviderInner>,
    pub(crate) producers: Vec<Producer>,
}

impl Binding {
    fn new(provider: &Arc<ProviderInner>) -> Rc<Self> {
        for pipeline in provider.pipelines() {
            pipeline.trim_too(provider.slots.trimmed());
        }
        Rc::new(Self {
            provider: Arc::clone(provider),
            producers: provider.pipelines().map(Pipeline::producer).collect(),
        })
    }
}

impl ThreadState {
    /// Returns the thread's counters.
    #[inline(always)]
    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Returns the fork generation of the process in which this state counts.
    #[inline]
    pub(crate) fn generation(&self) -> u64 {
        self.generation.get()
    }

    /// Returns the provider and this thread's handles of it. They stay valid while user code runs that uses this state.
    #[inline(always)]
    pub(crate) fn binding(&self) -> Option<Rc<Binding>> {
        let binding = self.binding.take();
        let copy = binding.clone();
        self.binding.set(binding);
        copy
    }

    /// Returns a slot for a span that starts. Allocates if none is idle.
    #[inline]
    pub(crate) fn take_slot(&self, provider: &ProviderInner) -> Box<Slot> {
        match self.spare_slot.take() {
            Some(slot) => {
                self.counters.spare_slots.set(0);
                slot
            }
            None => provider.slots.take(),
        }
    }

    /// Keeps the slot of a span that has ended, within the limits.
    #[inline(always)]
    pub(crate) fn put_slot(&self, provider: &ProviderInner, mut slot: Box<Slot>) {
        slot.settle(provider.slot_limits, &provider.slots);
        if provider.keeps_spare_slots && self.counters.spare_slots.get() == 0 {
            slot.reset();
            self.counters.spare_slots.set(1);
            self.spare_slot.set(Some(slot));
            return;
        }
        return_to_pool(provider, slot);
    }
}

#[inline(never)]
fn return_to_pool(provider: &ProviderInner, slot: Box<Slot>) {
    provider.slots.put(Return::Reuse(slot));
}

impl thread_states::ThreadState for ThreadState {
    type Owner = Arc<ProviderInner>;
    /// Dropping the last handle of a provider drops its processors.
    type Garbage = Option<Rc<Binding>>;

    fn bind(&self, provider: &Self::Owner) {
        self.generation
            .set(provider.threads.register(&self.counters));
        // A span that was ending at a fork may have left its slot, which has the limits of its provider.
        self.spare_slot.take();
        self.anchor.set(Anchor::default());
        self.binding.set(Some(Binding::new(provider)));
    }

    fn is_stale(&self) -> bool {
        let binding = self.binding.take();
        // A span that is ending on this thread holds the binding too: a later sweep unbinds the state.
        let is_stale = binding
            .as_ref()
            .is_some_and(|binding| binding.provider.is_closed() && Rc::strong_count(binding) == 1);
        self.binding.set(binding);
        is_stale
    }

    fn unbind(&self) -> Self::Garbage {
        let binding = self.binding.take()?;
        if let Some(slot) = self.spare_slot.take() {
            self.counters.spare_slots.set(0);
            return_to_pool(&binding.provider, slot);
        }
        binding.provider.threads.unregister(&self.counters);
        Some(binding)
    }

    fn forget(&self) {
        mem::forget((self.binding.take(), self.spare_slot.take()));
        self.counters.reset();
    }
}
