//! Sends many spans and log records to a receiver that is not ours: spans of the official SDK through our processor, then both
//! signals at once through our providers.

use crate::cargo::{cargo, run};
use crate::e2e::receivers::{BySignal, Rotel};
use crate::python::Python;
use anyhow::ensure;
use clap::Args;
use std::time::{Duration, Instant};

/// Send many spans and log records to a real receiver, print memory over time, and account for every one.
#[derive(Debug, Args)]
pub(crate) struct Soak {
    /// The number of spans of the official SDK.
    #[arg(long, default_value_t = 20_000_000)]
    spans: u64,
    /// The number of spans, and of log records, that are sent at once.
    #[arg(long, default_value_t = 10_000_000)]
    both: u64,
}

impl Soak {
    /// # Errors
    ///
    /// If an item is not accounted for, by the pipeline or by the receiver.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let Some(python) = Python::or_skip("e2e") else {
            return Ok(());
        };
        if self.spans > 0 {
            let rotel = Rotel::start_discarding(&python)?;
            let path = "/v1/traces";
            send(
                ("zerospan-sdk", "soak"),
                &rotel,
                path,
                self.spans,
                [self.spans, 0],
            )?;
        }
        if self.both > 0 {
            let rotel = Rotel::start_discarding(&python)?;
            send(
                ("zerospan-logs", "soak_both_signals"),
                &rotel,
                "",
                self.both,
                [self.both; 2],
            )?;
        }
        Ok(())
    }
}

/// Runs an example of a package and checks the numbers of spans and log records that arrive.
fn send(
    source: (&str, &str),
    rotel: &Rotel,
    path: &str,
    items: u64,
    wanted: [u64; 2],
) -> anyhow::Result<()> {
    let (package, example) = source;
    run(cargo()
        .args(["run", "--quiet", "--release", "--package", package])
        .args(["--example", example, "--"])
        .arg(format!("http://127.0.0.1:{}{path}", rotel.http))
        .arg(items.to_string()))?;
    let [spans, records] = wanted;
    let wanted: BySignal<u64> = [("traces".to_owned(), spans), ("logs".to_owned(), records)].into();
    let received = wait_for(rotel, &wanted)?;
    println!(
        "rotel received {} spans and {} log records",
        received["traces"], received["logs"]
    );
    ensure!(received == wanted, "{spans} and {records} were sent");
    Ok(())
}

/// Waits until the receiver has logged what is wanted or has had enough time; returns the numbers it logged.
fn wait_for(rotel: &Rotel, wanted: &BySignal<u64>) -> anyhow::Result<BySignal<u64>> {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let received = rotel.received()?;
        let complete = wanted
            .iter()
            .all(|(signal, items)| received[signal] >= *items);
        if complete || Instant::now() >= deadline {
            return Ok(received);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
