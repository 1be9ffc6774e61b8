//! Many spans through our processor under the stock SDK to a receiver that is not ours.

use crate::cargo::{cargo, run};
use crate::e2e::python::Python;
use crate::e2e::receivers::Rotel;
use anyhow::ensure;
use clap::Args;
use std::time::{Duration, Instant};

/// Send many spans to a real receiver: memory over time, and every span accounted for.
#[derive(Debug, Args)]
pub(crate) struct Soak {
    /// How many.
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
        let rotel = Rotel::forgetting(&python)?;
        run(cargo()
            .args(["run", "--quiet", "--release", "--package", "zerospan-sdk"])
            .args(["--example", "soak", "--"])
            .arg(format!("http://127.0.0.1:{}/v1/traces", rotel.http))
            .arg(self.spans.to_string()))?;
        let received = received(&rotel, self.spans)?;
        println!("rotel received {received} spans");
        ensure!(received == self.spans, "{} were sent", self.spans);
        Ok(())
    }
}

/// What the receiver has logged, once it has caught up or had its time.
fn received(rotel: &Rotel, wanted: u64) -> anyhow::Result<u64> {
    let until = Instant::now() + Duration::from_secs(5);
    loop {
        let received = rotel.received()?;
        if received >= wanted || Instant::now() >= until {
            return Ok(received);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
