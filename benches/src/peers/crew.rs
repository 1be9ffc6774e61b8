//! The threads that do a work: the one that measures, and where the work is for two, a partner that lives as long.

use super::Work;
use cpu_time::ThreadTime;
use hdrhistogram::Histogram;
use std::hint;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

/// A peer, set up.
pub(super) trait Pipeline: Sync {
    /// Does the work `times` times on this thread.
    fn record(&self, work: Work, times: u64);

    /// Hands over what this thread holds back until it has more, where a flush from another thread does not reach it.
    fn settle(&self) {}

    /// Waits until all that was recorded is in the sink.
    ///
    /// # Errors
    ///
    /// What the peer says if it did not come that far.
    fn flush(&self) -> Result<(), String>;
}

/// How long each call took, in nanoseconds.
pub(super) type Calls = Histogram<u64>;

/// What each thread of a crew does.
#[derive(Debug)]
struct Task {
    times: u64,
    /// Where the length of each call goes, if each is to be measured.
    calls: Option<Calls>,
}

/// What came of it.
#[derive(Debug)]
struct Outcome {
    processor: Duration,
    calls: Option<Calls>,
}

/// The threads, ready.
pub(super) struct Crew<'p> {
    pipeline: &'p dyn Pipeline,
    work: Work,
    partner: Option<Partner>,
}

struct Partner {
    tasks: SyncSender<Task>,
    outcomes: Receiver<Outcome>,
    gate: Arc<Gate>,
}

impl<'p> Crew<'p> {
    pub(super) fn gather<'s>(
        scope: &'s Scope<'s, 'p>,
        pipeline: &'p dyn Pipeline,
        work: Work,
    ) -> Self {
        let partner = (work.threads() == 2).then(|| Partner::hire(scope, pipeline, work));
        Self {
            pipeline,
            work,
            partner,
        }
    }

    /// Does the work `times` times on each thread. Returns the threads' processor time together. `ready` is called when all
    /// of them stand at the start.
    ///
    /// # Errors
    ///
    /// If the partner has panicked.
    pub(super) fn record(&self, times: u64, ready: impl FnOnce()) -> Result<Duration, String> {
        let task = Task { times, calls: None };
        let (mine, others) = self.together(task, || Ok(None), ready)?;
        Ok(mine.processor + others.map_or(Duration::ZERO, |outcome| outcome.processor))
    }

    /// The same, and adds how long each call took.
    ///
    /// # Errors
    ///
    /// If the partner has panicked.
    pub(super) fn record_each(&self, times: u64, calls: &mut Calls) -> Result<(), String> {
        let task = Task {
            times,
            calls: Some(calls.clone()),
        };
        let (mine, others) = self.together(task, || histogram().map(Some), || ())?;
        if let Some(mine) = mine.calls {
            *calls = mine;
        }
        if let Some(others) = others.and_then(|outcome| outcome.calls) {
            calls.add(others).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn together(
        &self,
        mine: Task,
        partners_calls: impl FnOnce() -> Result<Option<Calls>, String>,
        ready: impl FnOnce(),
    ) -> Result<(Outcome, Option<Outcome>), String> {
        let gone = || "the second thread has panicked".to_owned();
        let Some(partner) = &self.partner else {
            ready();
            return Ok((perform(self.pipeline, self.work, mine), None));
        };
        let task = Task {
            times: mine.times,
            calls: partners_calls()?,
        };
        partner.tasks.send(task).map_err(|_| gone())?;
        partner.gate.open(ready);
        let mine = perform(self.pipeline, self.work, mine);
        let others = partner.outcomes.recv().map_err(|_| gone())?;
        Ok((mine, Some(others)))
    }
}

impl Partner {
    fn hire<'s, 'p>(scope: &'s Scope<'s, 'p>, pipeline: &'p dyn Pipeline, work: Work) -> Self {
        let (tasks, incoming) = sync_channel::<Task>(1);
        let (outgoing, outcomes) = sync_channel(1);
        let gate = Arc::new(Gate::default());
        let entrance = Arc::clone(&gate);
        scope.spawn(move || {
            for task in incoming {
                entrance.pass();
                if outgoing.send(perform(pipeline, work, task)).is_err() {
                    return;
                }
            }
        });
        Self {
            tasks,
            outcomes,
            gate,
        }
    }
}

/// Holds the partner until both can start at once: odd while it stands there. Both spin, since waking a thread takes as long
/// as many spans.
#[derive(Debug, Default)]
struct Gate(AtomicU64);

impl Gate {
    fn pass(&self) {
        let mine = self.0.fetch_add(1, Ordering::AcqRel) + 1;
        while self.0.load(Ordering::Acquire) == mine {
            hint::spin_loop();
        }
    }

    /// Waits for the partner, calls `ready`, and lets it through.
    fn open(&self, ready: impl FnOnce()) {
        while self.0.load(Ordering::Acquire).is_multiple_of(2) {
            thread::yield_now();
        }
        ready();
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

fn perform(pipeline: &dyn Pipeline, work: Work, mut task: Task) -> Outcome {
    let processor = ThreadTime::now();
    match &mut task.calls {
        None => pipeline.record(work, task.times),
        Some(calls) => {
            for _ in 0..task.times {
                let call = Instant::now();
                pipeline.record(work, 1);
                let took = call.elapsed().as_nanos();
                calls.saturating_record(u64::try_from(took).unwrap_or(u64::MAX));
            }
        }
    }
    pipeline.settle();
    Outcome {
        processor: processor.elapsed(),
        calls: task.calls,
    }
}

/// Room for calls of up to 10 seconds, to three digits; recording allocates nothing.
///
/// # Errors
///
/// None that these bounds can cause.
pub(super) fn histogram() -> Result<Calls, String> {
    Histogram::new_with_bounds(1, 10_000_000_000, 3).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::{Crew, Pipeline, Work, histogram};
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;

    #[derive(Default)]
    struct Counting {
        done: AtomicU64,
        settled: AtomicU64,
    }

    impl Pipeline for Counting {
        fn record(&self, _: Work, times: u64) {
            self.done.fetch_add(times, Ordering::Relaxed);
        }

        fn settle(&self) {
            self.settled.fetch_add(1, Ordering::Relaxed);
        }

        fn flush(&self) -> Result<(), String> {
            Ok(())
        }
    }

    #[test]
    fn nobody_begins_before_both_are_ready_and_all_is_done_at_the_end() -> Result<(), String> {
        for (work, threads) in [(Work::Root8, 1), (Work::Threads, 2)] {
            let pipeline = Counting::default();
            thread::scope(|scope| {
                let crew = Crew::gather(scope, &pipeline, work);
                for round in 1..=50 {
                    let done = || pipeline.done.load(Ordering::Relaxed);
                    crew.record(10, || assert_eq!(done(), (round - 1) * 10 * threads))?;
                    assert_eq!(done(), round * 10 * threads);
                }
                Ok::<(), String>(())
            })?;
            assert_eq!(pipeline.settled.into_inner(), 50 * threads);
        }
        Ok(())
    }

    #[test]
    fn the_calls_of_both_threads_are_measured() -> Result<(), String> {
        let pipeline = Counting::default();
        let mut calls = histogram()?;
        thread::scope(|scope| {
            let crew = Crew::gather(scope, &pipeline, Work::Threads);
            crew.record_each(10, &mut calls)?;
            crew.record_each(10, &mut calls)
        })?;
        assert_eq!((calls.len(), pipeline.done.into_inner()), (40, 40));
        Ok(())
    }
}
