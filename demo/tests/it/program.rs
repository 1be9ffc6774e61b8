use crate::collector;
use crate::numbers;
use serde_json::Value;
use std::error::Error;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::Ordering;

type Outcome = Result<(), Box<dyn Error>>;

/// Runs the demo with a report in `folder`.
pub(crate) fn demo(folder: &Path, arguments: &[&str]) -> std::io::Result<Output> {
    Command::new(env!("CARGO_BIN_EXE_demo"))
        .args(["--out"])
        .arg(folder)
        .args(arguments)
        .env("COLUMNS", "40")
        .output()
}

fn json(folder: &Path) -> Result<Value, Box<dyn Error>> {
    Ok(serde_json::from_slice(&fs::read(
        folder.join("report.json"),
    )?)?)
}

#[test]
fn both_sides_deliver_every_span_and_the_page_shows_the_json() -> Outcome {
    both_sides_deliver(&[], "tracing")
}

#[test]
fn both_sides_deliver_every_span_that_is_traced_through_the_api() -> Outcome {
    both_sides_deliver(&["--api"], "api")
}

fn both_sides_deliver(more: &[&str], instrumentation: &str) -> Outcome {
    let folder = tempfile::tempdir()?;
    let output = demo(folder.path(), &[&["--requests", "96"], more].concat())?;
    let text = String::from_utf8(output.stdout)?;
    assert!(
        output.status.success(),
        "{text}{:?}",
        String::from_utf8(output.stderr)
    );

    // Piped: no colours, and no line wider than COLUMNS.
    assert!(!text.contains('\x1b'));
    for line in text.lines().filter(|line| !line.contains("report.html")) {
        assert!(line.chars().count() <= 40, "{line}");
    }
    assert!(text.contains("SELECT products"), "{text}");

    let json = json(folder.path())?;
    assert_eq!(json["instrumentation"], instrumentation);
    let (ours, official) = (&json["sides"][0], &json["sides"][1]);
    assert_eq!(
        (&ours["side"], &official["side"]),
        (&"zerospan".into(), &"official".into())
    );
    for side in [ours, official] {
        assert_eq!(side["delivered"], side["spans"]);
        assert_eq!(side["dropped"], 0);
    }
    assert_eq!(ours["spans"], official["spans"]);
    let recording = |side: &Value| side["allocations_per_span"]["recording"].as_f64();
    assert!(recording(ours) < recording(official), "{ours} {official}");

    let succeeded = json["traces"][0].as_array().ok_or("no trace")?;
    assert_eq!(succeeded.len(), 8);
    let failed = json["traces"][1].as_array().ok_or("no failed trace")?;
    assert_eq!(failed.len(), 7);
    assert!(failed.iter().any(|row| {
        row["name"] == "apply discount"
            && row["error"]
                .as_str()
                .is_some_and(|text| text.contains("no price"))
    }));

    let html = fs::read_to_string(folder.path().join("report.html"))?;
    numbers::assert_equal(&html, &json);
    Ok(())
}

#[test]
fn each_log_record_of_a_trace_is_shown_beside_its_span() -> Outcome {
    let folder = tempfile::tempdir()?;
    let output = demo(folder.path(), &["--requests", "32"])?;
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout)?;
    assert!(text.contains("INFO discount found"), "{text}");
    let json = json(folder.path())?;
    let mut logged = Vec::new();
    for trace in json["traces"].as_array().ok_or("no traces")? {
        for row in trace.as_array().ok_or("no rows")? {
            let end = row["start_us"].as_f64().zip(row["duration_us"].as_f64());
            let end = end.map(|(start, duration)| start + duration);
            for log in row["logs"].as_array().ok_or("no log records")? {
                let time = log["time_us"].as_f64();
                assert!(time >= row["start_us"].as_f64() && time <= end, "{row}");
                logged.push((
                    row["name"].clone(),
                    log["severity"].clone(),
                    log["text"].clone(),
                ));
            }
        }
    }
    // 5 of the request that succeeded, 7 of the one that failed.
    assert_eq!(logged.len(), 12, "{logged:?}");
    for expected in [
        ("apply discount", "INFO", "discount found"),
        ("render offer", "DEBUG", "offer rendered"),
        ("GET /offers/{id}", "ERROR", "response failed"),
    ] {
        let (name, severity, text) = expected;
        assert!(
            logged.contains(&(name.into(), severity.into(), text.into())),
            "{expected:?}: {logged:?}"
        );
    }
    let html = fs::read_to_string(folder.path().join("report.html"))?;
    assert_eq!(html.matches("class=\"log\"").count(), 12);
    Ok(())
}

