use super::{Batch, Group, Piece, Position};
use crate::base::item::item_len;
use crate::base::stats::DropCause;
use crate::queue::inner::PipelineInner;
use zerospan_otlp::EncodedResource;

/// Max bytes by which the length of a message in the request may grow, since it is written as a varint.
const LEN_SLACK: usize = 5;

impl Batch {
    /// Chooses the pieces of the request. Returns the number of chunks that are used up.
    pub(super) fn cut(&mut self, inner: &PipelineInner, resource: &EncodedResource) -> usize {
        let limits = &inner.limits;
        let mut size = resource.request_len(0) + LEN_SLACK;
        let mut index = 0;
        let mut at = std::mem::take(&mut self.position);
        loop {
            if index == self.chunks.len() {
                if self.items > 0 && size >= limits.batch_bytes {
                    return index;
                }
                match inner.state().pop() {
                    Some(chunk) => self.chunks.push(chunk),
                    None => return index,
                }
            }
            while let Some(&run) = self.chunks[index].runs().get(at.run) {
                if self.items == limits.request_items {
                    self.position = at;
                    return index;
                }
                let left = run.items as usize - at.used_of_run;
                let group = self.group(index, at.run);
                let scope_bytes = match self.groups[group].item_bytes {
                    0 => self.groups[group].scope.encoded().framed_len(0) + LEN_SLACK,
                    _ => 0,
                };
                let bytes = &self.chunks[index].bytes()[at.start..run.end];
                let room = limits.request_bytes.saturating_sub(size + scope_bytes);
                let (items, len) = fit(bytes, left, limits.request_items - self.items, room);
                if items == 0 {
                    if self.items > 0 {
                        self.position = at;
                        return index;
                    }
                    // The item exceeds an empty request, or the bytes are no item.
                    match item_len(bytes) {
                        Some(len) => {
                            inner.state().discard(1, DropCause::TooLarge);
                            inner.warn_once(DropCause::TooLarge);
                            at.advance(1, len, left);
                        }
                        None => {
                            inner.state().discard(left as u64, DropCause::Malformed);
                            inner.warn_once(DropCause::Malformed);
                            at.advance(left, bytes.len(), left);
                        }
                    }
                    continue;
                }
                self.pieces.push(Piece {
                    chunk: index,
                    start: at.start,
                    end: at.start + len,
                    group,
                });
                self.groups[group].item_bytes += len;
                self.items += items;
                size += scope_bytes + len;
                at.advance(items, len, left);
            }
            index += 1;
            at = Position::default();
        }
    }

    /// Returns the index of the group of a run's scope.
    fn group(&mut self, chunk: usize, run: usize) -> usize {
        let chunk = &self.chunks[chunk];
        let scope = chunk.scope(chunk.runs()[run]);
        if let Some(index) = self
            .groups
            .iter()
            .position(|group| group.scope.is_same(scope))
        {
            return index;
        }
        if let Some(index) = self.groups.iter().position(|group| group.scope == *scope) {
            return index;
        }
        self.groups.push(Group {
            scope: scope.clone(),
            item_bytes: 0,
        });
        self.groups.len() - 1
    }
}

impl Position {
    /// Advances by `items` items of `bytes` bytes, in a run with `left` items left.
    fn advance(&mut self, items: usize, bytes: usize, left: usize) {
        self.start += bytes;
        self.used_of_run += items;
        if items == left {
            self.run += 1;
            self.used_of_run = 0;
        }
    }
}

/// Returns the number of the `items` items in `bytes` that are within `max_items` and `max_bytes`, and their length.
fn fit(bytes: &[u8], items: usize, max_items: usize, max_bytes: usize) -> (usize, usize) {
    if items <= max_items && bytes.len() <= max_bytes {
        return (items, bytes.len());
    }
    let (mut count, mut end) = (0, 0);
    while count < items.min(max_items) {
        match item_len(&bytes[end..]) {
            Some(len) if end + len <= max_bytes => end += len,
            _ => break,
        }
        count += 1;
    }
    (count, end)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Returns `count` items of 5 bytes each.
    fn items(count: usize) -> Vec<u8> {
        [0x12, 3, 7, 7, 7].repeat(count)
    }

    #[test]
    fn as_many_whole_items_fit_as_their_number_and_their_bytes_allow() {
        let bytes = items(4);
        assert_eq!(item_len(&bytes), Some(5));
        for (max_items, max_bytes, expected) in [
            (4, 20, 4),
            (5, 100, 4),
            (4, 19, 3),
            (3, 20, 3),
            (3, 14, 2),
            (9, 15, 3),
            (1, 5, 1),
            (1, 4, 0),
            (0, 20, 0),
        ] {
            let fitting = fit(&bytes, 4, max_items, max_bytes);
            assert_eq!(
                fitting,
                (expected, 5 * expected),
                "{max_items}, {max_bytes}"
            );
        }
        // What is no item ends the search.
        assert_eq!(fit(&[0x12, 3, 7, 7, 7, 9, 9], 2, 2, 6), (1, 5));
    }

    #[test]
    fn a_position_advances_to_the_next_run_with_the_last_item_of_one() {
        let mut at = Position::default();
        at.advance(2, 10, 3);
        assert_eq!((at.run, at.used_of_run, at.start), (0, 2, 10));
        at.advance(1, 5, 1);
        assert_eq!((at.run, at.used_of_run, at.start), (1, 0, 15));
    }
}
