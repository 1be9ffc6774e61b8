use crate::attribute::{self, UNLIMITED, tag};
use crate::header::count;
use crate::protobuf::field_len;
use crate::wire::{Varint, append};
use opentelemetry::InstrumentationScope;
use zerospan_core::AttributeSource;

/// A resource in wire form: encoded once, copied into each request.
///
/// # Examples
///
/// ```
/// use opentelemetry::InstrumentationScope;
/// use zerospan_otlp::{EncodedResource, EncodedScope, encode_request};
///
/// let resource = EncodedResource::new(&[("service.name", "shop")], None);
/// let scope = EncodedScope::new(&InstrumentationScope::builder("checkout").build());
/// let spans: [&[u8]; 0] = [];
///
/// let mut request = Vec::new();
/// encode_request(&resource, [(&scope, spans)], &mut request);
/// assert_eq!(request[0], 0x0a, "the field `ExportTraceServiceRequest.resource_spans`");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedResource {
    /// The field `ResourceSpans.resource`, then the field `ResourceSpans.schema_url`.
    bytes: Box<[u8]>,
    /// Where the schema URL begins.
    schema_url: usize,
}

impl EncodedResource {
    /// Encodes a resource with `attributes`. Allocates twice or more.
    ///
    /// An attribute of an unsupported kind is left out and counted as dropped.
    pub fn new<S: AttributeSource + ?Sized>(attributes: &S, schema_url: Option<&str>) -> Self {
        let mut content = Vec::new();
        let mut dropped = 0;
        attributes.for_each(|attribute| {
            let (key, value) = (attribute.key, attribute.value);
            if attribute::write(&mut content, tag::RESOURCE, key, value, UNLIMITED).is_err() {
                dropped += 1;
            }
        });
        append(&mut content, count(0x10, dropped));
        Self::framing(&content, schema_url)
    }

    /// Encodes the stock SDK's resource, its attributes in the order in which it lists them. Allocates twice or more.
    #[cfg(feature = "sdk")]
    pub fn from_sdk(resource: &opentelemetry_sdk::Resource) -> Self {
        let mut content = Vec::new();
        let mut dropped = 0;
        for (key, value) in resource {
            if attribute::write_value(&mut content, tag::RESOURCE, key.as_str(), value).is_err() {
                dropped += 1;
            }
        }
        append(&mut content, count(0x10, dropped));
        Self::framing(&content, resource.schema_url())
    }

    fn framing(content: &[u8], schema_url: Option<&str>) -> Self {
        let mut bytes = Vec::with_capacity(content.len() + 128);
        append(&mut bytes, ([0x0a], Varint(content.len() as u64), content));
        let at = bytes.len();
        write_schema_url(schema_url, &mut bytes);
        Self {
            bytes: bytes.into_boxed_slice(),
            schema_url: at,
        }
    }

    /// What stands before the spans, and what behind them.
    #[cfg(feature = "sdk")]
    pub(crate) fn parts(&self) -> (&[u8], &[u8]) {
        self.bytes.split_at(self.schema_url)
    }

    /// The length of a whole `ExportTraceServiceRequest` whose `ScopeSpans` take `scopes` bytes, as
    /// [`EncodedScope::framed_len`] counts them.
    pub fn request_len(&self, scopes: usize) -> usize {
        field_len(self.bytes.len() + scopes)
    }

    /// Appends what stands before the first of `ScopeSpans` that take `scopes` bytes. Does not allocate where there is room.
    pub fn begin(&self, scopes: usize, out: &mut Vec<u8>) {
        let (resource, _) = self.bytes.split_at(self.schema_url);
        append(
            out,
            ([0x0a], Varint((self.bytes.len() + scopes) as u64), resource),
        );
    }

    /// Appends what stands behind the last of the `ScopeSpans`. Does not allocate where there is room.
    pub fn end(&self, out: &mut Vec<u8>) {
        let (_, schema_url) = self.bytes.split_at(self.schema_url);
        append(out, schema_url);
    }
}

/// An instrumentation scope in wire form: encoded once, copied before the spans of each request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedScope {
    /// The field `ScopeSpans.scope`, then the field `ScopeSpans.schema_url`.
    bytes: Box<[u8]>,
    /// Where the schema URL begins.
    schema_url: usize,
}

