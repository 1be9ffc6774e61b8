//! Each fault is a test, over each protocol.

use crate::scenario::both::{self, ForBoth};
use crate::scenario::{self, Observed};
use crate::support::LONG;
use zerospan_export::Protocol::{Grpc, HttpProtobuf};

/// Nothing waits for the timeout of a flush, nor for that of a request where a scenario sets the same.
fn is_brief(observed: &Observed) {
    let Observed {
        fault,
        protocol,
        signal,
        stats,
        elapsed,
    } = observed;
    assert!(
        *elapsed < LONG,
        "{fault} over {protocol}, {signal}: {elapsed:?}, {stats:?}"
    );
    assert!(stats.is_balanced());
}

macro_rules! of_both {
    ($($fault:ident),+ $(,)?) => {
        mod http {
            $(#[test] fn $fault() { super::is_brief(&super::scenario::$fault(super::HttpProtobuf)); })+
        }
        mod grpc {
            $(#[test] fn $fault() { super::is_brief(&super::scenario::$fault(super::Grpc)); })+
        }
        #[test]
        fn the_table_has_every_fault_of_a_collector() {
            let here = [$(stringify!($fault)),+].len();
            // And the two that only Unix has.
            assert_eq!(scenario::COLLECTOR_FAULTS.len(), here + 2 * usize::from(cfg!(unix)));
            assert_eq!(scenario::PIPELINE_FAULTS.len(), 2);
        }
    };
}

of_both!(
    collector_down_at_start,
    collector_killed_and_restarted,
    collector_hangs,
    collector_answers_too_late,
    collector_resets_connections,
    throttled_with_a_delay,
    throttled_without_a_delay,
    always_unavailable,
    refused,
    partial_success,
    garbage,
    oversized_answer,
    wrong_certificate,
    name_that_does_not_resolve,
    full_queue_from_four_producers,
    shutdown_during_an_outage,
    drop_without_shutdown,
    drop_without_shutdown_in_an_outage,
);

#[cfg(unix)]
#[test]
fn after_fork_the_child_starts_clean() {
    for protocol in [HttpProtobuf, Grpc] {
        is_brief(&scenario::after_fork_the_child_starts_clean(protocol));
    }
}

#[cfg(unix)]
#[test]
fn a_child_drops_what_it_inherited_and_the_parent_goes_on() {
    for protocol in [HttpProtobuf, Grpc] {
        is_brief(&scenario::a_child_drops_what_it_inherited_and_the_parent_goes_on(protocol));
    }
}

#[test]
fn transport_that_panics() {
    is_brief(&scenario::transport_that_panics());
}

#[test]
fn thread_exit_with_spans_in_its_chunk() {
    is_brief(&scenario::thread_exit_with_spans_in_its_chunk());
}

macro_rules! of_both_signals {
    ($($fault:ident),+ $(,)?) => {
        mod both_signals_over_http {
            $(#[test] fn $fault() { super::are_brief(&super::both::$fault(super::HttpProtobuf)); })+
        }
        mod both_signals_over_grpc {
            $(#[test] fn $fault() { super::are_brief(&super::both::$fault(super::Grpc)); })+
        }
        #[test]
        fn the_table_has_every_fault_of_a_collector_for_both_signals() {
            assert_eq!(both::FAULTS_FOR_BOTH.len(), [$(stringify!($fault)),+].len());
        }
    };
}

fn are_brief(observed: &ForBoth) {
    for observed in observed {
        is_brief(observed);
    }
}

of_both_signals!(
    collector_for_both_down_at_start,
    collector_for_both_restarted,
    both_hang,
    both_throttled,
    both_unavailable,
    both_refused,
    both_rejected_in_part,
    logs_refused_and_traces_taken,
    logs_hang_and_traces_go_on,
    traces_unavailable_and_logs_taken,
    both_lose_items_of_four_threads_each,
    both_shut_down_during_an_outage,
);
