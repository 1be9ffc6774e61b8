//! Panics of user code: caught, and disposed of.

use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs user code, and returns the message of its panic.
///
/// Disposes of the panic's payload, whose destructor is user code too and may panic again.
///
/// # Errors
///
/// The message, if `work` panics.
#[inline]
pub fn catch<O>(work: impl FnOnce() -> O) -> Result<O, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(message_of)
}

#[cold]
#[inline(never)]
fn message_of(payload: Box<dyn Any + Send>) -> String {
    let message = message(&*payload);
    dispose(payload);
    message
}

/// Drops a value of the user's whose destructor may panic.
pub fn drop_quietly<T>(value: T) {
    let _ = catch(|| drop(value));
}

fn message(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}

fn dispose(payload: Box<dyn Any + Send>) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        // A destructor that panics with a payload that panics may do so for ever.
        mem::forget(second);
    }
}

#[cfg(test)]
mod tests {
    use super::{catch, drop_quietly};
    use std::panic::{panic_any, resume_unwind};

    struct Grenade(u32);

    impl Drop for Grenade {
        fn drop(&mut self) {
            resume_unwind(Box::new(Self(self.0 + 1)));
        }
    }

    #[test]
    fn a_panic_is_caught_with_its_message() {
        assert_eq!(catch(|| 7), Ok(7));
        let of = |work: fn()| catch(work).expect_err("it panics");
        assert_eq!(of(|| resume_unwind(Box::new("text"))), "text");
        assert_eq!(of(|| resume_unwind(Box::new("owned".to_owned()))), "owned");
        assert_eq!(of(|| panic_any(1)), "a panic without a message");
    }

    #[test]
    fn a_payload_that_panics_whenever_it_is_dropped_ends_here() {
        assert!(catch(|| resume_unwind(Box::new(Grenade(0)))).is_err());
        drop_quietly(Grenade(0));
    }
}
