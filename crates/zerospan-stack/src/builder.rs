use crate::sets::stack::StackAttributes;
use opentelemetry::trace::{SpanBuilder, SpanKind, Tracer};
use opentelemetry::{Context, Key, KeyValue, Value};
use std::borrow::Cow;
use std::time::SystemTime;
use zerospan_core::{AttributeSink, AttributeSource, ExtendError};

/// Builds a span of any [`Tracer`], with its attributes on the stack until it starts.
///
/// There are two ways to start the span:
///
/// - [`start`](Self::start), for every tracer. The API crate's builder takes a `Vec`, so the attributes are moved into
///   one: one allocation of exactly their size (none for a span without attributes, and none for a spilled set, which
///   hands over its memory). The sampler sees them.
/// - [`start_into`](Self::start_into), for a span that is an [`AttributeSink`]. The attributes are read into the started
///   span without allocation. The sampler does not see them.
///
/// `A` is the set of attributes: [`StackAttributes`] by default, or the set passed to [`with_set`](Self::with_set), such
/// as an [`InlineAttributes`](crate::InlineAttributes).
///
/// # Examples
///
/// ```
/// use opentelemetry::trace::noop::NoopTracer;
/// use opentelemetry::trace::SpanKind;
/// use zerospan_stack::StackSpanBuilder;
///
/// let tracer = NoopTracer::new();
/// let span = StackSpanBuilder::new("GET /users/{id}")
///     .with_kind(SpanKind::Server)
///     .with_attribute("http.request.method", "GET")
///     .with_attribute("http.response.status_code", 200)
///     .start(&tracer);
/// # drop(span);
/// ```
#[derive(Clone, Debug)]
#[must_use = "the builder does nothing until the span is started"]
pub struct StackSpanBuilder<A = StackAttributes> {
    name: Cow<'static, str>,
    kind: Option<SpanKind>,
    start_time: Option<SystemTime>,
    attributes: A,
}

impl StackSpanBuilder {
    /// Builds a builder for a span, with room for 16 attributes. Does not allocate; an owned name is moved.
    #[inline]
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self::with_set(name, StackAttributes::new())
    }
}

impl<A: AttributeSource> StackSpanBuilder<A> {
    /// Builds a builder for a span with the attributes of `set`, which may be borrowed. Does not allocate.
    #[inline]
    pub fn with_set(name: impl Into<Cow<'static, str>>, set: A) -> Self {
        Self {
            name: name.into(),
            kind: None,
            start_time: None,
            attributes: set,
        }
    }

    /// Sets the kind; [`SpanKind::Internal`] by default.
    #[inline]
    pub fn with_kind(mut self, kind: SpanKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Sets the start time; the time of the call that starts the span by default.
    #[inline]
    pub fn with_start_time(mut self, start_time: SystemTime) -> Self {
        self.start_time = Some(start_time);
        self
    }

    /// Returns the attributes.
    #[inline]
    pub fn attributes(&self) -> &A {
        &self.attributes
    }

    /// Returns the attributes for changes.
    #[inline]
    pub fn attributes_mut(&mut self) -> &mut A {
        &mut self.attributes
    }

    /// Starts the span with `start`, which receives a builder without attributes, and appends the attributes to the span.
    /// Allocates only what `start` and the span allocate.
    ///
    /// # Errors
    ///
    /// [`ExtendError`] beside the started span, if the span rejected some of the attributes.
    ///
    /// # Examples
    ///
    /// ```
    /// use opentelemetry::trace::SpanBuilder;
    /// use zerospan_core::AttributeSource;
    /// use zerospan_stack::{InlineAttributes, StackSpanBuilder};
    ///
    /// let mut attributes = InlineAttributes::<8, 256>::new();
    /// attributes.try_push("http.route", ("/users/", 42))?;
    /// // For a tracer whose spans are sinks: `start_into(|builder| tracer.build(builder))`.
    /// let (span, result) = StackSpanBuilder::with_set("GET", &attributes)
    ///     .start_into(|builder: SpanBuilder| builder);
    /// assert!(result.is_ok());
    /// assert_eq!(span.attributes.map(|attributes| attributes.len()), Some(1));
    /// # Ok::<(), zerospan_stack::InlineError>(())
    /// ```
    pub fn start_into<S: AttributeSink>(
        self,
        start: impl FnOnce(SpanBuilder) -> S,
    ) -> (S, Result<(), ExtendError>) {
        let (builder, attributes) = self.into_parts();
        let mut span = start(builder);
        let result = span.push_all(&attributes);
        (span, result)
    }

    fn into_parts(self) -> (SpanBuilder, A) {
        let mut builder = SpanBuilder::from_name(self.name);
        builder.span_kind = self.kind;
        builder.start_time = self.start_time;
        (builder, self.attributes)
    }
}

impl<const N: usize> StackSpanBuilder<StackAttributes<N>> {
    /// Adds an attribute. Allocates only if the set spills.
    #[inline]
    pub fn with_attribute(mut self, key: impl Into<Key>, value: impl Into<Value>) -> Self {
        self.attributes.push(KeyValue::new(key, value));
        self
    }

    /// Adds attributes. Allocates only if the set spills.
    #[inline]
    pub fn with_attributes(mut self, attributes: impl IntoIterator<Item = KeyValue>) -> Self {
        self.attributes.extend(attributes);
        self
    }

    /// Starts the span in the current context. Moves the attributes into a `Vec`: one allocation.
    #[inline]
    pub fn start<T: Tracer>(self, tracer: &T) -> T::Span {
        tracer.build(self.into_span_builder())
    }

    /// Starts the span with `parent` as its parent context. Allocates as [`start`](Self::start) does.
    #[inline]
    pub fn start_with_context<T: Tracer>(self, tracer: &T, parent: &Context) -> T::Span {
        tracer.build_with_context(self.into_span_builder(), parent)
    }

    /// Converts this into the API crate's builder, with the attributes in a `Vec` of exactly their size: one allocation,
    /// or none without attributes.
    pub fn into_span_builder(self) -> SpanBuilder {
        let (mut builder, attributes) = self.into_parts();
        if !attributes.as_slice().is_empty() {
            builder.attributes = Some(attributes.into_vec());
        }
        builder
    }
}
