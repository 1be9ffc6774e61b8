//! The start of a span.

use super::Tracer;
use crate::base::clock::Reading;
use crate::context::options::{InitialData, Parent, StartOptions};
use crate::context::parent::{ParentContext, ParentIds, unboxed};
use crate::context::resolve::{ResolvedParent, context_of};
use crate::sampler::Decision;
use crate::sdk::{self, SamplerArgs, SamplingDecision, SamplingResult, ShouldSample};
use crate::slot::Slot;
use crate::span::{Span, ThisThread, ThreadState, catch_panic, this_thread};
use opentelemetry::Context;
use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, SpanKind, TraceFlags, TraceId, TraceState,
};
use std::sync::Arc;
use zerospan_otlp::{SpanStart, unix_nanos};

impl Tracer {
    /// Starts a span.
    #[inline(always)]
    pub(crate) fn start_span(&self, name: &str, options: &StartOptions<'_>) -> Span {
        // Most callers' options are constant: the compiler decides here.
        if options.are_plain() {
            self.start_child(name, options.kind.clone())
        } else {
            self.start_with_options(name, options)
        }
    }

    /// Starts a child of the current span.
    fn start_child(&self, name: &str, kind: SpanKind) -> Span {
        // The parts of the span's context are returned as words: moving a context that was just written takes longer than the
        // rest of this function.
        let mut started = StartedSpan::default();
        if self.provider().starts_fast()
            && this_thread::try_with(|thread| {
                self.start_fast(thread, name, kind.clone(), &mut started)
            })
        {
            return started.into_span();
        }
        let mut options = StartOptions::child_of(Parent::Current);
        options.kind = kind;
        self.start_with_options(name, &options)
    }

    #[inline(never)]
    fn start_with_options(&self, name: &str, options: &StartOptions<'_>) -> Span {
        if self.provider().needs_context {
            return self.start_observed(name, options);
        }
        let mut started = StartedSpan::default();
        this_thread::with(|thread| {
            self.start_on::<false>(thread, name, options, &mut started, &mut None);
        });
        started.into_span()
    }

    /// Starts a span on a thread that is registered, if its parent has no trace state.
    ///
    /// Returns `false`, and does nothing, for any other span.
    #[inline(always)]
    fn start_fast(
        &self,
        thread: &ThisThread,
        name: &str,
        kind: SpanKind,
        started: &mut StartedSpan,
    ) -> bool {
        let provider = self.provider();
        let Some(state) = thread.get(provider.id()) else {
            return false;
        };
        let mut parent = ParentIds::NONE;
        if !parent.find_current(&thread.active_spans) {
            return false;
        }
        let (trace_id, span_id) = provider.ids.next(&thread.ids, parent.trace_id);
        started.set_ids(trace_id, span_id);
        let Decision::Decided(decision) = provider.sampler.decide(&parent, trace_id) else {
            return false;
        };
        let Some(is_exported) = state.counters().count_start(&decision) else {
            return true;
        };
        let trace_flags = parent.flags.with_sampled(is_exported);
        started.flags = trace_flags.to_u8();
        let mut slot = self.take_slot(state, is_exported);
        slot.start = provider.clock.read(&state.anchor);
        slot.recorder.begin(&SpanStart {
            trace_id,
            span_id,
            trace_state: None,
            trace_flags,
            parent_span_id: parent.span_id,
            parent_is_remote: parent.is_remote,
            name,
            kind,
            unix_nanos: slot.start.unix,
        });
        started.slot = Some(slot);
        true
    }

    /// Starts a span for a sampler or processors, which take a `Context`.
    #[cold]
    fn start_observed(&self, name: &str, options: &StartOptions<'_>) -> Span {
        let (mut started, mut parent) = (StartedSpan::default(), None);
        this_thread::with(|thread| {
            self.start_on::<true>(thread, name, options, &mut started, &mut parent);
        });
        let mut span = started.into_span();
        if span.is_recording() {
            let parent = parent.unwrap_or_default();
            for processor in self.provider().processors() {
                catch_panic(|| processor.on_start(&mut span, &parent));
            }
        }
        span
    }

    /// Starts any span on `thread`. Builds the parent's `context` if it `NEEDS_CONTEXT`.
    fn start_on<const NEEDS_CONTEXT: bool>(
        &self,
        thread: &ThisThread,
        name: &str,
        options: &StartOptions<'_>,
        started: &mut StartedSpan,
        context: &mut Option<Context>,
    ) {
        let provider = self.provider();
        let Some(ResolvedParent { parent, is_native }) =
            ResolvedParent::new(options.parent, &thread.active_spans)
        else {
            return;
        };
        let state = thread.get_or_register(provider);
        if provider.refuses_spans() {
            state.counters().refused.increment();
            started.set_parent(parent);
            return;
        }
        let (trace_id, span_id) = provider.ids.next(&thread.ids, parent.ids.trace_id);
        started.set_ids(trace_id, span_id);
        if NEEDS_CONTEXT {
            *context = Some(context_of(options.parent, is_native.then_some(&parent)));
        }
        let args = StartArgs {
            trace_id,
            span_id,
            parent: &parent,
            name,
            options,
        };
        match provider.sampler.decide(&parent.ids, trace_id) {
            Decision::Decided(decision) => {
                let trace_state = parent.trace_state.as_deref();
                self.record(state, &args, &decision, trace_state, started);
                started.trace_state = parent.trace_state;
            }
            Decision::Delegate(sampler) => {
                let result = ask(sampler, context.as_ref(), &args);
                let trace_state =
                    (result.trace_state != TraceState::NONE).then_some(&result.trace_state);
                self.record(state, &args, &result.decision, trace_state, started);
                if let Some(slot) = &mut started.slot {
                    slot.recorder.extend(&result.attributes);
                }
                started.trace_state = trace_state.cloned().map(Box::new);
            }
        }
    }

