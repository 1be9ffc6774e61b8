use crate::stats::{Tally, add};
use crate::terms::Terms;
use crate::{PoolStats, Settlement};
use zerospan_core::Recycle;

/// Where all threads together keep what is not lent.
pub(crate) trait Store {
    /// What is kept.
    type Object;

    /// Takes an object out, if there is one.
    fn pop(&self) -> Option<Self::Object>;

    /// Keeps an object; hands it back where there is no room.
    fn push(&self, object: Self::Object) -> Result<(), Self::Object>;

    /// How many objects there are.
    fn len(&self) -> usize;
}

/// A pool over one store, whatever the store.
pub(crate) struct Stocked<S, R> {
    pub(crate) terms: Terms<R>,
    pub(crate) store: S,
    tally: Tally,
}

impl<S, R> Stocked<S, R> {
    pub(crate) fn new(terms: Terms<R>, store: S) -> Self {
        Self {
            terms,
            store,
            tally: Tally::default(),
        }
    }

    pub(crate) fn stats(&self) -> PoolStats {
        self.tally.snapshot()
    }
}

impl<S: Store, R: Recycle<S::Object>> Stocked<S, R> {
    pub(crate) fn take(&self) -> S::Object {
        let (object, counter) = match self.store.pop() {
            Some(object) => (object, &self.tally.hits),
            None => (self.terms.recycle.create(), &self.tally.misses),
        };
        add(counter, 1);
        object
    }

    pub(crate) fn settle(&self, settlement: Settlement<S::Object>) {
        let tally = &self.tally;
        let (dropped, counter) = match settlement {
            Settlement::Returned(object) => {
                match self.terms.renew(object, || add(&tally.panicked, 1)) {
                    Ok(object) => match self.store.push(object) {
                        Ok(()) => (None, &tally.returns),
                        Err(object) => (Some(object), &tally.full),
                    },
                    Err(object) => (Some(object), &tally.too_large),
                }
            }
            Settlement::Unwound(object) => (Some(object), &tally.panicked),
            Settlement::Detached => (None, &tally.detached),
        };
        add(counter, 1);
        drop(dropped);
    }

    pub(crate) fn warm_up(&self, count: usize) -> usize {
        let mut created = 0;
        while created < count && self.store.len() < self.terms.capacity {
            if self.store.push(self.terms.recycle.create()).is_err() {
                break;
            }
            add(&self.tally.warmed_up, 1);
            created += 1;
        }
        created
    }

    pub(crate) fn shrink(&self, keep: usize) -> usize {
        let mut freed = Vec::new();
        while self.store.len() > keep
            && let Some(object) = self.store.pop()
        {
            freed.push(object);
        }
        let count = freed.len();
        add(&self.tally.shrunk, count as u64);
        drop(freed);
        count
    }
}
