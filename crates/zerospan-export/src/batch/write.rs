use super::Batch;
use zerospan_otlp::EncodedResource;

impl Batch {
    /// Writes the request from its pieces, which have at most `max_bytes` together.
    pub(super) fn write(&mut self, resource: &EncodedResource, max_bytes: usize) {
        // A scope whose first item did not fit has a group without items.
        let scopes = self
            .groups
            .iter()
            .filter(|group| group.item_bytes > 0)
            .map(|group| group.scope.encoded().framed_len(group.item_bytes))
            .sum();
        let payload = &mut self.payload;
        let len = resource.request_len(scopes);
        if payload.capacity() < len {
            // Doubling it, as vectors do, could exceed the limit of a request, which is what it is charged for.
            payload.reserve_exact((len + len / 8).min(max_bytes).max(len));
        }
        resource.begin(scopes, payload);
        for (index, group) in self.groups.iter().enumerate() {
            if group.item_bytes == 0 {
                continue;
            }
            group.scope.encoded().begin(group.item_bytes, payload);
            for piece in self.pieces.iter().filter(|piece| piece.group == index) {
                let bytes = self.chunks[piece.chunk].bytes();
                payload.extend_from_slice(&bytes[piece.start..piece.end]);
            }
            group.scope.encoded().end(payload);
        }
        resource.end(payload);
    }
}
