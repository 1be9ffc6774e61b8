//! Plays every fault of a collector against real sockets and prints the counts of the spans, and of the log records
//! where it takes both signals at once.
//!
//! `cargo xtask faults`

#![allow(clippy::print_stdout, dead_code, unreachable_pub)]

#[path = "../tests/it/collector.rs"]
mod collector;
#[path = "../tests/it/scenario.rs"]
mod scenario;
#[path = "../tests/it/support.rs"]
mod support;

use scenario::Observed;
use zerospan_export::Protocol;

fn main() {
    // One fault is a transport that panics: its message would end up in the table.
    let print_panic = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name() != Some("zerospan-export") {
            print_panic(panic);
        }
    }));
    println!(
        "{:<36} {:<5} {:<6} {:>8} {:>9} {:>8} {:>8} {:>8} {:>7}  dropped, by cause",
        "fault", "over", "signal", "recorded", "delivered", "rejected", "dropped", "attempts", "ms",
    );
    for fault in scenario::COLLECTOR_FAULTS {
        for protocol in [Protocol::HttpProtobuf, Protocol::Grpc] {
            print(&fault(protocol));
        }
    }
    for fault in scenario::PIPELINE_FAULTS {
        print(&fault());
    }
    for fault in scenario::both::FAULTS_FOR_BOTH {
        for protocol in [Protocol::HttpProtobuf, Protocol::Grpc] {
            fault(protocol).iter().for_each(print);
        }
    }
}

fn print(observed: &Observed) {
    let stats = &observed.stats;
    assert!(stats.is_balanced());
    println!(
        "{:<36} {:<5} {:<6} {:>8} {:>9} {:>8} {:>8} {:>8} {:>7}  {:?}",
        observed.fault,
        observed.protocol,
        observed.signal.name(),
        stats.recorded,
        stats.delivered,
        stats.rejected,
        stats.dropped.total(),
        stats.attempts,
        observed.elapsed.as_millis(),
        stats.dropped,
    );
}
