//! The API's current context, where it may not be there.
//!
//! The API crate keeps it in a thread-local, and panics where that is destroyed: in the destructor of another thread-local. It also
//! panics where a context is attached within `Context::map_current` or `get_active_span`, which hold a borrow.

use crate::panics;
use opentelemetry::Context;

/// Exists on a thread while the API's thread-local does.
///
/// A thread destroys its thread-locals in the reverse order of their first uses, and this one first uses the API's.
struct Witness {
    has_context: bool,
}

thread_local! {
    static WITNESS: Witness = Witness {
        // Panics on a thread that first uses this crate while it ends, if it used the API before.
        has_context: panics::catch(|| Context::map_current(|_| ())).is_ok(),
    };
}

/// Makes the thread destroy its witness before the API's context.
impl Drop for Witness {
    fn drop(&mut self) {}
}

/// Returns `true` while the API's current context can be read on this thread.
///
/// A thread-local that asks in its initializer is destroyed before the context: while it exists, the context can be read.
pub fn is_alive() -> bool {
    WITNESS
        .try_with(|witness| witness.has_context)
        .unwrap_or(false)
}

/// Calls `read` with the API's current context. Returns `None`, without the call, while the thread ends and has none any more.
///
/// `read` must not panic, nor attach a context.
pub fn with_current<O>(read: impl FnOnce(&Context) -> O) -> Option<O> {
    if !is_alive() {
        return None;
    }
    // The API panics if one of its own events, logged while it changes the context, leads here.
    panics::catch(|| Context::map_current(read)).ok()
}

/// Returns the API's current context, or an empty one while the thread ends.
pub fn current() -> Context {
    with_current(Context::clone).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    struct AtExit(Option<Box<dyn FnOnce()>>);

    impl Drop for AtExit {
        fn drop(&mut self) {
            if let Some(work) = self.0.take() {
                work();
            }
        }
    }

    thread_local! {
        static AT_EXIT: RefCell<Vec<AtExit>> = const { RefCell::new(Vec::new()) };
    }

    fn on_a_thread_that_ends(before: impl FnOnce() + Send + 'static) -> Option<bool> {
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let ask = move || {
                sender
                    .send(with_current(Context::is_telemetry_suppressed))
                    .expect("received");
            };
            AT_EXIT.with_borrow_mut(|list| list.push(AtExit(Some(Box::new(ask)))));
            before();
        })
        .join()
        .expect("the thread ends");
        receiver.recv().expect("sent")
    }

    #[test]
    fn the_context_is_read_while_it_exists_and_missed_without_a_panic_afterwards() {
        assert!(is_alive());
        assert_eq!(with_current(|_| 1), Some(1));
        // Never used before the thread ends: the API's thread-local is initialized then.
        assert_eq!(on_a_thread_that_ends(|| ()), Some(false));
        // Destroyed, after this crate had seen it, and before.
        assert_eq!(on_a_thread_that_ends(|| assert!(is_alive())), None);
        assert_eq!(on_a_thread_that_ends(|| drop(Context::current())), None);
    }

    #[test]
    fn the_context_can_be_read_while_it_is_borrowed() {
        let read = Context::map_current(|_| with_current(|_| 1));
        assert_eq!(read, Some(1));
    }
}
