//! Runs programs that log, with zerospan and with the official bridges, and compares what the receiver decodes of both.

use super::receivers::{BySignal, Receiver};
use crate::cargo::{cargo, root, run};
use crate::python::Python;
use anyhow::{Context, ensure};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::{Duration, Instant};

/// A difference that is intended.
struct Difference {
    program: &'static str,
    /// The field of the record, or the beginning of several.
    field: &'static str,
    reason: &'static str,
}

impl Difference {
    const fn new(program: &'static str, field: &'static str, reason: &'static str) -> Self {
        Self {
            program,
            field,
            reason,
        }
    }
}

/// The programs, and the number of records of each.
const PROGRAMS: [(&str, usize); 4] = [
    ("log", 5),
    ("log-through-tracing", 5),
    ("tracing", 6),
    ("api", 3),
];

const SIDES: [&str; 2] = ["zerospan", "official"];

const DIFFERENCES: [Difference; 9] = [
    Difference::new(
        "log-through-tracing",
        "attribute code.",
        "the location has the names of the semantic conventions",
    ),
    Difference::new(
        "log-through-tracing",
        "attribute log.",
        "target and location are where those of other events are",
    ),
    Difference::new(
        "log-through-tracing",
        "eventName",
        "`log event` names no event",
    ),
    Difference::new(
        "log-through-tracing",
        "scope",
        "the scope is the record's target",
    ),
    Difference::new(
        "log-through-tracing",
        "timeUnixNano",
        "the time of the event is known",
    ),
    Difference::new("tracing", "attribute code.", "the location has attributes"),
    Difference::new(
        "tracing",
        "attribute exception.stacktrace",
        "an error's sources are exported",
    ),
    Difference::new("tracing", "eventName", "a source line names no event"),
    Difference::new("tracing", "timeUnixNano", "the time of the event is known"),
];

/// The fields of a log record as text.
type Record = BTreeMap<String, String>;

/// Prints the records of both sides next to each other.
///
/// # Errors
///
/// If they differ in a field in which they should not, or no longer differ in one in which they should.
pub(super) fn compare(python: &Python) -> anyhow::Result<()> {
    run(cargo()
        .args(["build", "--quiet", "--package", "demo"])
        .args(["--example", "log_program"]))?;
    let mut receiver = Receiver::start_keeping(python)?;
    let mut seen = BTreeSet::new();
    let mut faults = Vec::new();
    for (program, count) in PROGRAMS {
        let [ours, official] = SIDES.map(|side| records(&mut receiver, program, side, count));
        let (ours, official) = (ours?, official?);
        for (number, (ours, official)) in ours.iter().zip(&official).enumerate() {
            println!(
                "\n{:<2}{:<32} {:<44} official",
                "",
                format!("{program}, record {}", number + 1),
                "zerospan"
            );
            let fields: BTreeSet<&String> = ours.keys().chain(official.keys()).collect();
            for field in fields {
                let [ours, official] =
                    [ours, official].map(|side| side.get(field).map_or("–", String::as_str));
                let mark = if ours == official { "" } else { "≠" };
                println!("{mark:<2}{field:<32} {ours:<44} {official}");
                if ours == official {
                    continue;
                }
                let intended = DIFFERENCES
                    .iter()
                    .position(|one| one.program == program && field.starts_with(one.field));
                match intended {
                    Some(index) => _ = seen.insert(index),
                    None => faults.push(format!(
                        "{program}, record {}: {field} is {ours} against {official}",
                        number + 1
                    )),
                }
            }
        }
    }
    println!("\nIntended differences:");
    for (index, one) in DIFFERENCES.iter().enumerate() {
        println!("  {:<20} {:<31} {}", one.program, one.field, one.reason);
        if !seen.contains(&index) {
            faults.push(format!("{}: {} does not differ", one.program, one.field));
        }
    }
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

/// Runs a program of a side, and returns its `count` records in the order in which they were observed.
fn records(
    receiver: &mut Receiver,
    program: &str,
    side: &str,
    count: usize,
) -> anyhow::Result<Vec<Record>> {
    let mut path =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into);
    path.push("debug/examples/log_program");
    let endpoint = format!("http://127.0.0.1:{}", receiver.port("http"));
    run(Command::new(path)
        .args([program, side])
        .env("OTEL_SERVICE_NAME", "log-program")
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint))?;
    let mut arrived = BySignal::<Vec<Value>>::new();
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        for (signal, items) in receiver.items()? {
            arrived.entry(signal).or_default().extend(items);
        }
        let records = arrived.get("logs").into_iter().flatten();
        if records.filter(|record| is_own(record)).count() >= count || Instant::now() >= deadline {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let (mut records, others): (Vec<Value>, Vec<Value>) = arrived
        .remove("logs")
        .unwrap_or_default()
        .into_iter()
        .partition(is_own);
    if !others.is_empty() {
        let number = others.len();
        println!("{program}: {number} more of {side}, which the client of its exporter logged");
        ensure!(side == "official", "zerospan exports what its export logs");
    }
    ensure!(
        records.len() == count,
        "{count} records were sent by {program} of {side}, {} arrived",
        records.len()
    );
    records.sort_by_key(|record| nanos(record, "observedTimeUnixNano"));
    let spans = arrived.remove("traces").unwrap_or_default();
    records.iter().map(|record| flat(record, &spans)).collect()
}

/// Returns `true` for what the programs log, which has targets of their own. The official bridge from `tracing` gives all records
/// of `log` the target `log`; the filter of that program lets no others through.
fn is_own(record: &Value) -> bool {
    record["scope"]
        .as_str()
        .is_some_and(|scope| scope.starts_with("shop") || scope == "log")
}

fn nanos(record: &Value, field: &str) -> u64 {
    // OTLP's JSON has 64-bit integers as text.
    let text = record[field].as_str().unwrap_or_default();
    text.parse().unwrap_or_default()
}

/// Returns the fields of a record as text, without what differs from run to run.
fn flat(record: &Value, spans: &[Value]) -> anyhow::Result<Record> {
    /// The times that the programs set themselves begin with this.
    const FIXED: &str = "1780000000";
    let mut fields = Record::new();
    for (name, value) in record.as_object().context("a record is no object")? {
        match (name.as_str(), value) {
            ("timeUnixNano" | "observedTimeUnixNano", Value::String(time)) => {
                let is_fixed = time.starts_with(FIXED);
                let shown = if is_fixed { time } else { "the current time" };
                fields.insert(name.clone(), shown.to_owned());
            }
            ("attributes", Value::Object(attributes)) => {
                for (key, value) in attributes {
                    fields.insert(format!("attribute {key}"), shown(value));
                }
            }
            ("trace_id", _) => {}
            ("span_id", id) => {
                let found = spans
                    .iter()
                    .find(|span| span["span_id"] == *id && span["trace_id"] == record["trace_id"]);
                let span = match found {
                    Some(span) => format!("that of {}", span["name"]),
                    None => format!("{} in {}", shown(id), shown(&record["trace_id"])),
                };
                fields.insert("span".to_owned(), span);
            }
            _ => _ = fields.insert(name.clone(), shown(value)),
        }
    }
    Ok(fields)
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
