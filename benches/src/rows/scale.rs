//! Whether the cost of a span stays what it is: with more threads, and with more attributes.

use super::trace::eight_native;
use super::trace::sides::{Ours, SPANS_IN_QUEUE};
use crate::{Budget, Clock, Contest, Row};
use std::hint::black_box;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use zerospan_trace::{StaticKey, Tracer};

/// The rows of this area.
pub(super) const ROWS: &[Row] = &[
    Row {
        id: "scale.threads",
        peer: "spans of 8 attributes on one thread, its own time",
        ours: "the same while a second thread does the same",
        budget: Budget::AtLeast(0.95),
        allocations: Some(0.0),
        prepare: threads,
    },
    Row {
        id: "scale.attributes",
        peer: "an attribute, in spans of 8, all threads",
        ours: "an attribute, in spans of 64",
        budget: Budget::AtMost(1.2),
        allocations: Some(0.0),
        prepare: attributes,
    },
];

/// Spans of one thread in one run: those of both fit the queue.
const SPANS: u64 = SPANS_IN_QUEUE / 2;

/// The time is the calling thread's: what it pays for each span, whoever else records. Elapsed time would count the
/// worker in, for which two cores have no third.
fn threads() -> Contest {
    let (mut alone, mut together) = (Ours::new(), Ours::new());
    let (start, done) = second_thread(together.tracer());
    Contest::new(
        SPANS,
        move || alone.run(spans).counts(),
        move || {
            together
                .run(|tracer| {
                    // If the thread is gone, its spans are missed below.
                    let _ = start.send(());
                    let mine = spans(tracer);
                    mine + done.recv().unwrap_or(0)
                })
                .counts()
        },
        |alone, together| match (alone, together) {
            (Ok(SPANS), Ok(both)) if both == 2 * SPANS => Ok(()),
            (alone, together) => Err(format!("sent alone: {alone:?}; together: {together:?}")),
        },
    )
    .with_clock(Clock::Thread)
}

/// A thread that records as many spans as the calling one whenever it is told to.
fn second_thread(tracer: Tracer) -> (SyncSender<()>, Receiver<u64>) {
    let (start, started) = sync_channel(1);
    let (finish, done) = sync_channel(1);
    std::thread::spawn(move || {
        while started.recv().is_ok() {
            if finish.send(spans(&tracer)).is_err() {
                return;
            }
        }
    });
    (start, done)
}

fn spans(tracer: &Tracer) -> u64 {
    (0..SPANS).map(|_| eight_native(tracer)).sum()
}

const FEW: usize = 8;
const MANY: usize = 64;
const ATTRIBUTES: u64 = 16_000;

fn attributes() -> Contest {
    let (mut few, mut many) = (Ours::new(), Ours::new());
    Contest::new(
        ATTRIBUTES,
        move || few.run(of_length::<FEW>).counts(),
        move || many.run(of_length::<MANY>).counts(),
        |few, many| {
            let expected = (ATTRIBUTES / FEW as u64, ATTRIBUTES / MANY as u64);
            match (few, many) {
                (Ok(few), Ok(many)) if (few, many) == expected => Ok(()),
                (few, many) => Err(format!("sent of 8: {few:?}; of 64: {many:?}")),
            }
        },
    )
    .with_clock(Clock::Process)
}

/// As many spans as it takes for [`ATTRIBUTES`], each of `N`.
fn of_length<const N: usize>(tracer: &Tracer) -> u64 {
    let spans = ATTRIBUTES / N as u64;
    for _ in 0..spans {
        let mut span = tracer.span("GET /users/{id}").start();
        for key in &KEYS[..N] {
            span.set(key, black_box("a value of usual length"));
        }
    }
    spans
}

macro_rules! keys {
    ($($tens:literal)+) => {
        [$(
            StaticKey::new(concat!("attribute.key.", $tens, "0")),
            StaticKey::new(concat!("attribute.key.", $tens, "1")),
            StaticKey::new(concat!("attribute.key.", $tens, "2")),
            StaticKey::new(concat!("attribute.key.", $tens, "3")),
            StaticKey::new(concat!("attribute.key.", $tens, "4")),
            StaticKey::new(concat!("attribute.key.", $tens, "5")),
            StaticKey::new(concat!("attribute.key.", $tens, "6")),
            StaticKey::new(concat!("attribute.key.", $tens, "7")),
        )+]
    };
}

static KEYS: [StaticKey; MANY] = keys!("0" "1" "2" "3" "4" "5" "6" "7");
