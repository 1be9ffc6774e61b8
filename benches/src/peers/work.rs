//! What is done, and what it is made of.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// A root span without attributes.
    Root0,
    /// A root span of 8 attributes.
    Root8,
    /// A root span of 32 attributes.
    Root32,
    /// A root span and its 9 children, each of the ten with 4 attributes.
    Tree,
    /// A root span of 8 attributes and 2 events of 3 attributes each.
    Events,
    /// A root span of 8 attributes whose values are formatted at run time.
    Dynamic,
    /// A root span of 8 attributes that the sampler drops.
    Unsampled,
    /// A root span of 8 attributes, on each of 2 threads at once.
    Threads,
    /// Root spans of 8 attributes, ten times as many as the other works record between two flushes.
    Burst,
}

impl Work {
    /// Says what is done, for a reader.
    pub fn title(self) -> &'static str {
        match self {
            Self::Root0 => "a root span without attributes",
            Self::Root8 => "a root span of 8 attributes",
            Self::Root32 => "a root span of 32 attributes",
            Self::Tree => {
                "a root span and its 9 children, each with 4 attributes; per span, but the p99.9 of a whole tree"
            }
            Self::Events => "a root span of 8 attributes and 2 events of 3 attributes each",
            Self::Dynamic => "a root span of 8 attributes whose values are formatted at run time",
            Self::Unsampled => "a root span of 8 attributes that the sampler drops",
            Self::Threads => "a root span of 8 attributes, on each of 2 threads at once",
            Self::Burst => {
                "root spans of 8 attributes, ten times as many as above between two flushes"
            }
        }
    }
}

#[cfg(feature = "peers")]
pub(super) use parts::*;

#[cfg(feature = "peers")]
mod parts {
    use super::Work;
    use opentelemetry::{KeyValue, Value};
    use std::hint::black_box;
    use zerospan_otlp::StaticKey;

    impl Work {
        /// The attributes of each span.
        pub(in crate::peers) fn attributes(self) -> usize {
            match self {
                Self::Root0 => 0,
                Self::Tree => 4,
                Self::Root32 => 32,
                _ => 8,
            }
        }

        pub(in crate::peers) fn is_sampled(self) -> bool {
            self != Self::Unsampled
        }

        /// Spans that are made when the work is done once.
        pub(in crate::peers) fn spans(self) -> u64 {
            match self {
                Self::Tree => CHILDREN + 1,
                _ => 1,
            }
        }

        /// Threads that do it at once.
        pub(in crate::peers) fn threads(self) -> u64 {
            match self {
                Self::Threads => 2,
                _ => 1,
            }
        }

        /// By how much a run makes more spans than fit every queue.
        pub(in crate::peers) fn stretch(self) -> u64 {
            match self {
                Self::Burst => 10,
                _ => 1,
            }
        }

        /// How many runs are measured.
        pub(in crate::peers) fn runs(self) -> u64 {
            match self {
                Self::Burst => 11,
                _ => 41,
            }
        }
    }

    pub(in crate::peers) const CHILDREN: u64 = 9;
    pub(in crate::peers) const EVENTS: usize = 2;
    /// The attributes of each event: the first of those that spans have.
    pub(in crate::peers) const EVENT_ATTRIBUTES: usize = 3;

    /// The names of the spans and events.
    pub(in crate::peers) const ROOT: &str = "GET /users/{id}";
    pub(in crate::peers) const CHILD: &str = "select user";
    pub(in crate::peers) const EVENT: &str = "cache miss";
    /// The values of the attributes, in turn; [`attribute`] and its like hide them from the compiler.
    pub(in crate::peers) const TEXT: &str = "a value of usual length";
    pub(in crate::peers) const NUMBER: i64 = 200;

    /// The arguments of the text that `Work::Dynamic` formats as the attribute at `$index`.
    macro_rules! dynamic {
        ($index:expr) => {
            format_args!(
                "item {} of {}",
                $index,
                ::std::hint::black_box($crate::peers::work::NUMBER)
            )
        };
    }
    pub(in crate::peers) use dynamic;

    macro_rules! keys {
        ($($key:literal)+) => {
            /// The keys of the attributes.
            pub(in crate::peers) const KEYS: [&str; 32] = [$($key),+];
            /// The same, encoded.
            pub(in crate::peers) static ENCODED_KEYS: [StaticKey; 32] = [$(StaticKey::new($key)),+];
        };
    }

    keys!(
        "attribute.00" "attribute.01" "attribute.02" "attribute.03" "attribute.04" "attribute.05" "attribute.06" "attribute.07"
        "attribute.08" "attribute.09" "attribute.10" "attribute.11" "attribute.12" "attribute.13" "attribute.14" "attribute.15"
        "attribute.16" "attribute.17" "attribute.18" "attribute.19" "attribute.20" "attribute.21" "attribute.22" "attribute.23"
        "attribute.24" "attribute.25" "attribute.26" "attribute.27" "attribute.28" "attribute.29" "attribute.30" "attribute.31"
    );

    /// The attribute at `index`, as the traits of OpenTelemetry take it.
    #[inline]
    pub(in crate::peers) fn attribute(index: usize) -> KeyValue {
        let value = if index.is_multiple_of(2) {
            Value::from(black_box(TEXT))
        } else {
            Value::from(black_box(NUMBER))
        };
        KeyValue::new(KEYS[index], value)
    }
}
