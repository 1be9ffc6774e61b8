use crate::core::{Core, CoreId};
use crate::local;
use crate::new_span::NewSpan;
use crate::parent::{Asked, Found, Parent};
use crate::provider::Owner;
use crate::sampler::Decision;
use crate::span::Span;
use crate::clock::Reading;
use opentelemetry::trace::{SpanBuilder, SpanContext, SpanId, SpanKind, TraceFlags, TraceState};
use opentelemetry::{Context, InstrumentationScope};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use zerospan_export::Scope;
use zerospan_otlp::unix_nanos;
use zerospan_pool::Pool;

/// Starts spans of one instrumentation scope.
///
/// Through OpenTelemetry's [`Tracer`](opentelemetry::trace::Tracer) trait, or with [`span`](Self::span), which wants no
/// vectors. Cloning copies two pointers.
#[derive(Clone)]
pub struct Tracer {
    owner: Arc<Owner>,
    parts: Arc<Parts>,
}

/// What the spans of a tracer share. It does not keep the provider: slots that lie in a thread's cache hold on to it.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) core: CoreId,
    pub(crate) encoded: Scope,
    pub(crate) scope: InstrumentationScope,
}

impl Tracer {
    pub(crate) fn new(owner: Arc<Owner>, scope: InstrumentationScope) -> Self {
        let parts = Arc::new(Parts {
            core: owner.core().id(),
            encoded: Scope::new(&scope),
            scope,
        });
        Self { owner, parts }
    }

    /// The scope that this tracer's spans belong to.
    pub fn instrumentation_scope(&self) -> &InstrumentationScope {
        &self.parts.scope
    }

    /// Prepares a span: a child of the span that is in force on this thread, unless it is told otherwise.
    ///
    /// Allocates nothing.
    #[inline]
    pub fn span(&self, name: impl Into<Cow<'static, str>>) -> NewSpan<'_> {
        NewSpan::new(self, name.into())
    }

    #[inline]
    fn core(&self) -> &Arc<Core> {
        self.owner.core()
    }

    #[inline]
    pub(crate) fn begin(&self, name: Cow<'static, str>, asked: Asked<'_>) -> Span {
        let core = self.core();
        local::with(|local| {
            let parent = match asked.parent {
                Parent::InForce => Context::map_current(|current| {
                    Found::in_force(current, local.scopes.parent(current), core.wants_context)
                }),
                Parent::In(context) => Found::in_context(context, core.wants_context),
                Parent::Is(span) => Context::map_current(|current| {
                    Found::native(current, Some(span.clone()), core.wants_context)
                }),
                Parent::None => {
                    Context::map_current(|current| Found::native(current, None, core.wants_context))
                }
            };
            if parent.suppressed {
                return Span::noop();
            }
            if core.is_closed() {
                local.seat(core).counts().refused.raise();
                return Span::noop();
            }
            let Found { span: parent, context, .. } = parent;
            let parent = parent.filter(SpanContext::is_valid);
            let span_id = core.span_id(&local.ids);
            let trace_id = match &parent {
                Some(parent) => parent.trace_id(),
                None => core.trace_id(&local.ids),
            };
            let (decision, extra, trace_state) = match core.sampler.decide(parent.as_ref(), trace_id)
            {
                Decision::Is(decision) => (decision, Vec::new(), None),
                Decision::Ask(sampler) => {
                    let SamplingResult {
                        decision,
                        attributes,
                        trace_state,
                    } = sampler.should_sample(
                        context.as_ref(),
                        trace_id,
                        &name,
                        &asked.kind,
                        asked.attributes,
                        asked.links,
                    );
                    (decision, attributes, Some(trace_state))
                }
            };
            let (flags, parent_id, parent_is_remote, inherited) = match parent {
                Some(parent) => (
                    parent.trace_flags(),
                    parent.span_id(),
                    parent.is_remote(),
                    parent.trace_state().clone(),
                ),
                None => (
                    TraceFlags::default(),
                    SpanId::INVALID,
                    false,
                    TraceState::NONE,
                ),
            };
            let trace_state = trace_state.unwrap_or(inherited);
            let seat = local.seat(core);
            let is_exported = match decision {
                SamplingDecision::RecordAndSample => true,
                SamplingDecision::RecordOnly => false,
                SamplingDecision::Drop => {
                    seat.counts().not_recorded.raise();
                    let flags = TraceFlags::default();
                    return Span::unrecorded(SpanContext::new(
                        trace_id,
                        span_id,
                        flags,
                        false,
                        trace_state,
                    ));
                }
            };
            if is_exported {
                seat.counts().sampled.raise();
            } else {
                seat.counts().record_only.raise();
            }
            let mut slot = core.slots.take();
            slot.name = name;
            slot.kind = asked.kind;
            slot.parent = parent_id;
            slot.parent_is_remote = parent_is_remote;
            slot.is_exported = is_exported;
            match &slot.parts {
                Some(parts) if Arc::ptr_eq(parts, &self.parts) => {}
                _ => slot.parts = Some(Arc::clone(&self.parts)),
            }
            match asked.start_time {
                None => slot.start = core.clock.read(&seat.anchor),
                Some(time) => {
                    slot.start = Reading::given(unix_nanos(time));
                    slot.start_is_given = true;
                }
            }
            slot.recorder.extend(asked.attributes);
            for link in asked.links {
                slot.recorder.add_link(&link.span_context, &link.attributes);
            }
            for event in asked.events {
                slot.recorder.add_event(&event.name, unix_nanos(event.timestamp), &event.attributes);
            }
            if !extra.is_empty() {
                slot.recorder.extend(&extra);
            }
            let mut span = Span::recording(
                SpanContext::new(
                    trace_id,
                    span_id,
                    flags.with_sampled(is_exported),
                    false,
                    trace_state,
                ),
                slot,
            );
            if core.has_processors {
                let context = context.unwrap_or_default();
                for processor in core.processors() {
                    processor.on_start(&mut span, &context);
                }
            }
            span
        })
    }
}

/// Each span that is not handed out as `&mut Span` costs what the API crate makes of it: `in_span` and
/// `Context::with_span` put it into a box and an `Arc`.
impl opentelemetry::trace::Tracer for Tracer {
    type Span = Span;