#[test]
fn the_official_side_can_run_alone() -> Outcome {
    let folder = tempfile::tempdir()?;
    let output = demo(folder.path(), &["--requests", "32", "--official"])?;
    assert!(output.status.success(), "{output:?}");
    let json = json(folder.path())?;
    assert_eq!(json["sides"].as_array().map(Vec::len), Some(1));
    assert_eq!(json["sides"][0]["side"], "official");
    let html = fs::read_to_string(folder.path().join("report.html"))?;
    numbers::assert_equal(&html, &json);
    Ok(())
}

#[test]
fn with_a_collector_the_report_still_has_traces() -> Outcome {
    let folder = tempfile::tempdir()?;
    let (endpoint, received) = collector::start()?;
    let output = demo(
        folder.path(),
        &["--requests", "32", "--endpoint", &endpoint],
    )?;
    assert!(output.status.success(), "{output:?}");
    assert!(received.load(Ordering::Relaxed) > 0);
    let json = json(folder.path())?;
    let destination = format!("{endpoint}/v1/traces (http/protobuf)");
    assert_eq!(json["destination"], destination);
    for side in [&json["sides"][0], &json["sides"][1]] {
        assert_eq!(side["delivered"], side["spans"]);
    }
    assert_eq!(json["traces"].as_array().map(Vec::len), Some(2));
    Ok(())
}

#[test]
fn an_unreachable_endpoint_is_named_over_http_with_the_counts_and_the_remedy() -> Outcome {
    refused("http/protobuf", &[])
}

#[cfg(feature = "grpc")]
#[test]
fn an_unreachable_endpoint_is_named_over_grpc_with_the_counts_and_the_remedy() -> Outcome {
    refused("grpc", &[])
}

#[cfg(not(feature = "grpc"))]
#[test]
fn without_grpc_the_remedy_is_named() -> Outcome {
    let folder = tempfile::tempdir()?;
    let arguments = ["--endpoint", "http://127.0.0.1:1", "--protocol", "grpc"];
    let output = demo(folder.path(), &arguments)?;
    let error = String::from_utf8(output.stderr)?;
    assert!(!output.status.success());
    assert!(error.contains("--features grpc"), "{error}");
    Ok(())
}

#[test]
fn an_unreachable_endpoint_is_named_by_the_official_side_with_the_counts_and_the_remedy() -> Outcome
{
    refused("http/protobuf", &["--official"])
}

fn refused(protocol: &str, more: &[&str]) -> Outcome {
    let folder = tempfile::tempdir()?;
    // The port was just released: nobody listens on it.
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let endpoint = format!("http://127.0.0.1:{port}");
    let mut arguments = vec!["--requests", "32", "--endpoint", &endpoint];
    arguments.extend(["--protocol", protocol]);
    arguments.extend(more);
    let output = demo(folder.path(), &arguments)?;
    let error = String::from_utf8(output.stderr)?;
    assert!(!output.status.success());
    for part in [
        &*endpoint,
        protocol,
        "took 0 of the",
        "dropped",
        "--endpoint",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    Ok(())
}

#[test]
fn errors_name_the_remedy() -> Outcome {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("file");
    fs::write(&file, "")?;
    let file = file.to_string_lossy();
    for (arguments, remedy) in [
        (&["--requests", "0"][..], "1..=10000000"),
        (&["--endpoint", "collector:4318"], "http://HOST:PORT"),
        (&["--protocol", "grpc"], "--endpoint"),
        (
            &["--requests", "1", "--official", "--out", &file],
            "name another folder",
        ),
    ] {
        let output = demo(folder.path(), arguments)?;
        let error = String::from_utf8(output.stderr)?;
        assert!(!output.status.success(), "{arguments:?}");
        assert!(error.contains(remedy), "{arguments:?}: {error}");
    }
    Ok(())
}
