use crate::chunk::Chunk;
use crate::core::Core;
use crate::wire::{self, header_len};
use crate::{DropCause, EncodedResource, Scope};

/// Cuts requests from the queue: so many spans, so many bytes, grouped by scope.
///
/// All of its memory is kept from one request to the next.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    payload: Vec<u8>,
    spans: usize,
    /// What the request is cut from, the eldest first. The last may be cut in two, and its rest begins the next request.
    chunks: Vec<Chunk>,
    /// How far the first of `chunks` was used up by earlier requests.
    position: Position,
    pieces: Vec<Piece>,
    groups: Vec<Group>,
}

/// A place in a chunk.
#[derive(Clone, Copy, Debug, Default)]
struct Position {
    run: usize,
    /// Where the spans begin that are left of the run, and how many they are.
    start: usize,
    taken_of_run: usize,
}

/// Spans that go from a chunk into the request.
#[derive(Clone, Copy, Debug)]
struct Piece {
    chunk: usize,
    start: usize,
    end: usize,
    group: usize,
}

/// The spans of one scope in the request.
#[derive(Debug)]
struct Group {
    scope: Scope,
    span_bytes: usize,
}

impl Group {
    fn content_len(&self) -> usize {
        self.scope.encoded_len() + self.span_bytes
    }
}

/// Tag and length of a field, at most.
const HEADER: usize = 6;

impl Batch {
    /// The request, encoded.
    pub(crate) fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// How many spans are in it.
    pub(crate) fn spans(&self) -> usize {
        self.spans
    }

    /// Cuts the next request off the queue. Spans that can be in none are counted as dropped.
    pub(crate) fn fill(&mut self, core: &Core, resource: &EncodedResource) {
        self.payload.clear();
        self.pieces.clear();
        self.groups.clear();
        self.spans = 0;
        let used_up = self.cut(core, resource.encoded_len() + 2 * HEADER);
        if self.spans > 0 {
            self.write(resource);
        }
        let mut state = core.state();
        for mut chunk in self.chunks.drain(..used_up) {
            state.recycle(&mut chunk, &core.limits);
        }
    }

    /// Chooses the pieces. Gives how many chunks are used up.
    fn cut(&mut self, core: &Core, base: usize) -> usize {
        let limits = &core.limits;
        let mut size = base;
        let mut index = 0;
        let mut at = std::mem::take(&mut self.position);
        loop {
            if index == self.chunks.len() {
                match core.state().pop() {
                    Some(chunk) => self.chunks.push(chunk),
                    None => return index,
                }
            }
            while let Some(&run) = self.chunks[index].runs().get(at.run) {
                if self.spans == limits.batch_spans {
                    self.position = at;
                    return index;
                }
                let left = run.spans as usize - at.taken_of_run;
                let group = self.group(index, at.run);
                let scope_bytes = match self.groups[group].span_bytes {
                    0 => self.groups[group].scope.encoded_len() + HEADER,
                    _ => 0,
                };
                let bytes = &self.chunks[index].bytes()[at.start..run.end];
                let room = limits.request_bytes.saturating_sub(size + scope_bytes);
                let (spans, len) = fit(bytes, left, limits.batch_spans - self.spans, room);
                if spans == 0 {
                    if self.spans > 0 {
                        self.position = at;
                        return index;
                    }
                    // Not even an empty request has room for the span, or it is none.
                    match wire::span_field_len(bytes) {
                        Some(len) => {
                            core.state().discard(1, DropCause::TooLarge);
                            core.complain(DropCause::TooLarge);
                            at.advance(1, len, left);
                        }
                        None => {
                            core.state().discard(left as u64, DropCause::Malformed);
                            core.complain(DropCause::Malformed);
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
                self.groups[group].span_bytes += len;
                self.spans += spans;
                size += scope_bytes + len;
                at.advance(spans, len, left);
            }
            index += 1;
            at = Position::default();
        }
    }

    /// The group of a run's scope.
    fn group(&mut self, chunk: usize, run: usize) -> usize {
        let chunk = &self.chunks[chunk];
        let scope = chunk.scope(chunk.runs()[run]);
        if let Some(index) = self.groups.iter().position(|group| group.scope.is(scope)) {
            return index;
        }
        if let Some(index) = self
            .groups
            .iter()
            .position(|group| group.scope.means(scope))
        {
            return index;
        }
        self.groups.push(Group {
            scope: scope.clone(),
            span_bytes: 0,
        });
        self.groups.len() - 1
    }

    fn write(&mut self, resource: &EncodedResource) {
        let scopes: usize = self
            .groups
            .iter()
            .filter(|group| group.span_bytes > 0)
            .map(|group| header_len(group.content_len()) + group.content_len())
            .sum();
        let content = resource.encoded_len() + scopes;
        let payload = &mut self.payload;
        payload.reserve(header_len(content) + content);
        wire::put_header(payload, 1, content);
        payload.extend_from_slice(resource.resource_field());
        for (index, group) in self.groups.iter().enumerate() {
            if group.span_bytes == 0 {
                continue;
            }
            wire::put_header(payload, 2, group.content_len());
            payload.extend_from_slice(group.scope.scope_field());
            for piece in self.pieces.iter().filter(|piece| piece.group == index) {
                let bytes = self.chunks[piece.chunk].bytes();
                payload.extend_from_slice(&bytes[piece.start..piece.end]);
            }
            payload.extend_from_slice(group.scope.schema_url_field());
        }
        payload.extend_from_slice(resource.schema_url_field());
    }

    /// Spans that the next request begins with: they are out of the queue, but counted in it.
    pub(crate) fn discard_rest(&mut self, core: &Core, cause: DropCause) {
        let mut state = core.state();
        let at = std::mem::take(&mut self.position);
        for (index, mut chunk) in self.chunks.drain(..).enumerate() {
            let gone: usize = match index {
                0 => {
                    let earlier: u32 = chunk.runs()[..at.run].iter().map(|run| run.spans).sum();
                    earlier as usize + at.taken_of_run
                }
                _ => 0,
            };
            state.discard((chunk.spans() - gone) as u64, cause);
            state.recycle(&mut chunk, &core.limits);
        }
    }
}

impl Position {
    /// Goes `spans` spans and `bytes` bytes further, in a run with `left` spans left.
    fn advance(&mut self, spans: usize, bytes: usize, left: usize) {
        self.start += bytes;
        self.taken_of_run += spans;
        if spans == left {
            self.run += 1;
            self.taken_of_run = 0;
        }
    }
}

/// How many of the `spans` spans that `bytes` is are within `most` spans and `room` bytes, and how long they are.
fn fit(bytes: &[u8], spans: usize, most: usize, room: usize) -> (usize, usize) {
    if spans <= most && bytes.len() <= room {
        return (spans, bytes.len());
    }
    let (mut count, mut end) = (0, 0);
    while count < spans.min(most) {
        match wire::span_field_len(&bytes[end..]) {
            Some(len) if end + len <= room => end += len,
            _ => break,
        }
        count += 1;
    }
    (count, end)
}
