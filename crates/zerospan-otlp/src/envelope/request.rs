use super::resource::EncodedResource;
use super::scope::EncodedScope;
use crate::wire::reserve;

/// Appends a whole request to `out`: one resource, and its items grouped by scope.
///
/// The request is an `ExportTraceServiceRequest` if the items are spans, and an `ExportLogsServiceRequest` if they are log
/// records. An item is a whole field with tag and length, such as [`SpanRecorder::finish`](crate::SpanRecorder::finish) appends. The
/// items of a scope come as slices with any number of items in each, which are copied unchanged. The arguments are iterated several
/// times: pass what is cheap to clone, such as slices of slices or iterators over them.
///
/// Allocates only if `out` has no room, and then once.
pub fn encode_request<'a, G, S>(resource: &EncodedResource, groups: G, out: &mut Vec<u8>)
where
    G: IntoIterator<Item = (&'a EncodedScope, S)> + Clone,
    S: IntoIterator<Item = &'a [u8]> + Clone,
{
    let scopes_len = scopes_len(groups.clone());
    reserve(out, resource.request_len(scopes_len));
    resource.begin(scopes_len, out);
    for (scope, items) in groups {
        let items_len = items.clone().into_iter().map(<[u8]>::len).sum();
        scope.begin(items_len, out);
        for run in items {
            out.extend_from_slice(run);
        }
        scope.end(out);
    }
    resource.end(out);
}

/// Returns the number of bytes that [`encode_request`] writes for the same arguments.
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
        .map(|(scope, items)| scope.framed_len(items.into_iter().map(<[u8]>::len).sum()))
        .sum()
}
