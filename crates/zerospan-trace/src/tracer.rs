use crate::clock::Reading;
use crate::core::{Core, CoreId, contain};
use crate::local::{self, Local, Seat};
use crate::new_span::NewSpan;
use crate::parent::{Asked, Content, Origin, Parent, context_of, unboxed};
use crate::provider::Owner;
use crate::sampler::Decision;
use crate::slot::Slot;
use crate::span::Span;
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId,
    TraceState,
};
use opentelemetry::{Context, InstrumentationScope};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use zerospan_export::Scope;
use zerospan_otlp::unix_nanos;

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
    /// Allocates nothing. In the destructor of a thread-local, [name the context](NewSpan::with_parent_context): the API
    /// crate panics there where it is asked for its current one.
    #[inline]
    pub fn span(&self, name: impl Into<Cow<'static, str>>) -> NewSpan<'_> {
        NewSpan::new(self, name.into())
    }

    #[inline]
    fn core(&self) -> &Arc<Core> {
        self.owner.core()
    }

    /// Starts a span. The name is taken from where it lies, and the parts of the context come back as words: moving either
    /// right after it was written costs more than all the rest of this function.
    #[inline]
    pub(crate) fn begin(&self, name: &mut Cow<'static, str>, asked: &Asked<'_>) -> Span {
        if self.core().wants_context {
            return self.begin_told(name, asked);
        }
        let mut begun = Begun::default();
        local::with(|local| self.begin_on(local, name, asked, &mut begun, &mut None));
        begun.into_span()
    }

    /// Starts a span where a sampler or a processor wants a `Context`.
    #[cold]
    fn begin_told(&self, name: &mut Cow<'static, str>, asked: &Asked<'_>) -> Span {
        let (mut begun, mut parent) = (Begun::default(), None);
        local::with(|local| self.begin_on(local, name, asked, &mut begun, &mut Some(&mut parent)));
        let mut span = begun.into_span();
        if span.is_recording() {
            let parent = parent.unwrap_or_default();
            for processor in self.core().processors() {
                contain(|| processor.on_start(&mut span, &parent));
            }
        }
        span
    }

    fn begin_on(
        &self,
        local: &Local,
        name: &mut Cow<'static, str>,
        asked: &Asked<'_>,
        begun: &mut Begun,
        context: &mut Option<&mut Option<Context>>,
    ) {
        let core = self.core();
        let mut is_native = false;
        let mut suppressed = false;
        let parent = match asked.parent {
            Parent::InForce => Context::map_current(|current| {
                suppressed = current.is_telemetry_suppressed();
                let span = current.span();
                let span = span.span_context();
                match local.scopes.parent(span.span_id()) {
                    Some(native) => {
                        is_native = true;
                        native
                    }
                    None => Origin::of(span),
                }
            }),
            Parent::In(context) => {
                suppressed = context.is_telemetry_suppressed();
                Origin::of(context.span().span_context())
            }
            Parent::Is(span) => {
                suppressed = Context::is_current_telemetry_suppressed();
                Origin::of(span)
            }
            Parent::None => {
                suppressed = Context::is_current_telemetry_suppressed();
                Origin::NONE
            }
        };
        if suppressed {
            return;
        }
        let seat = local.seat(core);
        let parent = if parent.is_valid() {
            parent
        } else {
            Origin::NONE
        };
        if core.is_closed() {
            seat.counts().refused.raise();
            begun.pass_on(parent);
            return;
        }
        let span_id = core.span_id(&local.ids);
        let trace_id = if parent.trace_id == TraceId::INVALID {
            core.trace_id(&local.ids)
        } else {
            parent.trace_id
        };
        begun.set_ids(trace_id, span_id);
        if let Some(context) = context {
            let native = is_native.then_some(&parent);
            **context = Some(context_of(asked.parent, native));
        }
        match core.sampler.decide(&parent, trace_id) {
            Decision::Is(decision) => {
                self.record(seat, name, asked, &parent, &decision, begun);
                begun.trace_state = parent.trace_state;
            }
            Decision::Ask(sampler) => {
                let context = context.as_ref().and_then(|context| context.as_ref());
                let said = ask(sampler, context, trace_id, name, asked);
                self.record(seat, name, asked, &parent, &said.decision, begun);
                if let Some(slot) = &mut begun.slot {
                    slot.recorder.extend(&said.attributes);
                }
                let state = said.trace_state;
                begun.trace_state = (state != TraceState::NONE).then(|| Box::new(state));
            }
        }
    }

    /// Fills a slot for the span, unless the sampler dropped it.
    #[inline(always)]
    fn record(
        &self,
        seat: &Seat,
        name: &mut Cow<'static, str>,
        asked: &Asked<'_>,
        parent: &Origin,
        decision: &SamplingDecision,
        begun: &mut Begun,
    ) {
        let core = self.core();
        let is_exported = match decision {
            SamplingDecision::RecordAndSample => {
                seat.counts().sampled.raise();
                true
            }
            SamplingDecision::RecordOnly => {
                seat.counts().record_only.raise();
                false
            }
            SamplingDecision::Drop => {
                seat.counts().not_recorded.raise();
                return;
            }
        };
        begun.flags = parent.flags.with_sampled(is_exported).to_u8();
        let mut slot = seat.take_slot(core);
        slot.name = std::mem::take(name);
        slot.kind = asked.kind.clone();
        slot.generation = seat.generation();
        slot.parent = parent.span_id;
        slot.parent_is_remote = parent.is_remote;
        slot.is_exported = is_exported;
        match &slot.parts {
            Some(parts) if Arc::ptr_eq(parts, &self.parts) => {}
            _ => slot.parts = Some(Arc::clone(&self.parts)),
        }
        if let Some(content) = &asked.content {
            fill(&mut slot, content);
        }
        match asked.start_time {
            None => slot.start = core.clock.read(&seat.anchor),
            Some(time) => {
                slot.start = Reading::given(unix_nanos(time));
                slot.start_is_given = true;
            }
        }
        begun.slot = Some(slot);
    }
}

