//! Clocks.

use cpu_time::{ProcessTime, ThreadTime};
use std::time::{Duration, Instant};

/// A clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Elapsed time: for work on one thread.
    Wall,
    /// Processor time of all threads: for pipelines that work in the background as well.
    Process,
    /// Processor time of the calling thread.
    Thread,
}

impl Clock {
    /// Returns the time that `work` takes. Reads only this clock, since a run can be as short as a system call.
    pub fn time(self, work: impl FnOnce()) -> Duration {
        match self {
            Self::Wall => {
                let start = Instant::now();
                work();
                start.elapsed()
            }
            Self::Process => {
                let start = ProcessTime::now();
                work();
                start.elapsed()
            }
            Self::Thread => {
                let start = ThreadTime::now();
                work();
                start.elapsed()
            }
        }
    }
}
