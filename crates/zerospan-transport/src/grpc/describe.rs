use crate::response::one_line;
use std::error::Error;

/// Formats an error and its sources in one line.
pub(super) fn describe(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    one_line(text.as_bytes())
}
