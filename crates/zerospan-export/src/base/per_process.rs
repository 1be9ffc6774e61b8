use std::sync::OnceLock;
use zerospan_core::fork;

/// A value of each process: the one that made it, and its forked children, which start with a default.
///
/// The parent's value is neither used nor dropped in a child, since a thread of the parent's may have been changing it.
#[derive(Debug)]
pub(crate) struct PerProcess<T> {
    generation: u64,
    value: T,
    child: OnceLock<Box<Self>>,
}

impl<T: Default> PerProcess<T> {
    /// Returns the value of this process.
    pub(crate) fn current(&self) -> &T {
        let mut this = self;
        while this.generation != fork::generation() {
            this = this.child.get_or_init(Box::default);
        }
        &this.value
    }
}

impl<T: Default> Default for PerProcess<T> {
    fn default() -> Self {
        Self {
            generation: fork::generation(),
            value: T::default(),
            child: OnceLock::new(),
        }
    }
}
