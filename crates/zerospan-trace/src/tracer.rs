//! Tracers start spans.

mod span_builder;
mod start;

pub use span_builder::SpanBuilder;

use crate::context::options::{InitialData, Parent, StartOptions};
use crate::shutdown::ShutdownGuard;
use crate::slot::TracerInner;
use crate::span::{Entered, LayerThread, Moment, ProviderInner, Span, with_thread};
use opentelemetry::trace::{self as api, SpanKind, TraceContextExt};
use opentelemetry::{Context, ContextGuard, InstrumentationScope};
use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Weak};
use zerospan_core::{context, panics};
use zerospan_export::Scope;
use zerospan_otlp::SpanLimits;

/// Starts spans of one instrumentation scope.
///
/// Implements OpenTelemetry's [`Tracer`](opentelemetry::trace::Tracer), and has [`span`](Self::span), which takes no vectors.
/// Cloning copies two pointers.
#[derive(Clone)]
pub struct Tracer {
    guard: Arc<ShutdownGuard>,
    inner: Arc<TracerInner>,
}

impl Tracer {
    pub(crate) fn new(guard: Arc<ShutdownGuard>, scope: InstrumentationScope) -> Self {
        // Names the concrete type, which the field does not.
        let provider: Weak<ProviderInner> = Arc::downgrade(guard.provider());
        let inner = Arc::new(TracerInner {
            provider: guard.provider().id(),
            provider_inner: provider,
            encoded_scope: Scope::new(&scope),
            scope,
        });
        Self { guard, inner }
    }

    /// Returns the scope of this tracer's spans.
    pub fn instrumentation_scope(&self) -> &InstrumentationScope {
        &self.inner.scope
    }

    /// Returns a tracer of the same provider with another scope.
    #[doc(hidden)]
    #[must_use]
    pub fn with_scope(&self, scope: InstrumentationScope) -> Self {
        Self::new(Arc::clone(&self.guard), scope)
    }

    /// Reads the clock.
    #[doc(hidden)]
    pub fn moment(&self) -> Moment {
        with_thread(|thread| self.moment_on(thread))
    }

    /// Reads the clock on this thread.
    #[doc(hidden)]
    #[inline(always)]
    pub fn moment_on(&self, thread: &LayerThread<'_>) -> Moment {
        let provider = self.provider();
        let state = thread.0.get_or_register(provider);
        Moment(provider.clock.read(&state.anchor))
    }

    /// Returns the limits of its spans.
    #[doc(hidden)]
    pub fn span_limits(&self) -> SpanLimits {
        self.provider().limits
    }

    /// Returns `true` if a sampler may read what only the API crate's builder passes at the start: attributes.
    #[doc(hidden)]
    pub fn has_custom_sampler(&self) -> bool {
        self.provider().sampler.needs_context()
    }

    #[inline]
    fn provider(&self) -> &Arc<ProviderInner> {
        self.guard.provider()
    }

    fn start_from_builder(&self, builder: api::SpanBuilder, parent: Parent<'_>) -> Span {
        let api::SpanBuilder {
            span_kind,
            name,
            start_time,
            attributes,
            events,
            links,
            ..
        } = builder;
        self.start_span(
            &name,
            &StartOptions {
                parent,
                kind: span_kind.unwrap_or(SpanKind::Internal),
                start_time,
                initial: Some(InitialData {
                    attributes: attributes.as_deref().unwrap_or_default(),
                    events: events.as_deref().unwrap_or_default(),
                    links: links.as_deref().unwrap_or_default(),
                }),
            },
        )
    }
}

/// Starting a span allocates nothing. `in_span` and `Context::with_span` put it into a box and an `Arc`, as the API crate does.
impl api::Tracer for Tracer {
    type Span = Span;

    #[inline]
    fn start<T: Into<Cow<'static, str>>>(&self, name: T) -> Span {
        self.start_span(&name.into(), &StartOptions::child_of(Parent::Current))
    }

    #[inline]
    fn start_with_context<T: Into<Cow<'static, str>>>(&self, name: T, parent: &Context) -> Span {
        self.start_span(&name.into(), &StartOptions::child_of(explicit(parent)))
    }

    fn build(&self, builder: api::SpanBuilder) -> Span {
        self.start_from_builder(builder, Parent::Current)
    }

    // The provided method builds a `SpanBuilder` first.
    #[inline]
    fn in_span<T, F, N>(&self, name: N, work: F) -> T
    where
        F: FnOnce(Context) -> T,
        N: Into<Cow<'static, str>>,
    {
        let context = current_with_span(self.start(name));
        let _attached = Attached::new(&context);
        work(context)
    }

    #[inline]
    fn in_span_with_context<T, F, N>(&self, name: N, parent: &Context, work: F) -> T
    where
        F: FnOnce(Context) -> T,
        N: Into<Cow<'static, str>>,
    {
        let context = parent.with_span(self.start_with_context(name, parent));
        let _attached = Attached::new(&context);
        work(context)
    }

    fn build_with_context(&self, builder: api::SpanBuilder, parent: &Context) -> Span {
        self.start_from_builder(builder, explicit(parent))
    }
}

/// Recognizes the current context, which `SpanBuilder::start` passes: a natively entered span may be the parent then. The
/// caller chose any other context.
#[inline]
fn explicit(context: &Context) -> Parent<'_> {
    if context::with_current(|current| std::ptr::eq(current, context)) == Some(true) {
        Parent::Current
    } else {
        Parent::Context(context)
    }
}

/// Returns the current context with `span` as its span.
#[inline]
fn current_with_span(span: Span) -> Context {
    let mut span = Some(span);
    let context = context::with_current(|current| Some(current.with_span(span.take()?)));
    match (context.flatten(), span) {
        (None, Some(span)) => Context::new().with_span(span),
        (context, _) => context.unwrap_or_default(),
    }
}

/// Makes a context the current one until it is dropped.
enum Attached {
    Api { _guard: ContextGuard },
    Native { _guard: Entered },
}

impl Attached {
    /// Attaches `context`, or enters its span natively where the API's own cannot change: while the thread ends, and within
    /// `Context::map_current`, where the API panics.
    #[inline]
    fn new(context: &Context) -> Self {
        let attach = || panics::catch(|| context.clone().attach()).ok();
        match context::is_alive().then(attach).flatten() {
            Some(_guard) => Self::Api { _guard },
            None => Self::Native {
                _guard: Entered::new(context.span().span_context()),
            },
        }
    }
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracer")
            .field("name", &self.inner.scope.name())
            .field("version", &self.inner.scope.version())
            .finish_non_exhaustive()
    }
}