    #[inline]
    fn start<T: Into<Cow<'static, str>>>(&self, name: T) -> Span {
        self.begin(name.into(), Asked::child_of(Parent::InForce))
    }

    #[inline]
    fn start_with_context<T: Into<Cow<'static, str>>>(&self, name: T, parent: &Context) -> Span {
        self.begin(name.into(), Asked::child_of(explicit(parent)))
    }

    fn build(&self, builder: SpanBuilder) -> Span {
        self.build_from(builder, Parent::InForce)
    }

    fn build_with_context(&self, builder: SpanBuilder, parent: &Context) -> Span {
        self.build_from(builder, explicit(parent))
    }
}

impl Tracer {
    fn build_from(&self, builder: SpanBuilder, parent: Parent<'_>) -> Span {
        let SpanBuilder {
            span_kind,
            name,
            start_time,
            attributes,
            events,
            links,
            ..
        } = builder;
        self.begin(
            name,
            Asked {
                parent,
                kind: span_kind.unwrap_or(SpanKind::Internal),
                start_time,
                attributes: attributes.as_deref().unwrap_or_default(),
                events: events.as_deref().unwrap_or_default(),
                links: links.as_deref().unwrap_or_default(),
            },
        )
    }
}

/// `SpanBuilder::start` gives the current context itself, where the span that was entered natively has its say; any other
/// context was chosen by the caller.
#[inline]
fn explicit(context: &Context) -> Parent<'_> {
    if Context::map_current(|current| std::ptr::eq(current, context)) {
        Parent::InForce
    } else {
        Parent::In(context)
    }
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracer")
            .field("name", &self.parts.scope.name())
            .field("version", &self.parts.scope.version())
            .finish_non_exhaustive()
    }
}
