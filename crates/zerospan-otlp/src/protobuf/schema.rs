//! The fields of every message that the family reads or writes: their numbers, and in `tag` their tags on the wire.
//!
//! A tag is the field's number and its wire type, as a varint. For numbers below 16 that is one byte.

use super::wire_type::{FIXED32, FIXED64, LENGTH_DELIMITED, VARINT};

/// Declares a module for each message: a constant with the number of each field, and a module `tag` with its tag.
macro_rules! messages {
    ($($(#[$doc:meta])+ $message:ident { $($field:ident = $number:literal $($kind:ident)+;)+ })+) => {$(
        $(#[$doc])+
        pub mod $message {
            $(
                #[doc = concat!("Field ", $number, ".")]
                pub const $field: u32 = $number;
            )+

            /// The tags of the fields.
            pub mod tag {
                $(messages! { @tag $field $number $($kind)+ })+
            }
        }
    )+};
    (@tag $field:ident $number:literal two_bytes $kind:ident) => {
        #[doc = concat!("The tag of field ", $number, ".")]
        pub const $field: [u8; 2] = super::super::two_byte_tag($number, super::super::$kind);
    };
    (@tag $field:ident $number:literal $kind:ident) => {
        #[doc = concat!("The tag of field ", $number, ".")]
        pub const $field: u8 = super::super::one_byte_tag($number, super::super::$kind);
    };
}

const fn one_byte_tag(number: u32, wire_type: u8) -> u8 {
    assert!(0 < number && number < 16);
    (number as u8) << 3 | wire_type
}

const fn two_byte_tag(number: u32, wire_type: u8) -> [u8; 2] {
    assert!(16 <= number && number < 2048);
    let tag = number << 3 | wire_type as u32;
    [tag as u8 | 0x80, (tag >> 7) as u8]
}

// The envelope: the same for every signal.
messages! {
    /// `ExportTraceServiceRequest`, and likewise `ExportLogsServiceRequest`.
    export_request {
        RESOURCE_ITEMS = 1 LENGTH_DELIMITED;
    }
    /// `ResourceSpans`, and likewise `ResourceLogs`.
    resource_items {
        RESOURCE = 1 LENGTH_DELIMITED;
        SCOPE_ITEMS = 2 LENGTH_DELIMITED;
        SCHEMA_URL = 3 LENGTH_DELIMITED;
    }
    /// `ScopeSpans`, and likewise `ScopeLogs`.
    scope_items {
        SCOPE = 1 LENGTH_DELIMITED;
        ITEMS = 2 LENGTH_DELIMITED;
        SCHEMA_URL = 3 LENGTH_DELIMITED;
    }
    /// `Resource`.
    resource {
        ATTRIBUTES = 1 LENGTH_DELIMITED;
        DROPPED_ATTRIBUTES_COUNT = 2 VARINT;
        ENTITY_REFS = 3 LENGTH_DELIMITED;
    }
    /// `EntityRef`.
    entity_ref {
        SCHEMA_URL = 1 LENGTH_DELIMITED;
        TYPE = 2 LENGTH_DELIMITED;
        ID_KEYS = 3 LENGTH_DELIMITED;
        DESCRIPTION_KEYS = 4 LENGTH_DELIMITED;
    }
    /// `InstrumentationScope`.
    scope {
        NAME = 1 LENGTH_DELIMITED;
        VERSION = 2 LENGTH_DELIMITED;
        ATTRIBUTES = 3 LENGTH_DELIMITED;
        DROPPED_ATTRIBUTES_COUNT = 4 VARINT;
    }
}

// Attributes.
messages! {
    /// `KeyValue`.
    key_value {
        KEY = 1 LENGTH_DELIMITED;
        VALUE = 2 LENGTH_DELIMITED;
        KEY_STRINDEX = 3 VARINT;
    }
    /// `AnyValue`.
    any_value {
        STRING = 1 LENGTH_DELIMITED;
        BOOL = 2 VARINT;
        INT = 3 VARINT;
        DOUBLE = 4 FIXED64;
        ARRAY = 5 LENGTH_DELIMITED;
        KVLIST = 6 LENGTH_DELIMITED;
        BYTES = 7 LENGTH_DELIMITED;
        STRING_STRINDEX = 8 VARINT;
    }
    /// `ArrayValue`.
    array_value {
        VALUES = 1 LENGTH_DELIMITED;
    }
    /// `KeyValueList`.
    key_value_list {
        VALUES = 1 LENGTH_DELIMITED;
    }
}

// Traces.
messages! {
    /// `Span`.
    span {
        TRACE_ID = 1 LENGTH_DELIMITED;
        SPAN_ID = 2 LENGTH_DELIMITED;
        TRACE_STATE = 3 LENGTH_DELIMITED;
        PARENT_SPAN_ID = 4 LENGTH_DELIMITED;
        NAME = 5 LENGTH_DELIMITED;
        KIND = 6 VARINT;
        START_TIME_UNIX_NANO = 7 FIXED64;
        END_TIME_UNIX_NANO = 8 FIXED64;
        ATTRIBUTES = 9 LENGTH_DELIMITED;
        DROPPED_ATTRIBUTES_COUNT = 10 VARINT;
        EVENTS = 11 LENGTH_DELIMITED;
        DROPPED_EVENTS_COUNT = 12 VARINT;
        LINKS = 13 LENGTH_DELIMITED;
        DROPPED_LINKS_COUNT = 14 VARINT;
        STATUS = 15 LENGTH_DELIMITED;
        FLAGS = 16 two_bytes FIXED32;
    }
    /// `Span.Event`.
    event {
        TIME_UNIX_NANO = 1 FIXED64;
        NAME = 2 LENGTH_DELIMITED;
        ATTRIBUTES = 3 LENGTH_DELIMITED;
        DROPPED_ATTRIBUTES_COUNT = 4 VARINT;
    }
    /// `Span.Link`.
    link {
        TRACE_ID = 1 LENGTH_DELIMITED;
        SPAN_ID = 2 LENGTH_DELIMITED;
        TRACE_STATE = 3 LENGTH_DELIMITED;
        ATTRIBUTES = 4 LENGTH_DELIMITED;
        DROPPED_ATTRIBUTES_COUNT = 5 VARINT;
        FLAGS = 6 FIXED32;
    }
    /// `Status` of a span.
    status {
        MESSAGE = 2 LENGTH_DELIMITED;
        CODE = 3 VARINT;
    }
}

// Logs.
messages! {
    /// `LogRecord`.
    log_record {
        TIME_UNIX_NANO = 1 FIXED64;
        SEVERITY_NUMBER = 2 VARINT;
        SEVERITY_TEXT = 3 LENGTH_DELIMITED;
        BODY = 5 LENGTH_DELIMITED;
        ATTRIBUTES = 6 LENGTH_DELIMITED;
        DROPPED_ATTRIBUTES_COUNT = 7 VARINT;
        FLAGS = 8 FIXED32;
        TRACE_ID = 9 LENGTH_DELIMITED;
        SPAN_ID = 10 LENGTH_DELIMITED;
        OBSERVED_TIME_UNIX_NANO = 11 FIXED64;
        EVENT_NAME = 12 LENGTH_DELIMITED;
    }
}

// The receiver's answer.
messages! {
    /// `ExportTraceServiceResponse`, and likewise `ExportLogsServiceResponse`.
    export_response {
        PARTIAL_SUCCESS = 1 LENGTH_DELIMITED;
    }
    /// `ExportTracePartialSuccess`, and likewise `ExportLogsPartialSuccess`.
    partial_success {
        REJECTED_ITEMS = 1 VARINT;
        ERROR_MESSAGE = 2 LENGTH_DELIMITED;
    }
    /// `google.rpc.Status`, which explains a failed request.
    rpc_status {
        CODE = 1 VARINT;
        MESSAGE = 2 LENGTH_DELIMITED;
        DETAILS = 3 LENGTH_DELIMITED;
    }
    /// `google.protobuf.Any`, a detail of an `rpc_status`.
    any {
        TYPE_URL = 1 LENGTH_DELIMITED;
        VALUE = 2 LENGTH_DELIMITED;
    }
    /// `google.rpc.RetryInfo`.
    retry_info {
        RETRY_DELAY = 1 LENGTH_DELIMITED;
    }
    /// `google.protobuf.Duration`.
    duration {
        SECONDS = 1 VARINT;
        NANOS = 2 VARINT;
    }
}
