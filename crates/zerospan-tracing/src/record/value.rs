use crate::state::stats::Losses;
use std::fmt::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Formats a value into `text`, which is cleared first. Returns `false`, and counts, if that panics.
#[inline]
pub(super) fn format(losses: &Losses, text: &mut String, value: fmt::Arguments<'_>) -> bool {
    text.clear();
    // A value that fails to format leaves what it wrote so far.
    catch(losses, || {
        let _ = text.write_fmt(value);
    })
}

/// Formats a value. Returns `false`, and counts, if that panics.
#[inline]
pub(super) fn catch(losses: &Losses, format: impl FnOnce()) -> bool {
    let outcome = catch_unwind(AssertUnwindSafe(format));
    if outcome.is_err() {
        count_panic(losses);
    }
    outcome.is_ok()
}

#[cold]
fn count_panic(losses: &Losses) {
    Losses::count(&losses.panicked_values, 1);
}

/// Implements the methods of `Visit` for values that are no errors and are not formatted by `Debug`, over the visitor's `set`,
/// `set_formatted`, `set_text` and `key`. An integer that does not fit is text.
macro_rules! visit_plain_values {
    () => {
        #[inline]
        fn record_f64(&mut self, field: &Field, value: f64) {
            self.set(field, value);
        }

        #[inline]
        fn record_i64(&mut self, field: &Field, value: i64) {
            self.set(field, value);
        }

        #[inline]
        fn record_u64(&mut self, field: &Field, value: u64) {
            match i64::try_from(value) {
                Ok(value) => self.set(field, value),
                Err(_) => self.record_str(field, itoa::Buffer::new().format(value)),
            }
        }

        fn record_i128(&mut self, field: &Field, value: i128) {
            match i64::try_from(value) {
                Ok(value) => self.set(field, value),
                Err(_) => self.record_str(field, itoa::Buffer::new().format(value)),
            }
        }

        fn record_u128(&mut self, field: &Field, value: u128) {
            match i64::try_from(value) {
                Ok(value) => self.set(field, value),
                Err(_) => self.record_str(field, itoa::Buffer::new().format(value)),
            }
        }

        #[inline]
        fn record_bool(&mut self, field: &Field, value: bool) {
            self.set(field, value);
        }

        #[inline]
        fn record_str(&mut self, field: &Field, value: &str) {
            if let Some(field) = self.key(field) {
                self.set_text(field, value);
            }
        }

        fn record_bytes(&mut self, field: &Field, value: &[u8]) {
            self.set(field, AttributeValue::Bytes(value));
        }
    };
}
pub(super) use visit_plain_values;
