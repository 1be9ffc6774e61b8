use crate::chunk::Chunk;
use crate::core::Core;
use crate::{DropCause, Scope, wire};
use zerospan_otlp::EncodedResource;

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

/// What a scope takes in a request, beside its spans, is known to this many bytes: its length is written as a varint.
const SLACK: usize = 5;

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
        let used_up = self.cut(core, resource.request_len(0) + SLACK);
        if self.spans > 0 {
            self.write(resource);
        }
        for chunk in &mut self.chunks[..used_up] {
            chunk.wipe();
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
                    0 => self.groups[group].scope.encoded().framed_len(0) + SLACK,
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
        if let Some(index) = self.groups.iter().position(|group| group.scope == *scope) {
            return index;
        }
        self.groups.push(Group {
            scope: scope.clone(),
            span_bytes: 0,
        });
        self.groups.len() - 1
    }

    fn write(&mut self, resource: &EncodedResource) {
        // A scope of which no span had room is left out.
        let scopes = self
            .groups
            .iter()
            .filter(|group| group.span_bytes > 0)
            .map(|group| group.scope.encoded().framed_len(group.span_bytes))
            .sum();
        let payload = &mut self.payload;
        payload.reserve(resource.request_len(scopes));
        resource.begin(scopes, payload);
        for (index, group) in self.groups.iter().enumerate() {
            if group.span_bytes == 0 {
                continue;
            }
            group.scope.encoded().begin(group.span_bytes, payload);
            for piece in self.pieces.iter().filter(|piece| piece.group == index) {
                let bytes = self.chunks[piece.chunk].bytes();
                payload.extend_from_slice(&bytes[piece.start..piece.end]);
            }
            group.scope.encoded().end(payload);
        }
        resource.end(payload);
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
