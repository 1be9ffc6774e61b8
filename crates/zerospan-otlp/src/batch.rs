use crate::frame::{EncodedResource, write_schema_url, write_scope};
use crate::nested;
use crate::span_data::{encode_span_data, write_span};
use crate::time::UnixTime;
use crate::wire::Cursor;
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::SpanData;
use std::ptr::NonNull;
use zerospan_core::Footprint;

/// Writes batches of the stock SDK's spans as whole requests, grouped by scope as the official exporter groups them.
///
/// Keeps a few numbers from one batch to the next. Allocates where a batch is larger, or has more scopes, than any before.
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
    /// For each span, the number of its scope.
    scope_of: Vec<u32>,
    scopes: Vec<Scope>,
    /// What a span took in the last batch: with it, most lengths are set aside as wide as they turn out to be.
    bytes_per_span: usize,
}

#[derive(Clone, Copy, Debug)]
struct Scope {
    /// The first span that names it.
    first: usize,
    spans: usize,
}

impl Default for BatchEncoder {
    fn default() -> Self {
        Self::new()
    }
}

impl BatchEncoder {
    /// An encoder that has not seen a batch. Does not allocate.
    pub const fn new() -> Self {
        Self {
            scope_of: Vec::new(),
            scopes: Vec::new(),
            bytes_per_span: 512,
        }
    }

    /// Appends the `ExportTraceServiceRequest` of `spans` to `out`; each span as
    /// [`encode_span_data`](crate::encode_span_data) writes it.
    ///
    /// Finding a span's scope takes time in proportion to the number of scopes, where it is not that of the span before.
    pub fn encode(&mut self, resource: &EncodedResource, spans: &[SpanData], out: &mut Vec<u8>) {
        let Some(first) = spans.first() else {
            return self.request(resource, 0, out, |_, _| {});
        };
        self.request(resource, spans.len(), out, |encoder, out| {
            let scope = Known::of(&first.instrumentation_scope);
            let mut written = 0;
            encoder.scope_spans(scope.scope, spans.len(), out, |out| {
                let times = UnixTime::new();
                let mut cursor = Cursor::new(out);
                for span in spans {
                    if scope.is(&span.instrumentation_scope) {
                        write_span(span, times, &mut cursor);
                        written += 1;
                    }
                }
                cursor.finish();
            });
            if written < spans.len() {
                encoder.group(spans);
                encoder.other_groups(spans, out);
            }
        });
    }

    /// Writes the groups that were found among `spans`, all but the first.
    fn other_groups(&self, spans: &[SpanData], out: &mut Vec<u8>) {
        for (number, scope) in self.scopes.iter().enumerate().skip(1) {
            let identity = &spans[scope.first].instrumentation_scope;
            self.scope_spans(identity, scope.spans, out, |out| {
                for (span, of) in spans.iter().zip(&self.scope_of) {
                    if *of as usize == number {
                        encode_span_data(span, out);
                    }
                }
            });
        }
    }

    fn request(
        &mut self,
        resource: &EncodedResource,
        spans: usize,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Self, &mut Vec<u8>),
    ) {
        let begun = out.len();
        let (resource, schema_url) = resource.parts();
        let open = nested::open(out, 0x0a, self.bytes_per_span * spans + resource.len());
        out.extend_from_slice(resource);
        write(self, out);
        out.extend_from_slice(schema_url);
        nested::close(out, open);
        if let Some(bytes) = (out.len() - begun).checked_div(spans) {
            self.bytes_per_span = bytes;
        }
    }

    fn scope_spans(
        &self,
        scope: &InstrumentationScope,
        spans: usize,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        let open = nested::open(out, 0x12, self.bytes_per_span * spans);
        let inner = nested::open(out, 0x0a, scope.name().len() + 8);
        write_scope(scope, out);
        nested::close(out, inner);
        write(out);
        write_schema_url(scope.schema_url(), out);
        nested::close(out, open);
    }

    fn group(&mut self, spans: &[SpanData]) {
        self.scopes.clear();
        self.scope_of.clear();
        self.scope_of.reserve(spans.len());
        let (mut current, mut places) = (0, None);
        for (index, span) in spans.iter().enumerate() {
            let scope = &span.instrumentation_scope;
            let here = Places::of(scope);
            if here.is_none() || here != places {
                places = here;
                let is = |held: &Scope| equal(&spans[held.first].instrumentation_scope, scope);
                current = self.scopes.iter().position(is).unwrap_or_else(|| {
                    self.scopes.push(Scope {
                        first: index,
                        spans: 0,
                    });
                    self.scopes.len() - 1
                });
            }
            self.scopes[current].spans += 1;
            self.scope_of.push(current as u32);
        }
    }
}

impl Footprint for BatchEncoder {
    fn heap_bytes(&self) -> usize {
        self.scope_of.heap_bytes() + self.scopes.heap_bytes()
    }
}

/// A scope that others are held against.
#[derive(Clone, Copy, Debug)]
struct Known<'a> {
    scope: &'a InstrumentationScope,
    places: Option<Places>,
}

impl<'a> Known<'a> {
    #[inline]
    fn of(scope: &'a InstrumentationScope) -> Self {
        let places = Places::of(scope);
        Self { scope, places }
    }

    #[inline(always)]
    fn is(&self, scope: &InstrumentationScope) -> bool {
        self.places.is_some_and(|places| places.are_of(scope)) || equal(self.scope, scope)
    }
}

/// Where the texts of a scope without attributes are. Two of the very same texts are equal, without a look at them: mostly
/// so, since mostly they are constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Places {
    name: Place,
    version: Option<Place>,
    schema_url: Option<Place>,
}

/// Where a text begins, and its length.
type Place = (NonNull<u8>, usize);

#[inline(always)]
fn place(text: &str) -> Place {
    (NonNull::from(text).cast(), text.len())
}

impl Places {
    #[inline]
    fn of(scope: &InstrumentationScope) -> Option<Self> {
        if scope.attributes().next().is_some() {
            return None;
        }
        Some(Self {
            name: place(scope.name()),
            version: scope.version().map(place),
            schema_url: scope.schema_url().map(place),
        })
    }

    /// Whether they are those of `scope`: as a comparison with [`of`](Self::of), without making one for it.
    #[inline(always)]
    fn are_of(&self, scope: &InstrumentationScope) -> bool {
        let same = |held: Option<Place>, text: Option<&str>| match text {
            Some(text) => held.is_some_and(|held| held == place(text)),
            None => held.is_none(),
        };
        scope.attributes().next().is_none()
            && self.name == place(scope.name())
            && same(self.version, scope.version())
            && same(self.schema_url, scope.schema_url())
    }
}

/// Whether two scopes are equal, as their own `Eq` has it, which allocates where there are attributes.
#[inline(never)]
fn equal(one: &InstrumentationScope, other: &InstrumentationScope) -> bool {
    one.name() == other.name()
        && one.version() == other.version()
        && one.schema_url() == other.schema_url()
        && same_attributes(one, other)
}

/// The same attributes, in any order.
fn same_attributes(one: &InstrumentationScope, other: &InstrumentationScope) -> bool {
    let (mut left, mut right) = (one.attributes(), other.attributes());
    loop {
        match (left.next(), right.next()) {
            (None, None) => return true,
            (Some(one), Some(other)) if one == other => {}
            _ => break,
        }
    }
    let times = |scope: &InstrumentationScope, attribute: &KeyValue| {
        scope.attributes().filter(|held| *held == attribute).count()
    };
    one.attributes().eq(other.attributes())
        || one
            .attributes()
            .all(|attribute| times(one, attribute) == times(other, attribute))
}
