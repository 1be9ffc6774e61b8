use crate::Span;
use crate::slot::Slot;
use crate::tracer::Parts;
use opentelemetry::trace::{SpanContext, SpanId};
use opentelemetry::{Context, InstrumentationScope};
use opentelemetry_sdk::Resource;
use std::error::Error;
use std::fmt;
use std::time::Duration;
use zerospan_otlp::{DecodeError, SpanView};

/// Is told of every span that is recorded, those included that are not exported.
///
/// Several are called in the order in which they were given to the builder, on the thread that starts or ends the span, and
/// outside every lock and borrow of the provider: they may start spans themselves, to which they are called again. A panic is
/// reported, and goes no further.
pub trait Processor: Send + Sync + fmt::Debug {
    /// A span has started, with `parent` as the context that it started in. It can be written to.
    ///
    /// Where the parent is a span that was entered natively, the context is made for you, which allocates.
    fn on_start(&self, span: &mut Span, parent: &Context) {
        let _ = (span, parent);
    }

    /// A span is about to end, and can be written to for the last time. Ending it here does nothing.
    fn on_ending(&self, span: &mut Span) {
        let _ = span;
    }

    /// A span has ended.
    fn on_end(&self, span: &FinishedSpan<'_>) {
        let _ = span;
    }

    /// Is given the resource, once, before the first span.
    fn set_resource(&mut self, resource: &Resource) {
        let _ = resource;
    }

    /// Passes on what it holds.
    ///
    /// # Errors
    ///
    /// Whatever it could not do within `timeout`.
    fn force_flush(&self, timeout: Duration) -> Result<(), ProcessorError> {
        let _ = timeout;
        Ok(())
    }

    /// Passes on what it holds and stops. Called once.
    ///
    /// # Errors
    ///
    /// Whatever it could not do within `timeout`.
    fn shutdown(&self, timeout: Duration) -> Result<(), ProcessorError> {
        let _ = timeout;
        Ok(())
    }
}

/// What a processor says went wrong.
pub type ProcessorError = Box<dyn Error + Send + Sync>;

/// A span that has ended, for [`Processor::on_end`]: its encoded form, and what that does not tell.
#[derive(Clone, Copy)]
pub struct FinishedSpan<'a> {
    field: &'a [u8],
    context: &'a SpanContext,
    is_exported: bool,
    scope: &'a InstrumentationScope,
    resource: &'a Resource,
}

impl<'a> FinishedSpan<'a> {
    pub(crate) fn new(
        field: &'a [u8],
        context: &'a SpanContext,
        slot: &Slot,
        parts: &'a Parts,
        resource: &'a Resource,
    ) -> Self {
        Self {
            field,
            context,
            is_exported: slot.is_exported,
            scope: &parts.scope,
            resource,
        }
    }

    /// The span as a field `ScopeSpans.spans`, tag and length included: what [`record_encoded`] takes.
    ///
    /// [`record_encoded`]: zerospan_export::Pipeline::record_encoded
    pub fn encoded(&self) -> &'a [u8] {
        self.field
    }

    /// Reads the encoded span, without allocation.
    ///
    /// # Errors
    ///
    /// None is known: the bytes are this crate's own.
    pub fn view(&self) -> Result<SpanView<'a>, DecodeError> {
        SpanView::new(message(self.field))
    }

    /// The span's context.
    pub fn span_context(&self) -> &'a SpanContext {
        self.context
    }

    /// The parent's id; an invalid one says that there is none.
    pub fn parent_span_id(&self) -> SpanId {
        let view = self.view().ok();
        let id = view.and_then(|view| view.parent_span_id().try_into().ok());
        id.map_or(SpanId::INVALID, SpanId::from_bytes)
    }

    /// Whether the parent came from another process.
    pub fn parent_is_remote(&self) -> bool {
        /// What the flags of a span say of its parent.
        const IS_REMOTE: u32 = 0x200;
        self.view().is_ok_and(|view| view.flags() & IS_REMOTE != 0)
    }

    /// Whether the span goes to the exporters: false if it was sampled to be recorded only.
    pub fn is_exported(&self) -> bool {
        self.is_exported
    }

    /// The scope of the tracer that started the span.
    pub fn instrumentation_scope(&self) -> &'a InstrumentationScope {
        self.scope
    }

    /// The provider's resource.
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

/// What is in a field: its bytes behind tag and length.
fn message(field: &[u8]) -> &[u8] {
    let behind_tag = field.get(1..).unwrap_or_default();
    let length = behind_tag
        .iter()
        .position(|byte| byte & 0x80 == 0)
        .map_or(0, |last| last + 1);
    behind_tag.get(length..).unwrap_or_default()
}