    /// Fills a slot for the span, unless the sampler dropped it.
    #[inline(always)]
    fn record(
        &self,
        state: &ThreadState,
        args: &StartArgs<'_>,
        decision: &SamplingDecision,
        trace_state: Option<&TraceState>,
        started: &mut StartedSpan,
    ) {
        let Some(is_exported) = state.counters().count_start(decision) else {
            return;
        };
        let (parent, options) = (&args.parent.ids, args.options);
        let trace_flags = parent.flags.with_sampled(is_exported);
        started.flags = trace_flags.to_u8();
        let mut slot = self.take_slot(state, is_exported);
        match options.start_time {
            None => slot.start = self.provider().clock.read(&state.anchor),
            Some(time) => {
                slot.start = Reading::given(unix_nanos(time));
                slot.start_is_given = true;
            }
        }
        slot.recorder.begin(&SpanStart {
            trace_id: args.trace_id,
            span_id: args.span_id,
            trace_state,
            trace_flags,
            parent_span_id: parent.span_id,
            parent_is_remote: parent.is_remote,
            name: args.name,
            kind: options.kind.clone(),
            unix_nanos: slot.start.unix,
        });
        if let Some(initial) = &options.initial {
            fill(&mut slot, initial);
        }
        started.slot = Some(slot);
    }

    #[inline(always)]
    fn take_slot(&self, state: &ThreadState, is_exported: bool) -> Box<Slot> {
        let mut slot = state.take_slot(self.provider());
        slot.generation = state.generation();
        slot.is_exported = is_exported;
        match &slot.tracer {
            Some(tracer) if Arc::ptr_eq(tracer, &self.inner) => {}
            _ => slot.tracer = Some(Arc::clone(&self.inner)),
        }
        slot
    }
}

/// The data of a span that is known before the sampler decides.
struct StartArgs<'a> {
    trace_id: TraceId,
    span_id: SpanId,
    parent: &'a ParentContext,
    name: &'a str,
    options: &'a StartOptions<'a>,
}

/// A span that has started: the words of its context, and its slot if it is recorded.
#[derive(Default)]
struct StartedSpan {
    /// The high half and the low half.
    trace_id: (u64, u64),
    span_id: u64,
    flags: u8,
    /// Set only if the context is the parent's.
    is_remote: bool,
    trace_state: Option<Box<TraceState>>,
    slot: Option<Box<Slot>>,
}

impl StartedSpan {
    #[inline(always)]
    fn into_span(self) -> Span {
        let trace_id = (u128::from(self.trace_id.0) << 64) | u128::from(self.trace_id.1);
        let context = SpanContext::new(
            TraceId::from(trace_id),
            SpanId::from(self.span_id),
            TraceFlags::new(self.flags),
            self.is_remote,
            unboxed(self.trace_state),
        );
        Span::new(context, self.slot)
    }

    /// Takes the parent's context, for a span that is refused: the specification asks this of the API without an SDK, so that
    /// a trace does not break at a service that records nothing.
    #[cold]
    fn set_parent(&mut self, parent: ParentContext) {
        let ids = parent.ids;
        self.set_ids(ids.trace_id, ids.span_id);
        self.flags = ids.flags.to_u8();
        self.is_remote = ids.is_remote;
        self.trace_state = parent.trace_state;
    }

    #[inline]
    fn set_ids(&mut self, trace_id: TraceId, span_id: SpanId) {
        let trace_id = u128::from_be_bytes(trace_id.to_bytes());
        self.trace_id = ((trace_id >> 64) as u64, trace_id as u64);
        self.span_id = u64::from_be_bytes(span_id.to_bytes());
    }
}

#[cold]
fn ask(
    sampler: &dyn ShouldSample,
    parent: Option<&Context>,
    args: &StartArgs<'_>,
) -> SamplingResult {
    let initial = args.options.initial.unwrap_or_default();
    let args = SamplerArgs {
        trace_id: args.trace_id,
        name: args.name,
        kind: &args.options.kind,
        attributes: initial.attributes,
        links: initial.links,
        trace_state: args.parent.trace_state.as_deref(),
    };
    sdk::sample(sampler, parent, &args)
}

fn fill(slot: &mut Slot, initial: &InitialData<'_>) {
    slot.recorder.extend(initial.attributes);
    for link in initial.links {
        slot.recorder.add_link(&link.span_context, &link.attributes);
    }
    for event in initial.events {
        slot.recorder
            .add_event(&event.name, unix_nanos(event.timestamp), &event.attributes);
    }
}
