use super::table::Table;
use std::sync::OnceLock;
use zerospan_core::fork;

/// A table for each process: a forked child starts with an empty one.
///
/// The parent exports the spans that are open at the fork. Its table is neither locked nor dropped in the child, since a thread
/// of the parent's may have been changing it.
#[derive(Debug)]
pub(crate) struct Tables<V> {
    generation: u64,
    table: Table<V>,
    child: OnceLock<Box<Self>>,
}

impl<V: Default> Tables<V> {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            generation: fork::generation(),
            table: Table::new(max),
            child: OnceLock::new(),
        }
    }

    /// Returns the table of this process.
    #[inline]
    pub(crate) fn current(&self) -> &Table<V> {
        if self.generation == fork::generation() {
            return &self.table;
        }
        self.of_child()
    }

    #[cold]
    fn of_child(&self) -> &Table<V> {
        let mut this = self;
        while this.generation != fork::generation() {
            let max = this.table.max();
            this = this.child.get_or_init(|| Box::new(Self::new(max)));
        }
        &this.table
    }
}
