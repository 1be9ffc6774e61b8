//! Events as log records.

mod bad_input;
mod differential;
mod modes;
mod records;
mod span_fields;
mod spans;
mod support;
