//! The example with two services.

use crate::support::collector;
use std::process::Command;

#[test]
fn the_axum_example_continues_the_trace_of_its_caller_in_both_services() {
    let (endpoint, received) = collector();
    let mut program = std::env::current_exe().expect("this program lies somewhere");
    program.pop();
    if program.ends_with("deps") {
        program.pop();
    }
    let name = format!("axum{}", std::env::consts::EXE_SUFFIX);
    let ran = Command::new(program.join("examples").join(name))
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .output()
        .expect("the example is built with the tests");
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{ran:?}");
    let trace = "0af7651916cd43dd8448eb211c80319c";
    assert_eq!(said.trim(), format!("7 lamps, trace {trace}"));
    let received = received.lock().expect("no panic").clone();
    let mut names: Vec<&str> = received.iter().map(|(name, _)| &**name).collect();
    names.sort_unstable();
    assert_eq!(names, ["GET /cart", "GET /stock/{item}", "in_stock"]);
    assert!(received.iter().all(|(_, of)| of == trace), "{received:?}");
}
