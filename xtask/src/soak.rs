//! Sends many spans through our processor under the official SDK to a receiver that is not ours.

use crate::cargo::{cargo, run};
use crate::e2e::python::Python;
use crate::e2e::receivers::Rotel;
use anyhow::ensure;
use clap::Args;
use std::time::{Duration, Instant};

/// Send many spans to a real receiver, print memory over time, and account for every span.
#[derive(Debug, Args)]
pub(crate) struct Soak {
    /// The number of spans.
    #[arg(long, default_value_t = 20_000_000)]
    spans: u64,
}

impl Soak {
    /// # Errors
    ///
    /// If a span is not accounted for, by the pipeline or by the receiver.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let Some(python) = Python::or_skip() else {
            return Ok(());
        };
        let rotel = Rotel::start_discarding(&python)?;
        run(cargo()
            .args(["run", "--quiet", "--release", "--package", "zerospan-sdk"])
            .args(["--example", "soak", "--"])
            .arg(format!("http://127.0.0.1:{}/v1/traces", rotel.http))
            .arg(self.spans.to_string()))?;
        let received = wait_for_spans(&rotel, self.spans)?;
        println!("rotel received {received} spans");
        ensure!(received == self.spans, "{} were sent", self.spans);
        Ok(())
    }
}

/// Waits until the receiver has logged `wanted` spans or has had enough time; returns the number it logged.
fn wait_for_spans(rotel: &Rotel, wanted: u64) -> anyhow::Result<u64> {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let received = rotel.received()?["traces"];
        if received >= wanted || Instant::now() >= deadline {
            return Ok(received);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
