//! Whether the cost of a span stays what it is: with more threads, and with more attributes.

use super::trace::{eight_native, sides::Ours};
use crate::{Budget, Clock, Contest, Row};
use std::hint::black_box;
use std::sync::{Arc, Barrier, Mutex, PoisonError};
use zerospan_trace::{StaticKey, Tracer};

/// The rows of this area.
pub(super) const ROWS: &[Row] = &[];
