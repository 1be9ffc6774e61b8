mod begin;

use crate::core::{Core, CoreId};
use crate::parent::{Asked, Content, Parent};
use crate::provider::Owner;
use crate::span::Span;
use crate::span_builder::SpanBuilder;
use opentelemetry::trace::{self as api, SpanKind, TraceContextExt};
use opentelemetry::{Context, InstrumentationScope};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use zerospan_export::Scope;

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
    /// Allocates nothing. In the destructor of a thread-local, [name the context](SpanBuilder::with_parent_context): the API
    /// crate panics there where it is asked for its current one.
    #[inline]
    pub fn span(&self, name: impl Into<Cow<'static, str>>) -> SpanBuilder<'_> {
        SpanBuilder::new(self, name.into())
    }

    #[inline]
    fn core(&self) -> &Arc<Core> {
        self.owner.core()
    }
}

/// Each span that is not handed out as `&mut Span` costs what the API crate makes of it: `in_span` and
/// `Context::with_span` put it into a box and an `Arc`.
impl opentelemetry::trace::Tracer for Tracer {
    type Span = Span;

    #[inline]
    fn start<T: Into<Cow<'static, str>>>(&self, name: T) -> Span {
        self.begin(&name.into(), &Asked::child_of(Parent::InForce))
    }

    #[inline]
    fn start_with_context<T: Into<Cow<'static, str>>>(&self, name: T, parent: &Context) -> Span {
        self.begin(&name.into(), &Asked::child_of(explicit(parent)))
    }

    fn build(&self, builder: api::SpanBuilder) -> Span {
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

    fn build_with_context(&self, builder: api::SpanBuilder, parent: &Context) -> Span {
        self.build_from(builder, explicit(parent))
    }
}

impl Tracer {
    fn build_from(&self, builder: api::SpanBuilder, parent: Parent<'_>) -> Span {
        let api::SpanBuilder {
            span_kind,
            name,
            start_time,
            attributes,
            events,
            links,
            ..
        } = builder;
        self.begin(
            &name,
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