impl EncodedScope {
    /// Encodes `scope`. Allocates twice or more.
    ///
    /// An attribute of an unsupported kind is left out and counted as dropped.
    pub fn new(scope: &InstrumentationScope) -> Self {
        let mut content = Vec::new();
        write_scope(scope, &mut content);
        let mut bytes = Vec::with_capacity(content.len() + 128);
        append(
            &mut bytes,
            ([0x0a], Varint(content.len() as u64), content.as_slice()),
        );
        let at = bytes.len();
        write_schema_url(scope.schema_url(), &mut bytes);
        Self {
            bytes: bytes.into_boxed_slice(),
            schema_url: at,
        }
    }

    /// The length of the whole field `ResourceSpans.scope_spans` whose spans take `spans` bytes, tags and lengths included.
    pub fn framed_len(&self, spans: usize) -> usize {
        field_len(self.bytes.len() + spans)
    }

    /// Appends what stands before the first of spans that take `spans` bytes. Does not allocate where there is room.
    pub fn begin(&self, spans: usize, out: &mut Vec<u8>) {
        let (scope, _) = self.bytes.split_at(self.schema_url);
        append(
            out,
            ([0x12], Varint((self.bytes.len() + spans) as u64), scope),
        );
    }

    /// Appends what stands behind the last of the spans. Does not allocate where there is room.
    pub fn end(&self, out: &mut Vec<u8>) {
        let (_, schema_url) = self.bytes.split_at(self.schema_url);
        append(out, schema_url);
    }
}

/// The content of `InstrumentationScope`.
pub(crate) fn write_scope(scope: &InstrumentationScope, out: &mut Vec<u8>) {
    let (name, version) = (scope.name(), scope.version().unwrap_or_default());
    append(
        out,
        (
            (!name.is_empty()).then_some(([0x0a], Varint(name.len() as u64), name.as_bytes())),
            (!version.is_empty()).then_some((
                [0x12],
                Varint(version.len() as u64),
                version.as_bytes(),
            )),
        ),
    );
    let mut dropped = 0;
    for attribute in scope.attributes() {
        let key = attribute.key.as_str();
        if attribute::write_value(out, tag::SCOPE, key, &attribute.value).is_err() {
            dropped += 1;
        }
    }
    append(out, count(0x20, dropped));
}

/// `schema_url`, which is field 3 of `ResourceSpans` as of `ScopeSpans`.
pub(crate) fn write_schema_url(schema_url: Option<&str>, out: &mut Vec<u8>) {
    let url = schema_url.unwrap_or_default();
    append(
        out,
        (!url.is_empty()).then_some(([0x1a], Varint(url.len() as u64), url.as_bytes())),
    );
}

/// The length of what [`encode_request`] writes for the same arguments.
pub fn request_len<'a, S>(
    resource: &EncodedResource,
    groups: impl IntoIterator<Item = (&'a EncodedScope, S)>,
) -> usize
where
    S: IntoIterator<Item = &'a [u8]>,
{
    resource.request_len(scopes_len(groups))
}

fn scopes_len<'a, S>(groups: impl IntoIterator<Item = (&'a EncodedScope, S)>) -> usize
where
    S: IntoIterator<Item = &'a [u8]>,
{
    groups
        .into_iter()
        .map(|(scope, spans)| scope.framed_len(spans.into_iter().map(<[u8]>::len).sum()))
        .sum()
}

/// Appends a whole `ExportTraceServiceRequest` to `out`: one resource, and its spans by scope.
///
/// The spans of a scope come as slices of whole `ScopeSpans.spans` fields, any number in each, as
/// [`SpanRecorder::finish`](crate::SpanRecorder::finish) appends them. They are copied as they are. The arguments are
/// iterated several times, so they are cheap to clone: slices of slices, or iterators over them.
///
/// Allocates only if `out` has no room, and then once.
pub fn encode_request<'a, G, S>(resource: &EncodedResource, groups: G, out: &mut Vec<u8>)
where
    G: IntoIterator<Item = (&'a EncodedScope, S)> + Clone,
    S: IntoIterator<Item = &'a [u8]> + Clone,
{
    let scopes = scopes_len(groups.clone());
    crate::wire::make_room(out, resource.request_len(scopes));
    resource.begin(scopes, out);
    for (scope, spans) in groups {
        let length = spans.clone().into_iter().map(<[u8]>::len).sum();
        scope.begin(length, out);
        for run in spans {
            out.extend_from_slice(run);
        }
        scope.end(out);
    }
    resource.end(out);
}
