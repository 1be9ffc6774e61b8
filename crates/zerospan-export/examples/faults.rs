//! Plays every fault of a collector against real sockets and prints what became of the spans.
//!
//! `cargo xtask faults`

#![allow(clippy::print_stdout, dead_code, unreachable_pub)]

#[path = "../../zerospan-transport/tests/it/collector.rs"]
mod collector;
#[path = "../tests/it/scenario.rs"]
mod scenario;
#[path = "../tests/it/support.rs"]
mod support;

use scenario::Observed;
use zerospan_export::Protocol;

fn main() {
    // A transport that panics is one of the faults, and what it says would stand in the table.
    let loud = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name() != Some("zerospan-export") {
            loud(panic);
        }
    }));
    println!(
        "{:<36} {:<5} {:>8} {:>9} {:>8} {:>8} {:>8} {:>7}  dropped, by cause",
        "fault", "over", "recorded", "delivered", "rejected", "dropped", "attempts", "ms",
    );
    for fault in scenario::OF_BOTH {
        for protocol in [Protocol::HttpProtobuf, Protocol::Grpc] {
            print(&fault(protocol));
        }
    }
    for fault in scenario::OF_NONE {
        print(&fault());
    }
}

fn print(observed: &Observed) {
    let stats = &observed.stats;
    assert!(stats.is_balanced());
    println!(
        "{:<36} {:<5} {:>8} {:>9} {:>8} {:>8} {:>8} {:>7}  {:?}",
        observed.fault,
        observed.protocol,
        stats.recorded,
        stats.delivered,
        stats.rejected,
        stats.dropped.total(),
        stats.attempts,
        observed.elapsed.as_millis(),
        stats.dropped,
    );
}
