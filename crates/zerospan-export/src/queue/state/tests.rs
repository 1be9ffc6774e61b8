use super::*;
use crate::base::scope::Scope;
use opentelemetry::InstrumentationScope;

const CHUNK: usize = 1024;

fn limits(queue_items: usize, request_items: usize) -> Limits {
    Limits {
        chunk_bytes: CHUNK,
        chunk_full_at: CHUNK,
        chunk_items: queue_items,
        chunks_bytes: 8 * CHUNK,
        queue_items,
        request_items,
        batch_bytes: 1 << 20,
        request_bytes: 1 << 20,
        item_bytes: CHUNK,
        schedule_delay: Duration::from_secs(3600),
        timeout: Duration::from_secs(3600),
        drop_timeout: Duration::ZERO,
    }
}

#[test]
fn a_batch_of_items_or_of_bytes_wakes_an_idle_worker() {
    let limits = Limits {
        batch_bytes: 4096,
        ..limits(2048, 512)
    };
    for (queued_items, queued_bytes, idle) in [
        (0, 0, false),
        (511, 4095, false),
        (512, 0, true),
        (1, 4096, true),
    ] {
        let mut state = State {
            queued_items,
            queued_bytes,
            ..State::default()
        };
        for (sleep, wakes) in [
            (WorkerSleep::Idle, idle),
            (WorkerSleep::Awake, false),
            (WorkerSleep::Backoff, false),
        ] {
            state.sleep = sleep;
            assert_eq!(state.should_wake_worker(&limits), wakes, "{queued_items}");
        }
    }
}

#[test]
fn memory_is_lent_and_charged_up_to_its_limit_and_not_beyond() {
    let limits = limits(2048, 512);
    let mut state = State::default();
    let mut chunks: Vec<_> = (0..9).map_while(|_| state.acquire_chunk(&limits)).collect();
    assert_eq!(chunks.len(), 8);
    let bytes = |state: &State| {
        let stats = state.stats(&limits);
        (
            stats.chunk_bytes,
            stats.chunk_bytes_in_use,
            stats.max_chunk_bytes,
        )
    };
    assert_eq!(bytes(&state), (8192, 8192, 8192));
    for chunk in chunks.drain(3..) {
        state.recycle(&mut { chunk }, &limits);
    }
    assert_eq!(bytes(&state), (8192, 3072, 8192));
    // A buffer that grew takes the place of free chunks, as far as there are any.
    let mut grown = chunks.pop().expect("three are left");
    let grow = |chunk: &mut Chunk, bytes: usize| {
        let mut dropped = DropCounts::default();
        let scope = Scope::new(&InstrumentationScope::default());
        let _ = chunk.append_trusted(&scope, usize::MAX, &mut dropped, |buffer| {
            buffer.reserve_exact(bytes);
            buffer.push(0);
        });
    };
    grow(&mut grown, 6 * CHUNK);
    assert!(state.charge(&mut grown, &limits));
    assert_eq!(grown.charged, 6 * CHUNK);
    assert_eq!(bytes(&state), (8192, 8192, 8192));
    let mut other = chunks.pop().expect("two are left");
    grow(&mut other, CHUNK + 1);
    assert!(!state.charge(&mut other, &limits));
    assert_eq!(other.charged, CHUNK);
    assert!(state.acquire_chunk(&limits).is_none());
    state.recycle(&mut grown, &limits);
    assert_eq!(bytes(&state), (3072, 2048, 8192));
    assert!(state.charge(&mut other, &limits));
}

