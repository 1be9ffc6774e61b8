use crate::StackAttributes;
use opentelemetry::trace::{SpanBuilder, SpanKind, Tracer};
use opentelemetry::{Context, Key, KeyValue, Value};
use std::borrow::Cow;
use std::time::SystemTime;
use zerospan_core::{AttributeSink, AttributeSource, ExtendError};

/// Builds a span of any [`Tracer`], with its attributes on the stack until it starts.
///
/// There are two ways to start it:
///
/// - [`start`](Self::start), for every tracer. The API's own builder takes a `Vec`, so the attributes are moved into one:
///   exactly one allocation of exactly their size (none for a span without attributes; a spilled set hands over what it
///   has). The sampler sees them.
/// - [`start_into`](Self::start_into), for a span that is an [`AttributeSink`]. The attributes are read into the running
///   span and nothing is allocated on the way. The sampler does not see them.
///
/// `A` is where the attributes are: [`StackAttributes`] unless another set is passed to
/// [`with_set`](Self::with_set), such as an [`InlineAttributes`](crate::InlineAttributes).
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
#[must_use = "a builder does nothing until the span is started"]
pub struct StackSpanBuilder<A = StackAttributes> {
    name: Cow<'static, str>,
    kind: Option<SpanKind>,
    start_time: Option<SystemTime>,
    attributes: A,
}

impl StackSpanBuilder {
    /// A builder for a span of that name, with room for 16 attributes. Does not allocate; an owned name moves.
    #[inline]
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self::with_set(name, StackAttributes::new())
    }
}

impl<A: AttributeSource> StackSpanBuilder<A> {
    /// A builder for a span of that name with the attributes of `set`, which may be borrowed. Does not allocate.
    #[inline]
    pub fn with_set(name: impl Into<Cow<'static, str>>, set: A) -> Self {
        Self {
            name: name.into(),
            kind: None,
            start_time: None,
            attributes: set,
        }
    }

    /// Sets the kind. A span whose kind is not set is [`SpanKind::Internal`].
    #[inline]
    pub fn with_kind(mut self, kind: SpanKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Sets when the span began: otherwise when it is started.
    #[inline]
    pub fn with_start_time(mut self, start_time: SystemTime) -> Self {
        self.start_time = Some(start_time);
        self
    }

    /// The attributes so far.
    #[inline]
    pub fn attributes(&self) -> &A {
        &self.attributes
    }

    /// The attributes so far, to add to.
    #[inline]
    pub fn attributes_mut(&mut self) -> &mut A {
        &mut self.attributes
    }

    /// Starts the span through `open`, which is given a builder without attributes, and reads the attributes into it.
    /// Allocates nothing but what `open` and the span do.
    ///
    /// # Errors
    ///
    /// [`ExtendError`] beside the span: it runs, and did not take some of the attributes.
    ///
    /// # Examples
    ///
    /// ```
    /// use zerospan_stack::{InlineAttributes, StackSpanBuilder};
    /// # use opentelemetry::trace::SpanBuilder;
    /// # use zerospan_core::{Attribute, AttributeSink, SinkError};
    /// # struct Span(SpanBuilder, usize);
    /// # impl AttributeSink for Span {
    /// #     fn push_attribute(&mut self, _: Attribute<'_>) -> Result<(), SinkError> {
    /// #         self.1 += 1;
    /// #         Ok(())
    /// #     }
    /// # }
    /// # let open = |builder: SpanBuilder| Span(builder, 0);
    ///
    /// let mut attributes = InlineAttributes::<8, 256>::new();
    /// attributes.try_push("http.route", ("/users/", 42))?;
    /// // `open` is `|builder| tracer.build(builder)` where the tracer's span is an `AttributeSink`.
    /// let (span, taken) = StackSpanBuilder::with_set("GET", &attributes).start_into(open);
    /// assert!(taken.is_ok());
    /// # assert_eq!((span.0.name.as_ref(), span.1), ("GET", 1));
    /// # Ok::<(), zerospan_stack::InlineError>(())
    /// ```
    pub fn start_into<S: AttributeSink>(
        self,
        open: impl FnOnce(SpanBuilder) -> S,
    ) -> (S, Result<(), ExtendError>) {
        let (builder, attributes) = self.into_parts();
        let mut span = open(builder);
        let taken = span.push_all(&attributes);
        (span, taken)
    }

    fn into_parts(self) -> (SpanBuilder, A) {
        let mut builder = SpanBuilder::from_name(self.name);
        builder.span_kind = self.kind;
        builder.start_time = self.start_time;
        (builder, self.attributes)
    }
}

impl<const N: usize> StackSpanBuilder<StackAttributes<N>> {
    /// Adds an attribute. Allocates only where the set spills.
    #[inline]
    pub fn with_attribute(mut self, key: impl Into<Key>, value: impl Into<Value>) -> Self {
        self.attributes.push(KeyValue::new(key, value));
        self
    }

    /// Adds attributes. Allocates only where the set spills.
    #[inline]
    pub fn with_attributes(mut self, attributes: impl IntoIterator<Item = KeyValue>) -> Self {
        self.attributes.extend(attributes);
        self
    }

    /// Starts the span in the current context. Moves the attributes into a `Vec`: one allocation, besides the tracer's own.
    #[inline]
    pub fn start<T: Tracer>(self, tracer: &T) -> T::Span {
        tracer.build(self.into_span_builder())
    }

    /// Starts the span with `parent` as its parent context. Allocates as [`start`](Self::start) does.
    #[inline]
    pub fn start_with_context<T: Tracer>(self, tracer: &T, parent: &Context) -> T::Span {
        tracer.build_with_context(self.into_span_builder(), parent)
    }

    /// The API's own builder, with the attributes in a `Vec` of exactly their size: one allocation, none if there are none.
    pub fn into_span_builder(self) -> SpanBuilder {
        let (mut builder, attributes) = self.into_parts();
        if !attributes.as_slice().is_empty() {
            builder.attributes = Some(attributes.into_vec());
        }
        builder
    }
}
