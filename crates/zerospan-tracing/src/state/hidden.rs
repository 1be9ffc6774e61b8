use opentelemetry::Context;

/// The parent that was set on a span which the layer does not see, in the span's extensions: its children inherit it.
#[derive(Clone)]
pub(crate) struct HiddenParent(pub(crate) Context);
