//! Requests: cut from the queue, and framed.

mod cut;
mod frame;

use crate::base::scope::Scope;
use crate::base::stats::DropCause;
use crate::queue::chunk::Chunk;
use crate::queue::inner::PipelineInner;
use zerospan_otlp::EncodedResource;
use zerospan_transport::{Body, Pieces};

/// The next request: a number of items, within a number of bytes, grouped by scope.
///
/// Keeps all of its memory from one request to the next.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// The bytes between the items: of the resource and the scopes.
    frames: Vec<u8>,
    parts: Vec<Part>,
    items: usize,
    /// The chunks that the request lies in, the oldest first. The rest of the last may begin the next request.
    chunks: Vec<Chunk>,
    /// Number of chunks that the next request has nothing of.
    used_up: usize,
    /// The end of the items of the first chunk that earlier requests have used.
    position: Position,
    pieces: Vec<Piece>,
    groups: Vec<Group>,
}

/// A place in a chunk.
#[derive(Clone, Copy, Debug, Default)]
struct Position {
    run: usize,
    /// Start of the items that are left, in the chunk's bytes.
    start: usize,
    /// Number of items of the run that have been used.
    used_of_run: usize,
}

/// Adjacent items of a chunk that go into the request.
#[derive(Clone, Copy, Debug)]
struct Piece {
    chunk: usize,
    start: usize,
    end: usize,
    group: usize,
}

/// Adjacent bytes of the encoded request.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// The chunk that they lie in; `None` for bytes of `frames`.
    chunk: Option<usize>,
    start: usize,
    end: usize,
}

/// The items of one scope in the request.
#[derive(Debug)]
struct Group {
    scope: Scope,
    item_bytes: usize,
}

impl Batch {
    /// Returns the encoded request. It lies in the chunks until [`release`](Self::release).
    pub(crate) fn body(&self) -> Body<'_> {
        let len = self.parts.iter().map(|part| part.end - part.start).sum();
        Body::from_pieces(self, len)
    }

    /// Returns the number of items in the request.
    pub(crate) fn items(&self) -> usize {
        self.items
    }

    /// Makes the next request from the queue. Items that fit in no request are counted as dropped.
    pub(crate) fn fill(&mut self, inner: &PipelineInner, resource: &EncodedResource) {
        self.pieces.clear();
        self.groups.clear();
        self.items = 0;
        self.used_up = self.cut(inner, resource);
        if self.items > 0 {
            self.frame(resource);
        } else {
            self.release(inner);
        }
    }

    /// Frees the chunks of the request for reuse, but for those that the next one begins in.
    pub(crate) fn release(&mut self, inner: &PipelineInner) {
        self.parts.clear();
        let used_up = std::mem::take(&mut self.used_up);
        let mut state = inner.state();
        for mut chunk in self.chunks.drain(..used_up) {
            state.recycle(&mut chunk, &inner.limits);
        }
    }

    /// Drops the items that the next request would begin with: they left the queue, but are counted as queued.
    pub(crate) fn discard_rest(&mut self, inner: &PipelineInner, cause: DropCause) {
        self.release(inner);
        let mut state = inner.state();
        let position = std::mem::take(&mut self.position);
        for (index, mut chunk) in self.chunks.drain(..).enumerate() {
            let used: usize = match index {
                0 => {
                    let runs = &chunk.runs()[..position.run];
                    let earlier: u32 = runs.iter().map(|run| run.items).sum();
                    earlier as usize + position.used_of_run
                }
                _ => 0,
            };
            state.discard((chunk.items() - used) as u64, cause);
            state.recycle(&mut chunk, &inner.limits);
        }
    }
}

impl Pieces for Batch {
    fn piece(&self, index: usize) -> Option<&[u8]> {
        let part = self.parts.get(index)?;
        let memory = match part.chunk {
            Some(chunk) => self.chunks[chunk].bytes(),
            None => &self.frames,
        };
        Some(&memory[part.start..part.end])
    }
}
