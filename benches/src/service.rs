//! Measures the rows of a real service: the services of the demo, in processes of their own.

use crate::comparison::Promise;
use crate::measure::Quartiles;
use crate::rows::SERVICE;
use crate::verdict::{Allocations, Verdict};
use anyhow::{Context, ensure};
use serde::Deserialize;
use std::process::{Command, Stdio};

/// The output of the demo's task `measure`. Times are processor time in nanoseconds.
#[derive(Debug, Deserialize)]
struct Cost {
    rounds: usize,
    request: Range,
    traced_request: Range,
    headers: Range,
    official: Range,
    zerospan: Range,
    errors: [f64; 3],
    allocations: [f64; 2],
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Range {
    low: f64,
    median: f64,
    high: f64,
}

/// Measures the rows whose identifier starts with `prefix`, and passes each verdict and each line of explanation on.
pub fn measure(
    prefix: &str,
    quick: bool,
    mut print: impl FnMut(&str),
) -> anyhow::Result<Vec<Verdict>> {
    let mut verdicts = Vec::new();
    for instrumentation in ["api", "tracing"] {
        let of_tracing =
            |row: &&Promise| (row.id == "service.tracing") == (instrumentation == "tracing");
        let rows: Vec<&Promise> = SERVICE
            .iter()
            .filter(|row| row.id.starts_with(prefix))
            .filter(of_tracing)
            .collect();
        if rows.is_empty() {
            continue;
        }
        let cost = run(instrumentation, quick)?;
        for row in rows {
            let verdict = cost.verdict(row);
            print(&verdict.line());
            verdicts.push(verdict);
        }
        print(&cost.explanation());
    }
    Ok(verdicts)
}

fn run(instrumentation: &str, quick: bool) -> anyhow::Result<Cost> {
    let name = format!("demo{}", std::env::consts::EXE_SUFFIX);
    let program = std::env::current_exe()?.with_file_name(name);
    let mut demo = Command::new(&program);
    demo.args(["measure", "--instrumentation", instrumentation]);
    if quick {
        demo.arg("--quick");
    }
    let output = demo.stderr(Stdio::inherit()).output().with_context(|| {
        format!(
            "cannot run {}: build it with `cargo build --release -p demo --bins`",
            program.display()
        )
    })?;
    ensure!(
        output.status.success(),
        "the demo ended with {}",
        output.status
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}

impl Cost {
    fn verdict(&self, row: &Promise) -> Verdict {
        let sides = match row.id {
            "service.request" => [self.request, self.traced_request],
            "service.spans" => [self.official, self.zerospan].map(|span| span.less(self.headers)),
            _ => [self.official, self.zerospan],
        };
        let [peer, ours] = self.allocations;
        let allocations = Allocations { peer, ours };
        Verdict::new(row, sides.map(Quartiles::from), allocations)
    }

    fn explanation(&self) -> String {
        let [headers, official, ours] = self.errors;
        format!(
            "    {} rounds; standard errors of a span's medians: official {official:.0} ns, ours {ours:.0} ns; of both, the headers of \
             propagation are {:.0} ns (± {headers:.0})",
            self.rounds, self.headers.median
        )
    }
}

impl Range {
    /// Returns the range without the median of `part`.
    fn less(self, part: Self) -> Self {
        Self {
            low: self.low - part.median,
            median: self.median - part.median,
            high: self.high - part.median,
        }
    }
}

impl From<Range> for Quartiles {
    fn from(range: Range) -> Self {
        Self {
            lower: range.low,
            median: range.median,
            upper: range.high,
        }
    }
}
