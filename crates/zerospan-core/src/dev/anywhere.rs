//! Calls operations wherever a program may call them.
//!
//! User code runs in destructors of thread-locals, while the API lends its context, during a panic, and within a subscriber. A
//! library that is called there must neither panic, which can end the process, nor wait forever.

use opentelemetry::Context;
use std::cell::RefCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError, mpsc};
use std::thread::{self, LocalKey};
use std::time::Duration;
use tracing::{Event, Metadata, Subscriber, span};

/// An operation with its name. `W` is what it works on.
pub type Operation<W> = (&'static str, fn(&W));

/// A place with its name: makes a call there.
pub type Place<W> = (&'static str, fn(Call<W>));

/// A call of one operation.
pub struct Call<W: 'static> {
    /// The state that the operation works on.
    pub world: Arc<W>,
    operation: Operation<W>,
    operations: &'static [Operation<W>],
}

impl<W: Send + Sync> Call<W> {
    /// Calls the operation.
    pub fn make(&self) {
        self.operation.1(&self.world);
    }

    /// Calls every operation, so that this thread has all its thread-locals.
    pub fn use_everything(&self) {
        for operation in self.operations {
            operation.1(&self.world);
        }
        tracing::info!("a thread-local of the tracing crate's");
    }

    /// Calls the operation while the thread ends, in the destructor of a thread-local that the first call of this method creates.
    pub fn make_at_exit(self) {
        self.push(&AT_EXIT);
    }

    fn push(self, list: &'static LocalKey<RefCell<Vec<AtExit>>>) {
        let work = Box::new(move || self.make());
        list.with_borrow_mut(|list| list.push(AtExit(Some(work))));
    }

    fn places() -> [Place<W>; 8] {
        [
            ("a thread", |call| call.make()),
            ("a destructor that runs after the others", |call| {
                call.again().push(&EARLY);
                call.use_everything();
            }),
            ("a destructor that runs before the others", |call| {
                call.use_everything();
                call.make_at_exit();
            }),
            (
                "a destructor on a thread that used nothing",
                Self::make_at_exit,
            ),
            ("the destructor of the API's context", |call| {
                struct Value<W: Send + Sync + 'static>(Call<W>);
                impl<W: Send + Sync> Drop for Value<W> {
                    fn drop(&mut self) {
                        self.0.make();
                    }
                }
                // A context that is never detached.
                let value = Value(call.again());
                std::mem::forget(Context::current_with_value(value).attach());
                call.use_everything();
            }),
            ("map_current", |call| {
                Context::map_current(|_| call.make());
            }),
            ("the drop of a panic", |call| {
                let outcome = catch_unwind(AssertUnwindSafe(|| {
                    let _work = AtExit(Some(Box::new(move || call.make())));
                    resume_unwind(Box::new("on purpose"));
                }));
                assert!(outcome.is_err());
            }),
            ("a subscriber", |call| {
                let subscriber = Calling(Mutex::new(Some(Box::new(move || call.make()))));
                tracing::subscriber::with_default(subscriber, || tracing::error!("an event"));
            }),
        ]
    }

    fn again(&self) -> Self {
        Self {
            world: Arc::clone(&self.world),
            ..*self
        }
    }
}

impl<W> fmt::Debug for Call<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Call").field(&self.operation.0).finish()
    }
}

/// Calls every operation in every place of this module and in those of `places`.
///
/// # Panics
///
/// Panics if a call does not return, or panics, caught or not: with `panic = "abort"` each panic ends the process.
pub fn check<W: Send + Sync + 'static>(
    world: &Arc<W>,
    operations: &'static [Operation<W>],
    places: &[Place<W>],
) {
    let _alone = alone();
    watch_panics();
    for place in Call::places().iter().chain(places) {
        for operation in operations {
            run(place, *operation, operations, world);
            let panics = std::mem::take(&mut *lock(&PANICS));
            assert_eq!(panics, [""; 0], "{} in {}", operation.0, place.0);
        }
    }
}

