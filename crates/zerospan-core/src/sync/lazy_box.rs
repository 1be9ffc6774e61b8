use super::once_box::OnceBox;
use std::fmt;
use std::ops::Deref;

/// A value of a static, made at the first use as [`OnceBox`] makes one: no thread waits for another, nor does a forked child.
pub struct LazyBox<T> {
    value: OnceBox<T>,
    make: fn() -> T,
}

impl<T> LazyBox<T> {
    /// Makes one whose value `make` makes. Threads that race for the first use may each call it.
    pub const fn new(make: fn() -> T) -> Self {
        Self {
            value: OnceBox::new(),
            make,
        }
    }
}

impl<T> Deref for LazyBox<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.value.get_or_init(self.make)
    }
}

impl<T: fmt::Debug> fmt::Debug for LazyBox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LazyBox").field(&self.value.get()).finish()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::LazyBox;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    #[test]
    fn a_use_does_not_wait_for_a_thread_that_makes_the_value() {
        static IS_MAKING: AtomicBool = AtomicBool::new(false);
        static NAME: LazyBox<String> = LazyBox::new(|| {
            // The first thread never ends making it, as in a child that was forked meanwhile.
            if !IS_MAKING.swap(true, Ordering::SeqCst) {
                thread::sleep(Duration::MAX);
            }
            "made".to_owned()
        });
        thread::spawn(|| NAME.len());
        while !IS_MAKING.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || sender.send(NAME.as_str()));
        let made = receiver.recv_timeout(Duration::from_secs(10));
        assert_eq!(made, Ok("made"));
    }

    #[test]
    fn a_value_is_shown_once_it_is_made() {
        let lazy = LazyBox::new(|| 1);
        assert_eq!(format!("{lazy:?}"), "LazyBox(None)");
        assert_eq!(*lazy, 1);
        assert_eq!(format!("{lazy:?}"), "LazyBox(Some(1))");
    }
}
