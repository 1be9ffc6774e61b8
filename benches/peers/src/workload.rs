//! The workloads and their parts.

use clap::ValueEnum;
use opentelemetry::{KeyValue, Value};
use std::hint::black_box;
use zerospan_otlp::StaticKey;

/// A workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum Workload {
    Root0,
    Root8,
    Root32,
    Tree,
    Events,
    Dynamic,
    Unsampled,
    Threads,
    Burst,
    Logs,
}

impl Workload {
    /// Describes the workload.
    pub fn title(self) -> &'static str {
        match self {
            Self::Root0 => "A root span without attributes",
            Self::Root8 => "A root span of 8 attributes",
            Self::Root32 => "A root span of 32 attributes",
            Self::Tree => {
                "A root span and 9 children, each with 4 attributes; per span, but p99.9 per tree"
            }
            Self::Events => "A root span of 8 attributes and 2 events of 3 attributes",
            Self::Dynamic => "A root span of 8 attributes with values formatted at run time",
            Self::Unsampled => "A root span of 8 attributes that the sampler drops",
            Self::Threads => "A root span of 8 attributes, on each of 2 threads at once",
            Self::Burst => "Root spans of 8 attributes, ten times as many between two flushes",
            Self::Logs => "A log record of 8 attributes; per record",
        }
    }

    /// Attributes of each span.
    pub(crate) fn attributes(self) -> usize {
        match self {
            Self::Root0 => 0,
            Self::Tree => 4,
            Self::Root32 => 32,
            _ => 8,
        }
    }

    /// Children of each root span.
    pub(crate) fn children(self) -> u64 {
        if self == Self::Tree { 9 } else { 0 }
    }

    /// Events of each span.
    pub(crate) fn events(self) -> usize {
        if self == Self::Events { 2 } else { 0 }
    }

    pub(crate) fn is_dynamic(self) -> bool {
        self == Self::Dynamic
    }

    pub(crate) fn is_sampled(self) -> bool {
        self != Self::Unsampled
    }

    /// Spans of one repetition.
    pub(crate) fn spans(self) -> u64 {
        self.children() + 1
    }

    pub(crate) fn is_logs(self) -> bool {
        self == Self::Logs
    }

    pub(crate) fn threads(self) -> u64 {
        if self == Self::Threads { 2 } else { 1 }
    }

    /// The factor by which a run exceeds what fits every queue.
    pub(crate) fn excess(self) -> u64 {
        if self == Self::Burst { 10 } else { 1 }
    }

    /// Number of measured runs.
    pub(crate) fn runs(self) -> u64 {
        if self == Self::Burst { 11 } else { 41 }
    }
}

/// Attributes of each event: the first of those of a span.
pub(crate) const EVENT_ATTRIBUTES: usize = 3;
pub(crate) const ROOT: &str = "GET /users/{id}";
pub(crate) const CHILD: &str = "select user";
pub(crate) const EVENT: &str = "cache miss";
pub(crate) const LOG: &str = "user not found";
/// The values of the attributes, alternately.
pub(crate) const TEXT: &str = "a value of usual length";
pub(crate) const NUMBER: i64 = 200;

/// The format arguments of the attribute at `$index` of `Workload::Dynamic`.
macro_rules! dynamic {
    ($index:expr) => {
        format_args!(
            "item {} of {}",
            $index,
            ::std::hint::black_box($crate::workload::NUMBER)
        )
    };
}
pub(crate) use dynamic;

macro_rules! keys {
    ($($key:literal)+) => {
        /// The keys of the attributes.
        pub(crate) const KEYS: [&str; 32] = [$($key),+];
        pub(crate) static STATIC_KEYS: [StaticKey; 32] = [$(StaticKey::new($key)),+];
    };
}

keys!(
    "attribute.00" "attribute.01" "attribute.02" "attribute.03" "attribute.04" "attribute.05" "attribute.06" "attribute.07"
    "attribute.08" "attribute.09" "attribute.10" "attribute.11" "attribute.12" "attribute.13" "attribute.14" "attribute.15"
    "attribute.16" "attribute.17" "attribute.18" "attribute.19" "attribute.20" "attribute.21" "attribute.22" "attribute.23"
    "attribute.24" "attribute.25" "attribute.26" "attribute.27" "attribute.28" "attribute.29" "attribute.30" "attribute.31"
);

/// Returns the attribute at `index` for OpenTelemetry's traits.
#[inline]
pub(crate) fn attribute(index: usize) -> KeyValue {
    let value = if index.is_multiple_of(2) {
        Value::from(black_box(TEXT))
    } else {
        Value::from(black_box(NUMBER))
    };
    KeyValue::new(KEYS[index], value)
}