/// What a span begins as: its context taken apart into words, and its slot if it is recorded.
#[derive(Default)]
struct Begun {
    /// The high half, then the low one.
    trace_id: (u64, u64),
    span_id: u64,
    flags: u8,
    /// Only where the context is the parent's own.
    is_remote: bool,
    trace_state: Option<Box<TraceState>>,
    slot: Option<Box<Slot>>,
}

impl Begun {
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

    /// Is no span, and carries the parent's context on as it is: what the specification asks of the API where no SDK is
    /// installed, so that a trace does not break at a service that records nothing.
    #[cold]
    fn pass_on(&mut self, parent: Origin) {
        self.set_ids(parent.trace_id, parent.span_id);
        self.flags = parent.flags.to_u8();
        self.is_remote = parent.is_remote;
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
    trace_id: TraceId,
    name: &str,
    asked: &Asked<'_>,
) -> SamplingResult {
    let content = asked.content.unwrap_or_default();
    sampler.should_sample(
        parent,
        trace_id,
        name,
        &asked.kind,
        content.attributes,
        content.links,
    )
}

fn fill(slot: &mut Slot, content: &Content<'_>) {
    slot.recorder.extend(content.attributes);
    for link in content.links {
        slot.recorder.add_link(&link.span_context, &link.attributes);
    }
    for event in content.events {
        slot.recorder
            .add_event(&event.name, unix_nanos(event.timestamp), &event.attributes);
    }
}

/// Each span that is not handed out as `&mut Span` costs what the API crate makes of it: `in_span` and
/// `Context::with_span` put it into a box and an `Arc`.
impl opentelemetry::trace::Tracer for Tracer {
    type Span = Span;

    #[inline]
    fn start<T: Into<Cow<'static, str>>>(&self, name: T) -> Span {
        self.begin(&mut name.into(), &Asked::child_of(Parent::InForce))
    }

    #[inline]
    fn start_with_context<T: Into<Cow<'static, str>>>(&self, name: T, parent: &Context) -> Span {
        self.begin(&mut name.into(), &Asked::child_of(explicit(parent)))
    }

    fn build(&self, builder: SpanBuilder) -> Span {
        self.build_from(builder, Parent::InForce)
    }

    // Without the detour through a builder.
    #[inline]
    fn in_span<T, F, N>(&self, name: N, work: F) -> T
    where
        F: FnOnce(Context) -> T,
        N: Into<Cow<'static, str>>,
    {
        let context = Context::current_with_span(self.start(name));
        let _attached = context.clone().attach();
        work(context)
    }

    #[inline]
    fn in_span_with_context<T, F, N>(&self, name: N, parent: &Context, work: F) -> T
    where
        F: FnOnce(Context) -> T,
        N: Into<Cow<'static, str>>,
    {
        let context = parent.with_span(self.start_with_context(name, parent));
        let _attached = context.clone().attach();
        work(context)
    }

    fn build_with_context(&self, builder: SpanBuilder, parent: &Context) -> Span {
        self.build_from(builder, explicit(parent))
    }
}

impl Tracer {
    fn build_from(&self, builder: SpanBuilder, parent: Parent<'_>) -> Span {
        let SpanBuilder {
            span_kind,
            mut name,
            start_time,
            attributes,
            events,
            links,
            ..
        } = builder;
        self.begin(
            &mut name,
            &Asked {
                parent,
                kind: span_kind.unwrap_or(SpanKind::Internal),
                start_time,
                content: Some(Content {
                    attributes: attributes.as_deref().unwrap_or_default(),
                    events: events.as_deref().unwrap_or_default(),
                    links: links.as_deref().unwrap_or_default(),
                }),
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