/// Calls an operation in every place, as [`check`] does, where its panics are caught and expected.
///
/// # Panics
///
/// Panics if a call does not return.
pub fn check_return<W: Send + Sync + 'static>(
    world: &Arc<W>,
    operation: Operation<W>,
    operations: &'static [Operation<W>],
    places: &[Place<W>],
) {
    let _alone = alone();
    for place in Call::places().iter().chain(places) {
        run(place, operation, operations, world);
    }
    lock(&PANICS).clear();
}

/// Calls `work`, whose panics are caught and expected, while no [`check`] runs.
pub fn with_panics(work: impl FnOnce()) {
    let _alone = alone();
    work();
    lock(&PANICS).clear();
}

/// Makes a call in a place, on a thread of its own, and waits for the thread's end.
fn run<W: Send + Sync + 'static>(
    place: &Place<W>,
    operation: Operation<W>,
    operations: &'static [Operation<W>],
    world: &Arc<W>,
) {
    let (sender, receiver) = mpsc::channel();
    let make = place.1;
    let call = Call {
        world: Arc::clone(world),
        operation,
        operations,
    };
    thread::spawn(move || {
        let thread = thread::spawn(move || make(call));
        let _ = sender.send(thread.join().is_ok());
    });
    let ended = receiver.recv_timeout(Duration::from_secs(30));
    assert_eq!(ended, Ok(true), "{} in {}", operation.0, place.0);
}

struct AtExit(Option<Box<dyn FnOnce()>>);

impl Drop for AtExit {
    fn drop(&mut self) {
        if let Some(work) = self.0.take() {
            work();
        }
    }
}

thread_local! {
    static EARLY: RefCell<Vec<AtExit>> = const { RefCell::new(Vec::new()) };
    static AT_EXIT: RefCell<Vec<AtExit>> = const { RefCell::new(Vec::new()) };
}

/// A subscriber that does some work for its first event.
struct Calling(Mutex<Option<Box<dyn FnOnce() + Send>>>);

impl Subscriber for Calling {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, _: &Event<'_>) {
        // Not under the lock, since the work may log.
        let work = lock(&self.0).take();
        if let Some(work) = work {
            work();
        }
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Keeps the message of each panic of the process.
fn watch_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            lock(&PANICS).push(panic.to_string());
            before(panic);
        }));
    });
}

/// Waits until no other test of the process watches panics.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    lock(&ALONE)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{Operation, Place, check, check_return};
    use crate::dev::in_own_process;
    use std::panic::{catch_unwind, resume_unwind};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const COUNT: [Operation<AtomicUsize>; 1] = [("counting", |count| {
        count.fetch_add(1, Ordering::Relaxed);
    })];

    /// In a process of its own, since other tests panic.
    #[test]
    fn an_operation_is_called_in_each_place_and_in_those_of_the_caller() {
        let own: [Place<AtomicUsize>; 1] = [("an own place", |call| {
            call.make();
            // Until the thread has state, and once more at its end.
            call.use_everything();
            call.make_at_exit();
        })];
        let count = |places: &[Place<AtomicUsize>]| {
            let world = Arc::new(AtomicUsize::new(0));
            check(&world, &COUNT, places);
            world.load(Ordering::Relaxed)
        };
        in_own_process(&[], || {
            // Eight places, of which three call the operation for the thread's state, too.
            assert_eq!(count(&[]), 8 + 3);
            assert_eq!(count(&own), 8 + 3 + 3);
        });
    }

    #[test]
    #[should_panic(expected = "panicking in a thread")]
    fn an_operation_that_catches_its_own_panic_fails() {
        let caught: &[Operation<()>] = &[("panicking", |()| {
            let _ = catch_unwind(|| panic!("on purpose"));
        })];
        check(&Arc::new(()), caught, &[]);
    }

    #[test]
    #[should_panic(expected = "ending a thread in a thread")]
    fn an_operation_that_ends_its_thread_fails() {
        let ending: &[Operation<()>] = &[("ending a thread", |()| {
            resume_unwind(Box::new("on purpose"))
        })];
        check_return(&Arc::new(()), ending[0], ending, &[]);
    }
}
