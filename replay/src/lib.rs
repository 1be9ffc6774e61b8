//! Sends recorded traces through the tracer, and checks that nothing is lost.
//!
//! A file in the JSON of Zipkin (v2), Jaeger or OTLP is read, each of its spans is started and ended by `zerospan-trace` with the file's own ids,
//! times, tags and annotations, and sent over OTLP or written to a file. What went out is read back and compared with what
//! came in, field by field.
//!
//! Zipkin's fields in OTLP:
//!
//! | Zipkin | OTLP |
//! |---|---|
//! | `traceId` of up to 16 hex digits | the low 64 bits of the trace id, the high ones 0, as B3 pads it |
//! | `id`, `parentId` | span id, parent id; a parent of zeros is none |
//! | `kind` | kind; none is `INTERNAL` |
//! | `timestamp`, `duration` in µs | start and end in ns; an absent one is 0 in Zipkin's model as in OTLP's, an absent duration ends the span where it starts |
//! | `localEndpoint.serviceName` | resource attribute `service.name`; none is `unknown_service` |
//! | `localEndpoint`, `remoteEndpoint` | `network.local.*`, `network.peer.*`, `peer.service` |
//! | `tags` | attributes, in the file's order; a tag `error` makes the status `Error` as well |
//! | `annotations` | events, in the file's order |
//! | `shared`, `debug` | attributes `zipkin.shared`, `zipkin.debug` |
//!
//! Jaeger's fields in OTLP: `process` becomes the resource; `tags` become attributes, of which `span.kind`, `error` and
//! `otel.status_*` set kind and status as well; `logs` become events, named by their field `event`; the first reference
//! `CHILD_OF` within the trace is the parent, and the others become links with `opentracing.ref_type`.
//!
//! OTLP's fields stay what they are, but for `flags` (every span is sampled), schema URLs, and `telemetry.sdk.*`, which names
//! the tracer. Trace states, attributes of scopes and counts of dropped data are errors.
//!
//! A span that shares its id with another, as the server's half of an RPC does with the client's in Zipkin, keeps it: both
//! are sent with the same id, and differ in kind and resource. Anything else is an error that names the line
//! and the column; nothing is dropped silently.
#![forbid(unsafe_code)]

mod error;
mod jaeger;
mod otlp_json;
mod otlp_span;
mod parse;
mod replay;
mod table;
mod verify;
mod zipkin;
mod zipkin_values;

pub use error::ReplayError;
pub use otlp_span::{Event, Link, OtlpSpan, Value, to_otlp};
pub use parse::{parse, read_spans};
pub use replay::{Counts, Destination, replay, replay_spans};
pub use table::table;
pub use verify::{check, read_delimited, read_requests};
pub use zipkin::{Annotation, Endpoint, Kind, Span};
