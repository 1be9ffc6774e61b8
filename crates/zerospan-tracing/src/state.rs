//! The state of a layer, which its hooks and its handles share.

pub(crate) mod activation;
pub(crate) mod attachment;
pub(crate) mod callsite;
pub(crate) mod callsites;
pub(crate) mod changes;
pub(crate) mod dispatch;
pub(crate) mod entry;
pub(crate) mod events_to;
pub(crate) mod hidden;
pub(crate) mod inner;
pub(crate) mod kept_fields;
pub(crate) mod log_callsite;
pub(crate) mod loggers;
pub(crate) mod logs;
pub(crate) mod options;
pub(crate) mod scratch;
pub(crate) mod stats;
pub(crate) mod table;
pub(crate) mod trace_layer;
