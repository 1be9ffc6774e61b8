use super::span_data::{encode_span, encode_span_data};
use crate::envelope::{EncodedResource, ScopeIdentity, encode_schema_url, encode_scope};
use crate::protobuf::schema::{export_request, resource_items, scope_items};
use crate::time::UnixTime;
use crate::wire::{Cursor, close, open};
use opentelemetry::InstrumentationScope;
use opentelemetry_sdk::trace::SpanData;
use zerospan_core::Footprint;

/// Encodes batches of the official SDK's spans as whole requests, grouped by scope as the official exporter groups them.
///
/// Keeps a few numbers from one batch to the next. Allocates if a batch is larger, or has more scopes, than any before.
///
/// # Examples
///
/// ```
/// use opentelemetry_sdk::{Resource, trace::SpanData};
/// use zerospan_otlp::{BatchEncoder, EncodedResource};
///
/// fn export(batch: &[SpanData], encoder: &mut BatchEncoder, resource: &EncodedResource, body: &mut Vec<u8>) {
///     body.clear();
///     encoder.encode(resource, batch, body);
/// }
///
/// let resource = EncodedResource::from_sdk(&Resource::builder_empty().build());
/// let mut body = Vec::new();
/// export(&[], &mut BatchEncoder::new(), &resource, &mut body);
/// assert_eq!(body, [0x0a, 0x02, 0x0a, 0x00], "one empty resource");
/// ```
#[derive(Clone, Debug)]
pub struct BatchEncoder {
    /// The group of each span.
    group_of: Vec<u32>,
    groups: Vec<Group>,
    /// The average length of a span in the last batch. It predicts how many bytes most lengths take.
    bytes_per_span: usize,
}

/// The spans of one scope.
#[derive(Clone, Copy, Debug)]
struct Group {
    /// The index of the first span with this scope.
    first: usize,
    spans: usize,
}

impl BatchEncoder {
    /// Creates an encoder. Does not allocate.
    pub const fn new() -> Self {
        Self {
            group_of: Vec::new(),
            groups: Vec::new(),
            bytes_per_span: 512,
        }
    }

    /// Appends the `ExportTraceServiceRequest` of `spans` to `out`. Each span is written as by
    /// [`encode_span_data`](crate::encode_span_data).
    ///
    /// Finding the group of a span takes time in proportion to the number of scopes, unless the previous span has the same.
    pub fn encode(&mut self, resource: &EncodedResource, spans: &[SpanData], out: &mut Vec<u8>) {
        let Some(first) = spans.first() else {
            return self.encode_request(resource, 0, out, |_, _| {});
        };
        self.encode_request(resource, spans.len(), out, |encoder, out| {
            let scope = ScopeIdentity::new(&first.instrumentation_scope);
            let mut written = 0;
            encoder.encode_group(scope.scope(), spans.len(), out, |out| {
                let times = UnixTime::new();
                let mut cursor = Cursor::new(out);
                for span in spans {
                    if scope.matches(&span.instrumentation_scope) {
                        encode_span(span, times, &mut cursor);
                        written += 1;
                    }
                }
                cursor.finish();
            });
            if written < spans.len() {
                encoder.find_groups(spans);
                encoder.encode_other_groups(spans, out);
            }
        });
    }

    /// Encodes all groups but the first.
    fn encode_other_groups(&self, spans: &[SpanData], out: &mut Vec<u8>) {
        for (number, group) in self.groups.iter().enumerate().skip(1) {
            let scope = &spans[group.first].instrumentation_scope;
            self.encode_group(scope, group.spans, out, |out| {
                for (span, group_of_span) in spans.iter().zip(&self.group_of) {
                    if *group_of_span as usize == number {
                        encode_span_data(span, out);
                    }
                }
            });
        }
    }

    fn encode_request(
        &mut self,
        resource: &EncodedResource,
        spans: usize,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Self, &mut Vec<u8>),
    ) {
        let start = out.len();
        let (prefix, suffix) = resource.prefix_and_suffix();
        let expected_len = self.bytes_per_span * spans + prefix.len();
        let length = open(out, export_request::tag::RESOURCE_ITEMS, expected_len);
        out.extend_from_slice(prefix);
        write(self, out);
        out.extend_from_slice(suffix);
        close(out, length);
        if let Some(bytes) = (out.len() - start).checked_div(spans) {
            self.bytes_per_span = bytes;
        }
    }

    fn encode_group(
        &self,
        scope: &InstrumentationScope,
        spans: usize,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        let expected_len = self.bytes_per_span * spans;
        let length = open(out, resource_items::tag::SCOPE_ITEMS, expected_len);
        let scope_length = open(out, scope_items::tag::SCOPE, scope.name().len() + 8);
        encode_scope(scope, out);
        close(out, scope_length);
        write(out);
        encode_schema_url(scope.schema_url(), out);
        close(out, length);
    }

    /// Finds the groups, in the order in which their first spans occur.
    fn find_groups(&mut self, spans: &[SpanData]) {
        self.groups.clear();
        self.group_of.clear();
        self.group_of.reserve(spans.len());
        let (mut current, mut previous) = (0, None::<ScopeIdentity<'_>>);
        for (index, span) in spans.iter().enumerate() {
            let scope = ScopeIdentity::new(&span.instrumentation_scope);
            if !previous.is_some_and(|previous| previous.has_same_texts(&scope)) {
                previous = Some(scope);
                let is_same =
                    |group: &Group| scope.matches(&spans[group.first].instrumentation_scope);
                current = self.groups.iter().position(is_same).unwrap_or_else(|| {
                    self.groups.push(Group {
                        first: index,
                        spans: 0,
                    });
                    self.groups.len() - 1
                });
            }
            self.groups[current].spans += 1;
            self.group_of.push(current as u32);
        }
    }
}

impl Default for BatchEncoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Footprint for BatchEncoder {
    fn heap_bytes(&self) -> usize {
        self.group_of.heap_bytes() + self.groups.heap_bytes()
    }
}