#[test]
fn every_item_is_counted_in_the_place_where_it_is() {
    let limits = limits(2048, 512);
    let mut state = State {
        queued_items: 100,
        pushed: 100,
        ..State::default()
    };
    state.start_request(60);
    assert_eq!((state.queued_items(), state.in_flight()), (40, 60));
    let outcome = Outcome::Delivered {
        rejected: 5,
        bytes: 1000,
    };
    state.finish_request(20, outcome);
    state.finish_request(30, Outcome::Dropped(DropCause::Refused));
    let rejected_more_than_sent = Outcome::Delivered {
        rejected: 99,
        bytes: 10,
    };
    state.finish_request(10, rejected_more_than_sent);
    state.discard(15, DropCause::TooLarge);
    assert_eq!((state.pushed(), state.finished()), (100, 75));
    assert_eq!(state.counts.undelivered, 5 + 30 + 10 + 15);
    let stats = state.stats(&limits);
    assert_eq!((stats.delivered, stats.rejected), (15, 15));
    assert_eq!(stats.dropped.by(DropCause::Refused), 30);
    assert_eq!(stats.dropped.by(DropCause::TooLarge), 15);
    assert_eq!((stats.queued, stats.in_flight, stats.requests), (25, 0, 3));
    assert_eq!(
        (stats.delivered_bytes, stats.queue_capacity),
        (1010, Some(2048))
    );
}

#[test]
fn the_timer_starts_once_and_a_vain_search_is_not_repeated_at_once() {
    let limits = limits(2048, 512);
    let mut state = State::default();
    assert_eq!(state.due(&limits), None);
    let before = Instant::now();
    assert!(state.start_timer());
    assert!(!state.start_timer());
    let due = state.due(&limits).expect("it runs");
    assert!(due >= before + limits.schedule_delay);
    assert!(due <= Instant::now() + limits.schedule_delay);
    state.stop_timer();
    assert_eq!(state.due(&limits), None);

    assert!(state.may_reclaim());
    state.note_reclaim(false);
    let failed = state.reclaim_failed_at.expect("it is noted");
    assert!(!state.may_reclaim() || failed.elapsed() >= RECLAIM_INTERVAL);
    state.note_reclaim(true);
    assert!(state.may_reclaim());
    assert!(state.needs_worker());
    state.worker = WorkerState::Running;
    assert!(!state.needs_worker());
}

#[test]
fn free_memory_is_lent_in_turn() {
    let limits = limits(2048, 512);
    let mut state = State::default();
    let mut chunks: Vec<_> = (0..8).map_while(|_| state.acquire_chunk(&limits)).collect();
    let memory = |chunk: &Chunk| chunk.bytes().as_ptr();
    let in_turn: Vec<_> = chunks.iter().map(memory).collect();
    for chunk in &mut chunks {
        state.recycle(chunk, &limits);
    }
    for &next in in_turn.iter().cycle().take(20) {
        let mut chunk = state.acquire_chunk(&limits).expect("it is free");
        assert_eq!(memory(&chunk), next);
        state.recycle(&mut chunk, &limits);
    }
}

#[test]
fn the_memory_of_a_burst_is_kept_for_the_next_and_freed_once_none_came() {
    const IDLE_CHUNKS: usize = IDLE_BYTES / CHUNK;
    let limits = Limits {
        chunks_bytes: 8 * IDLE_BYTES,
        ..limits(2048, 512)
    };
    let mut state = State::default();
    let burst = |state: &mut State, chunks: usize| {
        let used: Vec<_> = (0..chunks)
            .map_while(|_| state.acquire_chunk(&limits))
            .collect();
        assert_eq!(used.len(), chunks);
        for mut chunk in used {
            state.recycle(&mut chunk, &limits);
        }
    };
    burst(&mut state, IDLE_CHUNKS);
    assert_eq!(state.trim_at(), None, "an ordinary pipeline never trims");
    for _ in 0..2 {
        burst(&mut state, 4 * IDLE_CHUNKS);
        assert!(state.trim_at().is_some());
        assert!(state.trim(Instant::now(), &limits).is_empty());
    }
    // One that is a little smaller, and one of half the size.
    burst(&mut state, 3 * IDLE_CHUNKS);
    assert!(state.trim(Instant::now(), &limits).is_empty());
    burst(&mut state, 2 * IDLE_CHUNKS);
    assert_eq!(state.trim(Instant::now(), &limits).len(), IDLE_CHUNKS);
    assert!(state.trim_at().is_some());
    assert_eq!(state.trim(Instant::now(), &limits).len(), 2 * IDLE_CHUNKS);
    assert_eq!(state.trim_at(), None);
    assert_eq!(state.stats(&limits).chunk_bytes, IDLE_BYTES as u64);
}
