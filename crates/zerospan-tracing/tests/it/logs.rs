//! Events as log records.

mod records;
mod support;
