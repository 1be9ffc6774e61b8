//! The content of a log record: severity, body, scope, name, location, attributes.

use super::support::{Log, LogRig, logged, of, only};
use crate::dynamic::Dynamic;
use crate::support::{Rig, int, text};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use std::error::Error;
use std::time::{Duration, SystemTime};
use tracing::{debug, error, info, trace, warn};

const HERE: &str = "it::logs::records";

fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.expect("after 1970").as_nanos() as u64
}

#[test]
fn each_level_has_the_severity_of_the_specification() {
    let logs = logged(|| {
        trace!("1");
        debug!("5");
        info!("9");
        warn!("13");
        error!("17");
    });
    let levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"];
    assert_eq!(logs.len(), levels.len());
    for (log, level) in logs.iter().zip(levels) {
        assert_eq!(log.record.severity_number.to_string(), log.body());
        assert_eq!(log.record.severity_text, level);
    }
}

#[test]
fn the_message_is_the_body_and_the_target_the_scope() {
    let logs = logged(|| {
        info!(answer = 42, "constant");
        info!("formatted {}", 7);
        info!(target: "shop::db", "elsewhere");
        info!(answer = 42);
        info!(message = 5);
        info!(message = "as a field");
    });
    let bodies: Vec<&str> = logs.iter().map(Log::body).collect();
    let expected = [
        "constant",
        "formatted 7",
        "",
        "5",
        "as a field",
        "elsewhere",
    ];
    // Grouped by scope.
    assert_eq!(bodies, expected);
    assert_eq!(of(&logs, "constant").scope, HERE);
    assert_eq!(of(&logs, "elsewhere").scope, "shop::db");
    assert_eq!(of(&logs, "constant").get("answer"), Some(int(42)));
    assert_eq!(of(&logs, "").get("message"), None);
}

#[test]
fn the_time_is_that_of_the_event_and_is_observed_at_once() {
    let before = nanos(SystemTime::now() - Duration::from_millis(50));
    let logs = logged(|| info!("now"));
    let after = nanos(SystemTime::now() + Duration::from_millis(50));
    let record = &only(&logs).record;
    let time = record.time_unix_nano;
    assert!((before..after).contains(&time), "{time}");
    assert_eq!(record.observed_time_unix_nano, time);
}

#[test]
fn an_event_has_a_name_only_where_that_is_not_its_line_in_the_source() {
    let logs = logged(|| {
        info!("unnamed");
        info!(name: "checkout.paid", "named");
        info!(name: "event of the day", "similar");
    });
    assert_eq!(of(&logs, "unnamed").record.event_name, "");
    assert_eq!(of(&logs, "named").record.event_name, "checkout.paid");
    assert_eq!(of(&logs, "similar").record.event_name, "event of the day");
}

#[test]
fn the_location_is_in_the_attributes_unless_it_is_switched_off() {
    let line = line!() + 1;
    let work = || info!("here");
    let logs = logged(work);
    let log = only(&logs);
    assert_eq!(log.get("code.file.path"), Some(text(file!())));
    assert_eq!(log.get("code.module.name"), Some(text(HERE)));
    assert_eq!(log.get("code.line.number"), Some(int(i64::from(line))));
    // Neither the level nor the target, which the record has anyway.
    assert_eq!(log.keys().len(), 3);
    let logs = LogRig::new().run_with(|layer| layer.with_location(false), work);
    assert_eq!(only(&logs).keys(), [""; 0]);
}

#[test]
fn values_are_of_the_same_types_as_on_spans() {
    let logs = logged(|| {
        info!(
            small = 7_u64,
            large = u64::MAX,
            i128 = -5_i128,
            huge = u128::MAX,
            flag = true,
            ratio = 0.5,
            nan = f64::NAN,
            bytes = &b"\xbe\xef"[..],
            debug = ?Some(1),
            display = %"shown",
            none = None::<i64>,
            some = Some("x"),
            "values"
        );
    });
    let log = only(&logs);
    let at = |key| log.get(key).unwrap_or_else(|| panic!("{key}: {log:#?}"));
    assert_eq!(at("small"), int(7));
    assert_eq!(at("large"), text(u64::MAX.to_string()));
    assert_eq!(at("i128"), int(-5));
    assert_eq!(at("huge"), text(u128::MAX.to_string()));
    assert_eq!(at("flag"), Value::BoolValue(true));
    assert_eq!(at("ratio"), Value::DoubleValue(0.5));
    assert!(matches!(at("nan"), Value::DoubleValue(nan) if nan.is_nan()));
    assert_eq!(at("bytes"), Value::BytesValue(b"\xbe\xef".to_vec()));
    assert_eq!(at("debug"), text("Some(1)"));
    assert_eq!(at("display"), text("shown"));
    assert_eq!(log.get("none"), None);
    assert_eq!(at("some"), text("x"));
}

fn failure() -> std::num::ParseIntError {
    "seven".parse::<i32>().expect_err("no digits")
}

