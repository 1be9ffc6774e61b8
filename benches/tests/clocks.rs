//! On its own: the processor time of a process is that of all tests that run in it.

use benches::{Clock, Contest, Effort, Timing};
use std::hint::black_box;

fn spin(steps: u64) -> u64 {
    (0..steps).fold(1, |sum, step| black_box(sum ^ step))
}

#[test]
fn a_side_that_does_eight_times_the_work_is_seen_to() {
    for clock in [Clock::Wall, Clock::Process, Clock::Thread] {
        let mut contest =
            Contest::new(1, || spin(80_000), || spin(10_000), |_, _| Ok(())).with_clock(clock);
        let timing = Timing::of(&mut contest, Effort::QUICK);
        let ratio = timing.peer.median / timing.ours.median;
        assert!((4.0..16.0).contains(&ratio), "{clock:?}: {ratio}");
    }
}
