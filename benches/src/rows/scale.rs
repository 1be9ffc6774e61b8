//! Whether the cost of a span stays what it is: with more threads, and with more attributes.

use super::trace::eight_native;
use super::trace::sides::Ours;
use crate::keys::KEYS;
use crate::{Budget, Clock, Contest, Row};
use std::hint::black_box;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use zerospan_trace::Tracer;

/// The rows of this area.
pub(super) const ROWS: &[Row] = &[
    Row {
        id: "scale.threads",
        peer: "two threads, a provider each: one thread's time a span",
        ours: "two threads on one provider",
        budget: Budget::AtLeast(0.95),
        // The pipeline's own, for a request of 512 spans while others are being recorded; none for a span.
        allocations: Some(0.01),
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

/// Spans of one thread in one run, many to a flush, which is no part of what is compared.
const SPANS: u64 = 20_000;
/// The spans of both threads fit the queue.
const QUEUE: u64 = 2 * SPANS;

/// On both sides two threads record, each as many spans: with a provider each, which share nothing, and with one. So what is
/// compared is what sharing a provider costs. One thread alone would be faster by what two threads of one processor core
/// take from each other, whatever they do. The time is the calling thread's, since two cores have no third for the worker.
fn threads() -> Contest {
    let (mut mine, theirs, mut one) = (
        Ours::with_queue(QUEUE),
        Ours::with_queue(QUEUE),
        Ours::with_queue(QUEUE),
    );
    let apart = Turn::of_a_second_thread(theirs);
    let together = Turn::of_a_second_thread(one.another());
    Contest::new(
        SPANS,
        move || beside(&mut mine, &apart),
        move || beside(&mut one, &together),
        |apart: Result<u64, String>, together| match (apart, together) {
            (Ok(apart), Ok(together)) if apart == 2 * SPANS && together == 2 * SPANS => Ok(()),
            (apart, together) => Err(format!("sent apart: {apart:?}; together: {together:?}")),
        },
    )
    .with_clock(Clock::Thread)
}

/// Records while the second thread does; says how many spans both of them sent.
fn beside(mine: &mut Ours, second: &Turn) -> Result<u64, String> {
    second.begin();
    let recorded = spans(mine.tracer());
    let theirs = second.end()?;
    // Where the provider is shared, its sink counts the other thread's spans here or there.
    Ok(mine.flushed(recorded)? + theirs)
}

/// Whose turn it is: the second thread's, from the beginning of a run until it says what it sent. Passing it on allocates
/// nothing.
#[derive(Clone, Default)]
struct Turn(Arc<(Mutex<Option<Answer>>, Condvar)>);

enum Answer {
    Awaited,
    Sent(Result<u64, String>),
}

impl Turn {
    /// A thread that records as many spans as the calling one whenever it is told to.
    fn of_a_second_thread(mut ours: Ours) -> Self {
        let turn = Self::default();
        let second = turn.clone();
        std::thread::spawn(move || {
            loop {
                drop(second.wait(|answer| matches!(answer, Some(Answer::Awaited))));
                let recorded = spans(ours.tracer());
                second.say(Answer::Sent(ours.flushed(recorded)));
            }
        });
        turn
    }

    fn begin(&self) {
        self.say(Answer::Awaited);
    }

    fn end(&self) -> Result<u64, String> {
        match self
            .wait(|answer| matches!(answer, Some(Answer::Sent(_))))
            .take()
        {
            Some(Answer::Sent(sent)) => sent,
            _ => Err("the second thread said nothing".to_owned()),
        }
    }

    fn say(&self, answer: Answer) {
        *self.lock() = Some(answer);
        self.0.1.notify_all();
    }

    fn wait(&self, until: impl Fn(&Option<Answer>) -> bool) -> MutexGuard<'_, Option<Answer>> {
        let mut answer = self.lock();
        while !until(&answer) {
            answer = self
                .0
                .1
                .wait(answer)
                .unwrap_or_else(PoisonError::into_inner);
        }
        answer
    }

    fn lock(&self) -> MutexGuard<'_, Option<Answer>> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
