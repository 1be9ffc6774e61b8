//! Reads a wall clock, which may be the user's.

use super::reading::Reading;
use std::time::SystemTime;
use zerospan_core::log::LogLimit;
use zerospan_core::panics;
use zerospan_otlp::unix_nanos;

#[inline(never)]
pub(super) fn read_wall(wall: &dyn Fn() -> SystemTime) -> Reading {
    let unix = unix_nanos(time_of(wall));
    Reading {
        unix,
        steady: unix,
        ticks: 0,
    }
}

/// Calls a wall clock, which may be the user's. Returns the system's time if it panics: a span may be ending.
#[inline]
pub(super) fn time_of(wall: &dyn Fn() -> SystemTime) -> SystemTime {
    panics::catch(wall).unwrap_or_else(|message| {
        static WARNING: LogLimit = LogLimit::new();
        WARNING.log(move |skipped| {
            tracing::error!(
                name: "ClockPanicked",
                skipped,
                message,
                "a clock panicked: the system's takes its place; logged once a minute, with the number of panics skipped"
            );
        });
        SystemTime::now()
    })
}
