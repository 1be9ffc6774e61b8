//! A binary for itself: the processor time of a process includes all tests in it.

use benches::clock::Clock;
use benches::comparison::Comparison;
use benches::measure::{Config, measure};
use std::hint::black_box;

fn spin(steps: u64) -> u64 {
    (0..steps).fold(1, |sum, step| black_box(sum ^ step))
}

#[test]
fn every_clock_sees_eight_times_the_work() {
    for clock in [Clock::Wall, Clock::Process, Clock::Thread] {
        let mut comparison =
            Comparison::new(1, || spin(80_000), || spin(10_000), |_, _| Ok(())).with_clock(clock);
        let [peer, ours] = measure(&mut comparison, Config::QUICK);
        // The lower quartiles, which other work on the machine disturbs least.
        let ratio = peer.lower / ours.lower;
        assert!((4.0..16.0).contains(&ratio), "{clock:?}: {ratio}");
    }
}
