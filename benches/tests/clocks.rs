//! A binary for itself: the processor time of a process includes all tests in it.

use benches::clock::Clock;
use benches::comparison::Comparison;
use benches::measure::{Config, measure};
use std::hint::black_box;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The time of the process is also that of another test's thread.
static ALONE: Mutex<()> = Mutex::new(());

fn spin(steps: u64) -> u64 {
    (0..steps).fold(1, |sum, step| black_box(sum ^ step))
}

#[test]
fn the_clocks_of_the_processor_see_eight_times_the_work() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for clock in [Clock::Process, Clock::Thread] {
        let mut comparison =
            Comparison::new(1, || spin(80_000), || spin(10_000), |_, _| Ok(())).with_clock(clock);
        let [peer, ours] = measure(&mut comparison, Config::QUICK);
        let ratio = peer.lower / ours.lower;
        assert!((4.0..16.0).contains(&ratio), "{clock:?}: {ratio}");
    }
}

#[test]
fn a_pause_is_elapsed_time_and_no_time_of_the_processor() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let pause = Duration::from_millis(50);
    let times = |clock: Clock| {
        let start = Instant::now();
        let measured = clock.time(|| thread::sleep(pause));
        (measured, start.elapsed())
    };
    // The machine may be busy, so the pause may be longer than asked for.
    let (measured, at_most) = times(Clock::Wall);
    assert!((pause..=at_most).contains(&measured), "{measured:?}");
    for clock in [Clock::Process, Clock::Thread] {
        let (measured, _) = times(clock);
        assert!(measured < pause, "{clock:?}: {measured:?}");
    }
}
