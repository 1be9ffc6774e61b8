use crate::state::stats::Losses;
use std::fmt::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Formats a value into `text`, which is cleared first. Returns `false`, and counts, if that panics.
#[inline]
pub(super) fn format(losses: &Losses, text: &mut String, value: fmt::Arguments<'_>) -> bool {
    text.clear();
    // A value that fails to format leaves what it wrote so far.
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let _ = text.write_fmt(value);
    }));
    if outcome.is_err() {
        count_panic(losses);
    }
    outcome.is_ok()
}

/// Formats a value into `text` like [`format`], by its `Debug`.
#[inline]
pub(super) fn format_debug(losses: &Losses, text: &mut String, value: &dyn fmt::Debug) -> bool {
    format(losses, text, format_args!("{value:?}"))
}

#[cold]
fn count_panic(losses: &Losses) {
    Losses::count(&losses.panicked_values, 1);
}
