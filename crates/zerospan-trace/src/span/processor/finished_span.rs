use crate::sdk::Resource;
use opentelemetry::InstrumentationScope;
use opentelemetry::trace::{SpanContext, SpanId};
use std::fmt;
use zerospan_otlp::protobuf::Message;
use zerospan_otlp::{DecodeError, SpanView};

/// The flag of OTLP's spans and links that marks a context from another process.
pub(crate) const IS_REMOTE: u32 = 0x200;

/// A span that has ended, for [`Processor::on_end`](crate::Processor::on_end): its encoded form, scope and resource.
#[derive(Clone, Copy)]
pub struct FinishedSpan<'a> {
    encoded: &'a [u8],
    context: &'a SpanContext,
    is_exported: bool,
    scope: &'a InstrumentationScope,
    resource: &'a Resource,
}

impl<'a> FinishedSpan<'a> {
    pub(in crate::span) fn new(
        encoded: &'a [u8],
        context: &'a SpanContext,
        is_exported: bool,
        scope: &'a InstrumentationScope,
        resource: &'a Resource,
    ) -> Self {
        Self {
            encoded,
            context,
            is_exported,
            scope,
            resource,
        }
    }

    /// Returns the span as a field `ScopeSpans.spans`, with tag and length, as [`record_encoded`] takes it.
    ///
    /// [`record_encoded`]: zerospan_export::Pipeline::record_encoded
    pub fn encoded(&self) -> &'a [u8] {
        self.encoded
    }

    /// Returns a view that reads the encoded span. Does not allocate.
    ///
    /// # Errors
    ///
    /// None is known, since this crate encoded the span.
    pub fn view(&self) -> Result<SpanView<'a>, DecodeError> {
        let field = Message::new(self.encoded).fields().next();
        let span = field.transpose()?.map(|field| field.bytes()).transpose()?;
        SpanView::new(span.unwrap_or_default())
    }

    /// Returns the span's context.
    pub fn span_context(&self) -> &'a SpanContext {
        self.context
    }

    /// Returns the parent's id. The id is invalid if the span has no parent.
    pub fn parent_span_id(&self) -> SpanId {
        let view = self.view().ok();
        let id = view.and_then(|view| view.parent_span_id().try_into().ok());
        id.map_or(SpanId::INVALID, SpanId::from_bytes)
    }

    /// Returns `true` if the parent is a span of another process.
    pub fn parent_is_remote(&self) -> bool {
        self.view().is_ok_and(|view| view.flags() & IS_REMOTE != 0)
    }

    /// Returns `true` if the span goes to the exporters, and `false` if the sampler chose to record it only.
    pub fn is_exported(&self) -> bool {
        self.is_exported
    }

    /// Returns the scope of the tracer that started the span.
    pub fn instrumentation_scope(&self) -> &'a InstrumentationScope {
        self.scope
    }

    /// Returns the provider's resource.
    pub fn resource(&self) -> &'a Resource {
        self.resource
    }
}

impl fmt::Debug for FinishedSpan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FinishedSpan")
            .field("context", &self.context)
            .field("is_exported", &self.is_exported)
            .finish_non_exhaustive()
    }
}
