//! The memory that a request lies in.

use crate::support::{LONG, quick, received, record, scope};
use std::sync::{Arc, Mutex};
use zerospan_export::{ExportResponse, InMemoryTransport, Pipeline, Request, SendError, Transport};

/// The pieces of an attempt, their bytes, and the bytes of the chunks that are in use.
type Seen = (usize, Vec<u8>, u64);

/// Refuses the first attempt, and passes the next on.
struct AtSecond {
    memory: InMemoryTransport,
    pipeline: Arc<Mutex<Option<Pipeline>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Transport for AtSecond {
    fn send(&mut self, request: &Request<'_>) -> Result<ExportResponse, SendError> {
        let pipeline = self.pipeline.lock().unwrap().clone();
        let in_use = pipeline.map_or(0, |pipeline| pipeline.stats().chunk_bytes_in_use);
        let seen = (request.body.pieces().count(), request.body.to_vec(), in_use);
        let mut all = self.seen.lock().unwrap();
        all.push(seen);
        if all.len() == 1 {
            return Err(SendError::unreachable("not yet"));
        }
        self.memory.send(request)
    }
}

#[test]
fn a_request_lies_in_the_memory_of_its_chunks_until_it_is_finished() {
    let (memory, own) = (InMemoryTransport::new(), Arc::new(Mutex::new(None)));
    let seen = Arc::<Mutex<Vec<_>>>::default();
    let transport = {
        let (memory, own, seen) = (memory.clone(), Arc::clone(&own), Arc::clone(&seen));
        move || {
            Ok(AtSecond {
                memory: memory.clone(),
                pipeline: Arc::clone(&own),
                seen: Arc::clone(&seen),
            })
        }
    };
    let pipeline = quick()
        .with_timeout(LONG)
        .with_transport(transport)
        .build()
        .unwrap();
    *own.lock().unwrap() = Some(pipeline.clone());
    let (one, other) = (scope("one"), scope("other"));
    for spans in [0..10, 10..20] {
        record(&pipeline, &one, spans.clone());
        record(&pipeline, &other, spans);
    }
    pipeline.force_flush(LONG).unwrap();
    let all = received(&memory.take());
    assert_eq!(all["one"], (0..20).collect::<Vec<_>>());
    assert_eq!(all["other"], (0..20).collect::<Vec<_>>());

    let seen = std::mem::take(&mut *seen.lock().unwrap());
    let [(pieces, refused, in_use), (_, accepted, _)] = &seen[..] else {
        panic!("{} attempts", seen.len());
    };
    assert!(refused == accepted, "the same request again");
    // Two runs of each scope, between the bytes before either and after both.
    assert_eq!(*pieces, 2 * (1 + 2) + 1);
    assert!(*in_use > 0);
    assert_eq!(pipeline.stats().chunk_bytes_in_use, 0);
    *own.lock().unwrap() = None;
}
