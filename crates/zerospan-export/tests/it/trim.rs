//! Memory of others that the worker frees.

use crate::support::{LONG, batch, quick, record, scope};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};
use zerospan_export::{InMemoryTransport, Pipeline};
use zerospan_pool::trim::Trim;

const INTERVAL: Duration = Duration::from_millis(30);

/// Frees one piece in each interval, as long as there are pieces.
struct Pieces {
    left: AtomicUsize,
    interval: Duration,
    next: Mutex<Option<Instant>>,
}

impl Trim for Pieces {
    fn trim(&self, now: Instant) -> Option<Instant> {
        let mut next = self.next.lock().unwrap();
        if next.is_some_and(|next| now < next) {
            return *next;
        }
        let left = self.left.load(Ordering::Relaxed).checked_sub(1)?;
        self.left.store(left, Ordering::Relaxed);
        *next = Some(now + self.interval);
        *next
    }
}

impl Pieces {
    fn left(&self) -> usize {
        self.left.load(Ordering::Relaxed)
    }
}

fn pieces(count: usize, interval: Duration) -> (Arc<Pieces>, Weak<dyn Trim>) {
    let pieces = Arc::new(Pieces {
        left: AtomicUsize::new(count),
        interval,
        next: Mutex::new(None),
    });
    let weak: Weak<Pieces> = Arc::downgrade(&pieces);
    (pieces, weak)
}

#[test]
fn an_idle_worker_frees_memory_of_others_in_time() {
    let pipeline: Pipeline = quick()
        .with_transport(InMemoryTransport::new())
        .with_batch(batch(|batch| {
            batch.schedule_delay = Duration::from_secs(600);
        }))
        .build()
        .unwrap();
    let (first, weak) = pieces(3, INTERVAL);
    let (second, other) = pieces(5, INTERVAL);
    pipeline.trim_too(weak.clone());
    pipeline.trim_too(weak);
    pipeline.trim_too(other);
    // The worker starts with the first span.
    let start = Instant::now();
    record(&pipeline, &scope("one"), 0..1);
    assert_eq!(pipeline.force_flush(LONG), Ok(()));
    let deadline = start + LONG;
    while first.left() + second.left() > 0 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!((first.left(), second.left()), (0, 0));
    assert!(start.elapsed() >= 4 * INTERVAL, "once an interval");
    drop((first, second));
    record(&pipeline, &scope("one"), 1..2);
    assert_eq!(pipeline.force_flush(LONG), Ok(()));
}

#[test]
fn without_a_worker_a_flush_frees_memory_of_others() {
    let pipeline = quick()
        .with_transport(InMemoryTransport::new())
        .without_worker()
        .build()
        .unwrap();
    let (pieces, weak) = pieces(2, Duration::ZERO);
    pipeline.trim_too(weak);
    for left in [1, 0, 0] {
        assert_eq!(pipeline.force_flush(LONG), Ok(()));
        assert_eq!(pieces.left(), left);
    }
}
