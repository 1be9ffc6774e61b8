//! Detects forks without a system call, and keeps apart what belongs to parent and child.
//!
//! A forked child has a copy of its parent's memory and one thread. Locks that another thread held stay locked for ever, and
//! what refers to the system (sockets, registrations, threads) is shared with the parent, or is gone. Hence the rule: what
//! belongs to another process is forgotten, never dropped or locked. [`ProcessOwned`] and [`PerProcess`] keep it.

use crate::sync::OnceBox;
use std::io;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

static GENERATION: AtomicU64 = AtomicU64::new(0);
static EPOCH: AtomicU64 = AtomicU64::new(0);
static IS_WATCHED: AtomicBool = AtomicBool::new(false);

/// Starts counting the forks of this process. Later calls do nothing and return `Ok`.
///
/// A child made by a raw `clone` system call runs no handlers and goes undetected.
///
/// # Errors
///
/// The error of `pthread_atfork`, if it lacks memory: a forked child is not detected then.
pub fn watch() -> io::Result<()> {
    // Threads that race install several handlers: a fork then counts more than once, which does no harm. A lock could be held
    // for ever in a child.
    if !IS_WATCHED.load(Ordering::Acquire) {
        install()?;
        IS_WATCHED.store(true, Ordering::Release);
    }
    Ok(())
}

/// Returns a number that grows with each fork, in the child: 0 in a process in which none was seen. One relaxed load.
#[inline]
pub fn generation() -> u64 {
    GENERATION.load(Ordering::Relaxed)
}

/// Returns a number that grows with each fork, in the child, and with each call of [`advance_epoch`]. One relaxed load.
#[inline]
pub fn epoch() -> u64 {
    EPOCH.load(Ordering::Relaxed)
}

/// Advances the [`epoch`].
pub fn advance_epoch() {
    EPOCH.fetch_add(1, Ordering::Release);
}

#[cfg(unix)]
#[allow(unsafe_code)]
fn install() -> io::Result<()> {
    extern "C" fn in_child() {
        GENERATION.fetch_add(1, Ordering::Relaxed);
        EPOCH.fetch_add(1, Ordering::Relaxed);
    }
    // SAFETY: the handler is a function of this program, so it outlives every fork, and it performs atomic additions, which
    // are async-signal-safe and therefore allowed in a child of a process with several threads.
    let failed = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    match failed {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

#[cfg(not(unix))]
fn install() -> io::Result<()> {
    Ok(())
}

/// A value that belongs to the process that made it: dropped there, and forgotten in its forked children.
#[derive(Debug)]
pub struct ProcessOwned<T> {
    generation: u64,
    value: ManuallyDrop<T>,
}

impl<T> ProcessOwned<T> {
    /// Makes a value of this process.
    #[inline]
    pub fn new(value: T) -> Self {
        Self {
            generation: generation(),
            value: ManuallyDrop::new(value),
        }
    }

    /// Makes the value of a static: it belongs to the first process.
    pub const fn new_static(value: T) -> Self {
        Self {
            generation: 0,
            value: ManuallyDrop::new(value),
        }
    }

    /// Returns `true` in the process that made the value.
    #[inline]
    pub fn is_current(&self) -> bool {
        self.generation == generation()
    }

    /// Returns the generation of the process that made the value.
    #[inline]
    pub fn generation(&self) -> u64 {
        self.generation
    }
}

impl<T> Deref for ProcessOwned<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for ProcessOwned<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: Default> Default for ProcessOwned<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Drop for ProcessOwned<T> {
    #[inline]
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        if self.is_current() {
            // SAFETY: this is the only place that drops the value, and it runs once, when nothing can use the value any more.
            unsafe { ManuallyDrop::drop(&mut self.value) };
        }
    }
}

/// A value of which each process has its own. A forked child makes one at the first use.
///
/// The parent's value is neither used nor dropped in a child, since a thread of the parent's may have been changing it.
#[derive(Debug)]
pub struct PerProcess<T> {
    value: ProcessOwned<T>,
    child: OnceBox<Self>,
}

impl<T> PerProcess<T> {
    /// Makes the value of this process.
    pub fn new(value: T) -> Self {
        Self {
            value: ProcessOwned::new(value),
            child: OnceBox::new(),
        }
    }

    /// Makes the value of a static: that of the first process.
    pub const fn new_static(value: T) -> Self {
        Self {
            value: ProcessOwned::new_static(value),
            child: OnceBox::new(),
        }
    }

    /// Returns the value of this process, which `make` makes in a child. Threads that race for the first use
    /// may each make a value; one is kept, and all threads get that.
    #[inline]
    pub fn current_or_init(&self, make: impl Fn() -> T) -> &T {
        if self.value.is_current() {
            &self.value
        } else {
            self.after_fork(&make)
        }
    }

    /// Returns the value of this process, if there is one yet.
    #[inline]
    pub fn get(&self) -> Option<&T> {
        let mut this = self;
        while !this.value.is_current() {
            this = this.child.get()?;
        }
        Some(&this.value)
    }

    /// Returns the value of the process in which this was made. Use nothing of it in another that is locked or dropped.
    #[inline]
    pub fn original(&self) -> &T {
        &self.value
    }

    #[cold]
    fn after_fork(&self, make: &dyn Fn() -> T) -> &T {
        let mut this = self;
        while !this.value.is_current() {
            this = this.child.get_or_init(|| Self::new(make()));
        }
        &this.value
    }
}

impl<T: Default> PerProcess<T> {
    /// Returns the value of this process: a default in a child.
    #[inline]
    pub fn current(&self) -> &T {
        self.current_or_init(T::default)
    }
}

impl<T: Default> Default for PerProcess<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_advance_of_the_epoch_is_seen() {
        let before = epoch();
        advance_epoch();
        assert!(epoch() > before);
        advance_epoch();
        assert!(epoch() > before + 1);
    }

    #[test]
    fn a_value_belongs_to_the_process_that_made_it() {
        assert!(watch().is_ok() && watch().is_ok());
        let mut owned = ProcessOwned::new(String::from("made"));
        owned.push_str(" here");
        assert!(owned.is_current());
        assert_eq!(owned.generation(), generation());
        assert_eq!(*owned, "made here");
        assert_eq!(*ProcessOwned::<String>::default(), "");

        let each = PerProcess::new(7);
        assert_eq!((each.get(), each.original()), (Some(&7), &7));
        assert_eq!(each.current_or_init(|| unreachable!("made already")), &7);
        assert_eq!(PerProcess::<u8>::default().current(), &0);
    }

    #[test]
    fn a_value_is_dropped_once() {
        struct Counted<'a>(&'a AtomicU64);
        impl Drop for Counted<'_> {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        let drops = AtomicU64::new(0);
        drop(ProcessOwned::new(Counted(&drops)));
        assert_eq!(drops.load(Ordering::Relaxed), 1);
        drop(PerProcess::new(Counted(&drops)));
        assert_eq!(drops.load(Ordering::Relaxed), 2);
    }
}
