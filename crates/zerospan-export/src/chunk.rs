use crate::limits::Limits;
use crate::{DropCause, Dropped, Scope, wire};
use opentelemetry::trace::Status;
use zerospan_otlp::SpanRecorder;

/// Encoded spans of one thread, in the order in which they ended, and which scope each run of them belongs to.
///
/// A chunk without a buffer is vacant: what an idle thread holds.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    bytes: Vec<u8>,
    runs: Vec<Run>,
    /// The scopes that `runs` point into: few, and each once.
    scopes: Vec<Scope>,
    spans: usize,
    /// A chunk of so many bytes, or so many spans, is full; 0 where it is vacant.
    full_at: usize,
    most_spans: usize,
    /// The bytes of memory that the chunk's buffer is charged for.
    pub(crate) charged: usize,
}

/// Spans of one scope that lie together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// Index into the chunk's scopes.
    pub(crate) scope: u32,
    pub(crate) spans: u32,
    /// Where the run ends in the chunk's bytes; it begins where the one before it ends.
    pub(crate) end: usize,
}

impl Chunk {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            bytes: Vec::with_capacity(limits.chunk_bytes),
            full_at: limits.chunk_full_at,
            most_spans: limits.chunk_spans,
            charged: limits.chunk_bytes,
            ..Self::default()
        }
    }

    /// Whether there is no room for another span: it is handed over then.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() >= self.full_at || self.spans >= self.most_spans
    }

    #[inline]
    pub(crate) fn is_vacant(&self) -> bool {
        self.bytes.capacity() == 0
    }

    #[inline]
    pub(crate) fn spans(&self) -> usize {
        self.spans
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    #[inline]
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn runs(&self) -> &[Run] {
        &self.runs
    }

    pub(crate) fn scope(&self, run: Run) -> &Scope {
        &self.scopes[run.scope as usize]
    }

    /// Has `encode` append one span, and checks that it did. On an error or a panic, which is counted in `dropped`, the
    /// chunk is as it was.
    ///
    /// Gives the bytes that the span takes.
    #[inline]
    pub(crate) fn append(
        &mut self,
        scope: &Scope,
        largest: usize,
        dropped: &mut Dropped,
        encode: impl FnOnce(&mut Vec<u8>),
    ) -> Result<usize, DropCause> {
        let start = self.bytes.len();
        let mut rollback = Rollback {
            chunk: self,
            start,
            dropped,
            cause: DropCause::Malformed,
        };
        encode(&mut rollback.chunk.bytes);
        let span = rollback.chunk.bytes.get(start..).unwrap_or_default();
        let len = span.len();
        if wire::span_field_len(span) != Some(len) {
            return Err(DropCause::Malformed);
        }
        if len > largest {
            rollback.cause = DropCause::TooLarge;
            return Err(DropCause::TooLarge);
        }
        std::mem::forget(rollback);
        self.count(scope, 1);
        Ok(len)
    }

    /// Appends the span that `span` holds, unless it takes more than `most` bytes. Gives how many it takes.
    #[inline]
    pub(crate) fn append_recorded(
        &mut self,
        scope: &Scope,
        span: &SpanRecorder,
        end_unix_nanos: u64,
        status: &Status,
        most: usize,
        dropped: &mut Dropped,
    ) -> Result<usize, DropCause> {
        let start = self.bytes.len();
        span.finish(end_unix_nanos, status, &mut self.bytes);
        let len = self.bytes.len() - start;
        if len > most {
            self.bytes.truncate(start);
            dropped.count(DropCause::TooLarge, 1);
            return Err(DropCause::TooLarge);
        }
        self.count(scope, 1);
        Ok(len)
    }

    /// Takes the last span back, of which [`append`](Self::append) said that it takes `len` bytes.
    pub(crate) fn take_back(&mut self, len: usize) {
        let start = self.bytes.len() - len;
        self.bytes.truncate(start);
        self.spans -= 1;
        if let Some(run) = self.runs.last_mut() {
            run.end = start;
            run.spans -= 1;
            if run.spans == 0 {
                self.runs.pop();
            }
        }
    }

    /// Copies all of `other` behind what is here.
    pub(crate) fn absorb(&mut self, other: &Self) {
        let mut start = 0;
        for &run in &other.runs {
            self.bytes.extend_from_slice(&other.bytes[start..run.end]);
            start = run.end;
            self.count(other.scope(run), run.spans);
        }
    }

    /// Says that `spans` spans of `scope` were appended to the bytes.
    #[inline]
    fn count(&mut self, scope: &Scope, spans: u32) {
        self.spans += spans as usize;
        let end = self.bytes.len();
        if let Some(run) = self.runs.last_mut()
            && self.scopes[run.scope as usize].is(scope)
        {
            run.spans += spans;
            run.end = end;
            return;
        }
        self.start_run(scope, spans, end);
    }

    #[cold]
    fn start_run(&mut self, scope: &Scope, spans: u32, end: usize) {
        let known = self.scopes.iter().position(|known| known.is(scope));
        let scope = known.unwrap_or_else(|| {
            self.scopes.push(scope.clone());
            self.scopes.len() - 1
        });
        self.runs.push(Run {
            scope: scope as u32,
            spans,
            end,
        });
    }

    /// Overwrites the spans, which a reset does not, before the memory goes to a thread that records.
    ///
    /// That thread's writes are then several times as fast. Where its processor still has the lines that another one has read,
    /// each of its writes waits until the other has given the line up; where the other has written to them last, it has not,
    /// and they are fetched ahead.
    pub(crate) fn wipe(&mut self) {
        self.bytes.fill(0);
    }

    /// Forgets the spans and keeps the memory, but for what is beyond `capacity`.
    pub(crate) fn reset(&mut self, capacity: usize) {
        self.bytes.clear();
        self.runs.clear();
        self.scopes.clear();
        self.spans = 0;
        self.shrink_to(capacity);
    }

    /// Gives memory back beyond `capacity`, as far as no span lies there.
    pub(crate) fn shrink_to(&mut self, capacity: usize) {
        if self.bytes.capacity() > capacity {
            self.bytes.shrink_to(capacity);
        }
    }
}

/// Takes back what an encoder wrote and counts the span as dropped, unless it is forgotten.
struct Rollback<'a> {
    chunk: &'a mut Chunk,
    start: usize,
    dropped: &'a mut Dropped,
    cause: DropCause,
}

impl Drop for Rollback<'_> {
    fn drop(&mut self) {
        if self.chunk.bytes.len() < self.start {
            // The encoder removed spans that were not its own: what is left cannot be told apart.
            self.dropped.count(self.cause, self.chunk.spans as u64);
            self.chunk.reset(self.chunk.capacity());
        } else {
            self.chunk.bytes.truncate(self.start);
        }
        self.dropped.count(self.cause, 1);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_its_spans_is_left_in_a_wiped_chunk() {
        let mut chunk = Chunk {
            bytes: b"a span of the last request".to_vec(),
            ..Chunk::default()
        };
        chunk.wipe();
        assert!(chunk.bytes().iter().all(|byte| *byte == 0));
    }
}
