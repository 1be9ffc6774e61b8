//! The states that one thread keeps of objects that many threads share: of pools, of tracer providers.
//!
//! An *owner* is such a shared object. [`ThreadStates`] belongs in a thread-local and holds one state for each owner that
//! the thread uses, so that the frequent operations write to nothing that threads share.

use std::cell::{Cell, OnceCell};
use std::fmt;
use std::mem;
use std::num::NonZeroU64;
use std::sync::atomic::{self, AtomicU64, Ordering};
use zerospan_core::{fork, panics};

/// Identifies an owner for the life of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OwnerId(NonZeroU64);

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl OwnerId {
    /// Returns an id that no other owner has.
    pub fn unique() -> Self {
        let number = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        Self(NonZeroU64::new(number).unwrap_or(NonZeroU64::MIN))
    }
}

/// Advances the epoch: threads look for stale states when they next call [`ThreadStates::sweep_if_due`].
pub fn bump_epoch() {
    fork::advance_epoch();
}

/// Advances the epoch when it is dropped. Declare it as an owner's last field, after all that makes a state stale.
#[derive(Debug)]
pub struct DropSignal;

impl Drop for DropSignal {
    fn drop(&mut self) {
        bump_epoch();
    }
}

/// One thread's state of one owner. `Default` builds an unbound state.
pub trait ThreadState: Default {
    /// The shared object.
    type Owner;

    /// The values that only user code can drop: the list drops them when all states are consistent again.
    type Garbage;

    /// Binds this unbound state to `owner`. Must not use the list.
    fn bind(&self, owner: &Self::Owner);

    /// Reports that the owner is dropped or closed and that the state may be unbound.
    fn is_stale(&self) -> bool;

    /// Returns everything to the owner, or to the caller what must be dropped. Runs no user code, and leaves the state
    /// as `Default` builds it, capacity aside.
    fn unbind(&self) -> Self::Garbage;

    /// Leaves the state as `Default` builds it, and forgets what it had: that belongs to the parent process. Locks and drops
    /// nothing.
    fn forget(&self);
}

/// A thread's states, one for each owner.
///
/// The list only grows, so that a reference to a state stays valid, without a borrow flag, while user code runs that
/// uses the list again. A state whose owner is gone is bound to the next owner. Look-ups go in the order of first use.
///
/// A forked child inherits its parent's states: the first sweep, and the end of the thread, forget them.
pub struct ThreadStates<S: ThreadState> {
    first: OnceCell<Box<Node<S>>>,
    /// The epoch of the last sweep.
    swept: Cell<u64>,
}

struct Node<S> {
    /// The number of the owner, or [`UNBOUND`]. Not an `Option`, which takes another comparison in each look-up.
    owner: Cell<u64>,
    /// The fork generation of the process in which the state was bound.
    generation: Cell<u64>,
    state: S,
    next: OnceCell<Box<Node<S>>>,
}

const UNBOUND: u64 = 0;

impl<S: ThreadState> ThreadStates<S> {
    /// Builds an empty list. Does not allocate.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            first: OnceCell::new(),
            swept: Cell::new(0),
        }
    }

    /// Returns this thread's state of the owner, if it is registered.
    #[inline]
    pub fn get(&self, owner: OwnerId) -> Option<&S> {
        match self.first.get() {
            Some(node) if node.owner.get() == owner.0.get() => Some(&node.state),
            _ => self.search(owner),
        }
    }

    #[cold]
    #[inline(never)]
    fn search(&self, owner: OwnerId) -> Option<&S> {
        self.find(owner.0.get()).map(|node| &node.state)
    }

    /// Returns this thread's state of the owner; binds one, after a sweep if one is due, where there is none yet.
    ///
    /// Allocates where no unbound state is left.
    #[cold]
    #[inline(never)]
    pub fn register(&self, id: OwnerId, owner: &S::Owner) -> &S {
        self.sweep_if_due();
        // The sweep may have run user code that registered the owner.
        if let Some(state) = self.search(id) {
            return state;
        }
        let node = match self.find(UNBOUND) {
            Some(unbound) => unbound,
            None => {
                let mut end = &self.first;
                while let Some(node) = end.get() {
                    end = &node.next;
                }
                end.get_or_init(|| Box::new(Node::new()))
            }
        };
        node.state.bind(owner);
        node.generation.set(fork::generation());
        node.owner.set(id.0.get());
        &node.state
    }

    /// Unbinds the states of owners that are gone, if the epoch has advanced since the last sweep.
    #[inline]
    pub fn sweep_if_due(&self) {
        if self.is_sweep_due() {
            self.sweep();
        }
    }

    /// Returns `true` if the epoch has advanced since the last sweep.
    #[inline]
    pub fn is_sweep_due(&self) -> bool {
        fork::epoch() != self.swept.get()
    }

    #[cold]
    #[inline(never)]
    fn sweep(&self) {
        self.swept.set(fork::epoch());
        atomic::fence(Ordering::Acquire);
        let mut garbage = Vec::new();
        for node in self.nodes() {
            if !node.is_bound() {
                continue;
            }
            if !node.is_current() {
                node.owner.set(UNBOUND);
                node.state.forget();
            } else if node.state.is_stale() {
                node.owner.set(UNBOUND);
                garbage.push(node.state.unbind());
            }
        }
        // User code, which may use the list: every state is consistent by now.
        drop(garbage);
    }

    /// Iterates over the states that are bound.
    pub fn iter(&self) -> impl Iterator<Item = &S> {
        self.nodes()
            .filter(|node| node.is_bound())
            .map(|node| &node.state)
    }

    fn nodes(&self) -> impl Iterator<Item = &Node<S>> {
        std::iter::successors(self.first.get(), |node| node.next.get()).map(|node| &**node)
    }

    fn find(&self, owner: u64) -> Option<&Node<S>> {
        self.nodes().find(|node| node.owner.get() == owner)
    }
}

impl<S: ThreadState> Default for ThreadStates<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: ThreadState + fmt::Debug> fmt::Debug for ThreadStates<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<S: ThreadState> Drop for ThreadStates<S> {
    fn drop(&mut self) {
        // A loop: the recursive drop of a long list overflows the stack.
        let mut rest = self.first.take();
        while let Some(mut node) = rest {
            rest = node.next.take();
            if !node.is_bound() {
                continue;
            }
            if node.is_current() {
                node.owner.set(UNBOUND);
                // A panic out of the destructor of a thread-local ends the process.
                panics::drop_quietly(node.state.unbind());
            } else {
                mem::forget(node);
            }
        }
    }
}

impl<S: ThreadState> Node<S> {
    fn new() -> Self {
        Self {
            owner: Cell::new(UNBOUND),
            generation: Cell::new(0),
            state: S::default(),
            next: OnceCell::new(),
        }
    }

    fn is_bound(&self) -> bool {
        self.owner.get() != UNBOUND
    }

    /// Returns `true` in the process in which the state was bound.
    fn is_current(&self) -> bool {
        self.generation.get() == fork::generation()
    }
}

#[cfg(test)]
mod tests;