#[test]
fn an_error_is_an_exception_and_a_second_one_keeps_the_name_of_its_field() {
    let (first, second) = (failure(), std::fmt::Error);
    let logs = logged(|| {
        let first = &first as &(dyn Error + 'static);
        let second = &second as &(dyn Error + 'static);
        error!(first, second, "failed");
        error!(error = %failure());
        error!(error = %failure(), "with a message");
    });
    let log = of(&logs, "failed");
    let message = text("invalid digit found in string");
    assert_eq!(log.get("exception.message"), Some(message.clone()));
    let kind = log.get("exception.type");
    assert_eq!(kind, Some(text("std::num::ParseIntError")));
    assert_eq!(log.get("first"), None);
    assert_eq!(log.get("second"), Some(text(std::fmt::Error.to_string())));
    // As `#[instrument(err)]` emits it.
    assert_eq!(
        of(&logs, "").get("exception.message"),
        Some(message.clone())
    );
    let log = of(&logs, "with a message");
    assert_eq!(log.get("error"), Some(message));
    assert_eq!(log.get("exception.message"), None);
}

/// An error with a source.
#[derive(Debug)]
struct Outer(std::num::ParseIntError);

impl std::fmt::Display for Outer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("outer")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn the_sources_of_a_second_error_are_in_a_list_beside_it() {
    let logs = logged(|| {
        let (first, second) = (&failure() as &(dyn Error + 'static), &Outer(failure()));
        let second = second as &(dyn Error + 'static);
        error!(first, second, "failed");
    });
    let log = only(&logs);
    assert_eq!(log.get("second"), Some(text("outer")));
    let Some(Value::ArrayValue(sources)) = log.get("second.chain") else {
        panic!("no list: {log:#?}");
    };
    let sources = sources.values.into_iter().map(|source| source.value);
    assert!(sources.eq([Some(text("invalid digit found in string"))]));
}

#[test]
fn what_is_beyond_the_limits_is_counted_in_the_record() {
    let rig = LogRig::with(Rig::new(), |builder| {
        builder
            .with_max_attributes_per_record(4)
            .with_max_attribute_value_length(Some(5))
    });
    let long = "0123456789";
    let logs = rig.run(|| info!(a = long, b = ?long, c = 3, "body as long as it is"));
    let log = only(&logs);
    assert_eq!(log.get("code.file.path"), Some(text("crate")));
    assert_eq!(log.get("a"), Some(text("01234")));
    assert_eq!(log.keys().len(), 4);
    assert_eq!(log.record.dropped_attributes_count, 2);
    assert_eq!(log.body(), "body as long as it is");
    assert_eq!(rig.logs.stats().limited, 1);
}

#[test]
fn a_key_that_is_there_twice_has_its_last_value() {
    let logs = logged(|| info!(code.line.number = 1, code.line.number = 2, "twice"));
    assert_eq!(only(&logs).get("code.line.number"), Some(int(2)));
}

#[test]
fn records_of_the_log_crate_have_their_own_target_and_location() {
    let emit = |target: &str, body: std::fmt::Arguments<'_>| {
        let record = log::Record::builder()
            .level(log::Level::Warn)
            .target(target)
            .module_path(Some("db::pool"))
            .file(Some("src/pool.rs"))
            .line(Some(7))
            .args(body)
            .build();
        tracing_log::format_trace(&record).expect("always");
    };
    let logs = logged(|| {
        emit("db::pool", format_args!("slow {}", 1));
        emit("own target", format_args!("slow {}", 2));
    });
    for (body, target) in [("slow 1", "db::pool"), ("slow 2", "own target")] {
        let log = of(&logs, body);
        assert_eq!(log.scope, target);
        assert_eq!(log.record.severity_number, 13);
        assert_eq!(log.record.event_name, "");
        assert_eq!(log.get("code.file.path"), Some(text("src/pool.rs")));
        assert_eq!(log.get("code.module.name"), Some(text("db::pool")));
        assert_eq!(log.get("code.line.number"), Some(int(7)));
        assert_eq!(log.keys().len(), 3, "{log:#?}");
    }
}

#[test]
fn a_field_that_a_later_bridge_of_the_log_crate_may_add_is_left_out() {
    let fields = ["message", "log.target", "log.later"];
    let callsite = Dynamic::event_of("log", "log event", &fields);
    let logs = logged(|| callsite.send(None, &[Some(&"body"), Some(&"db::pool"), Some(&7)]));
    let log = only(&logs);
    assert_eq!((log.body(), &*log.scope), ("body", "db::pool"));
    assert_eq!(log.keys(), [""; 0]);
}

#[test]
fn any_number_of_targets_of_the_log_crate_loses_none() {
    let work = || {
        for number in 0..3_000 {
            let target = format!("target {number}");
            let record = log::Record::builder()
                .target(&target)
                .args(format_args!("x"))
                .build();
            tracing_log::format_trace(&record).expect("always");
        }
    };
    let logs = logged(work);
    let target = |log: &Log| match log.get("target") {
        Some(Value::StringValue(target)) => target,
        _ => log.scope.clone(),
    };
    let mut targets: Vec<String> = logs.iter().map(target).collect();
    targets.sort_unstable();
    targets.dedup();
    assert_eq!(targets.len(), 3_000);
}
