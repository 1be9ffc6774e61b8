use std::fmt;
use tracing_core::Metadata;
use zerospan_core::sync::OnceBox;

/// The names of the span fields that log records get too: none, unless the layer is told.
#[derive(Default)]
pub(crate) struct KeptFields(OnceBox<Box<[String]>>);

impl KeptFields {
    /// Sets the names, once.
    pub(crate) fn set(&self, names: impl IntoIterator<Item = String>) {
        let _ = self.0.set(names.into_iter().collect());
    }

    /// Returns the names, if there are any.
    #[inline]
    pub(crate) fn names(&self) -> Option<&[String]> {
        self.0.get().map(|names| &**names)
    }
}

/// Returns `true` if a callsite has a field of these names.
pub(crate) fn has_any(names: &[String], metadata: &Metadata<'_>) -> bool {
    let mut fields = metadata.fields().iter();
    fields.any(|field| names.iter().any(|name| name == field.name()))
}

impl fmt::Debug for KeptFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeptFields").field(&self.names()).finish()
    }
}
