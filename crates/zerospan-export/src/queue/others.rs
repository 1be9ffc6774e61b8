use std::sync::Weak;
use zerospan_pool::trim::Trim;

/// The memory of others that the worker frees in time: of the providers that record into the pipeline.
#[derive(Default)]
pub(crate) struct Others(Vec<Weak<dyn Trim>>);

impl Others {
    /// Adds `other`, unless it is there, and forgets those that are gone.
    pub(crate) fn add(&mut self, other: Weak<dyn Trim>) {
        self.0.retain(|held| held.strong_count() > 0);
        if !self.0.iter().any(|held| held.ptr_eq(&other)) {
            self.0.push(other);
        }
    }

    pub(crate) fn get(&self, index: usize) -> Option<Weak<dyn Trim>> {
        self.0.get(index).cloned()
    }
}

impl std::fmt::Debug for Others {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|_| "..")).finish()
    }
}
