//! The fields of a span.

mod fields;
mod start;
mod trace_state;

pub(crate) use fields::{
    END_TIME_LEN, FLAGS_LEN, TRACE_AND_SPAN_ID_LEN, encode_flags, encode_head, encode_tail, ids,
    kind_number, parent_len, status_len, unset_tail,
};
#[cfg(feature = "sdk")]
pub(crate) use fields::{kind_and_start, parent};
pub use start::SpanStart;
pub(crate) use trace_state::{encode_trace_state, trace_state_len};
