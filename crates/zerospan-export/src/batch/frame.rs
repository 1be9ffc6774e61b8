use super::{Batch, Part};
use zerospan_otlp::EncodedResource;

impl Batch {
    /// Makes the request of its pieces: writes the bytes between them, and lists all of its parts in order.
    pub(super) fn frame(&mut self, resource: &EncodedResource) {
        self.frames.clear();
        self.parts.clear();
        // A scope whose first item did not fit has a group without items.
        let groups = || {
            let groups = self.groups.iter().enumerate();
            groups.filter(|(_, group)| group.item_bytes > 0)
        };
        let scopes = groups()
            .map(|(_, group)| group.scope.encoded().framed_len(group.item_bytes))
            .sum();
        let (frames, parts) = (&mut self.frames, &mut self.parts);
        let mut framed = 0;
        resource.begin(scopes, frames);
        for (index, group) in groups() {
            group.scope.encoded().begin(group.item_bytes, frames);
            parts.push(Part {
                chunk: None,
                start: framed,
                end: frames.len(),
            });
            framed = frames.len();
            let pieces = self.pieces.iter().filter(|piece| piece.group == index);
            parts.extend(pieces.map(|piece| Part {
                chunk: Some(piece.chunk),
                start: piece.start,
                end: piece.end,
            }));
            group.scope.encoded().end(frames);
        }
        resource.end(frames);
        parts.push(Part {
            chunk: None,
            start: framed,
            end: frames.len(),
        });
    }
}
