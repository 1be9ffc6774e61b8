//! Measures what tracing adds to the cost of a request, for the rows `service` of the benchmarks.

use crate::arguments::{Instrumentation, Measure, Side};
use crate::cores::Cores;
use crate::figures::Quartiles;
use crate::http::{Client, client};
use crate::load::{send_requests, span_count};
use crate::process::{Program, Services};
use crate::receiver::Receiver;
use crate::serve::Sample;
use anyhow::ensure;
use indicatif::ProgressBar;
use serde::Serialize;
use tokio::runtime::Runtime;

/// The sides in the order of their figures. All answer the same requests, in turns.
const SIDES: [Side; 4] = [
    Side::Untraced,
    Side::Headers,
    Side::Official,
    Side::Zerospan,
];

/// The standard error of the cost of a span, in nanoseconds, at which no further round is needed.
const PRECISE: f64 = 12.0;

/// Number of requests for which allocations are counted.
const COUNTED: u64 = 1_000;

/// The costs of one way to trace. Times are processor time in nanoseconds.
#[derive(Debug, Serialize)]
struct Cost {
    rounds: usize,
    /// A request without tracing.
    request: Quartiles,
    /// The same request with our tracing.
    traced_request: Quartiles,
    /// For each span: what the headers add to a request, then what the official tracing adds, and ours.
    headers: Quartiles,
    official: Quartiles,
    zerospan: Quartiles,
    /// The standard errors of the medians of the last three.
    errors: [f64; 3],
    /// Heap allocations for each span beyond those of the headers: the official tracing, and ours.
    allocations: [f64; 2],
    /// The part of them on the threads of the services.
    service_allocations: [f64; 2],
}

/// Prints the costs as JSON.
pub(crate) fn run(options: &Measure) -> anyhow::Result<()> {
    let (min, max, requests) = match options.quick {
        true => (8, 16, 250),
        false => (30, 120, 1_000),
    };
    let mut system = System::start(Program::Plain, options.instrumentation)?;
    let mut rounds: Vec<Round> = Vec::new();
    let mut cost = loop {
        rounds.push(system.round(requests)?);
        if rounds.len() < min {
            continue;
        }
        let cost = Cost::new(&rounds);
        if rounds.len() == max || cost.errors.iter().all(|error| *error < PRECISE) {
            break cost;
        }
    };
    let mut counting = System::start(Program::Counting, options.instrumentation)?;
    let counted = counting.round(COUNTED)?;
    let per_span = |side: usize, figure: fn(&Used) -> u64| {
        let [headers, side] = [1, side].map(|side| figure(&counted.used[side]) as f64);
        (side - headers) / counted.spans
    };
    cost.allocations = [2, 3].map(|side| per_span(side, |used| used.allocations));
    cost.service_allocations = [2, 3].map(|side| per_span(side, |used| used.service_allocations));
    println!("{}", serde_json::to_string(&cost)?);
    Ok(())
}

/// The services of all sides, and what sends to them and receives from them.
struct System {
    runtime: Runtime,
    client: Client,
    receiver: Receiver,
    sides: Vec<Services>,
    /// The resources that each side has used so far.
    samples: Vec<Sample>,
    /// Number of requests that each side has answered.
    answered: u64,
    rounds: usize,
}

/// The resources that the sides used in one round.
struct Round {
    requests: f64,
    spans: f64,
    used: Vec<Used>,
}

#[derive(Clone, Copy, Default)]
struct Used {
    cpu_nanos: u64,
    allocations: u64,
    service_allocations: u64,
}

impl System {
    /// Starts the services and warms them up.
    fn start(program: Program, instrumentation: Instrumentation) -> anyhow::Result<Self> {
        let cores = Cores::divide();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let receiver = runtime.block_on(Receiver::start())?;
        let mut sides = Vec::new();
        for side in SIDES {
            let export = receiver.export(side);
            sides.push(Services::start(
                &cores,
                program,
                side,
                instrumentation,
                &export,
            )?);
        }
        let mut system = Self {
            runtime,
            client: client(),
            receiver,
            samples: vec![Sample::default(); sides.len()],
            sides,
            answered: 0,
            rounds: 0,
        };
        for _ in 0..3 {
            system.round(500)?;
        }
        Ok(system)
    }

    /// Sends `requests` requests to each side, one side after the other; another is first in each round.
    fn round(&mut self, requests: u64) -> anyhow::Result<Round> {
        let numbers = self.answered..self.answered + requests;
        let spans = span_count(numbers.clone());
        let mut used = vec![Used::default(); self.sides.len()];
        for turn in 0..self.sides.len() {
            let index = (turn + self.rounds) % self.sides.len();
            let services = &mut self.sides[index];
            let hidden = ProgressBar::hidden();
            let sending = send_requests(&self.client, services.address, numbers.clone(), &hidden);
            self.runtime.block_on(sending)?;
            let sample = services.sample()?;
            let earlier = std::mem::replace(&mut self.samples[index], sample);
            let sample = &self.samples[index];
            used[index] = Used {
                cpu_nanos: sample.cpu_nanos - earlier.cpu_nanos,
                allocations: sample.allocations - earlier.allocations,
                service_allocations: sample.service_allocations - earlier.service_allocations,
            };
            let delivered = sample.counts.delivered - earlier.counts.delivered;
            let expected = match services.side {
                Side::Untraced | Side::Headers => 0,
                Side::Zerospan | Side::Official => spans,
            };
            ensure!(
                delivered == expected,
                "the side {} delivered {delivered} of {expected} spans",
                services.side.name()
            );
            // Decoded in part only: the demo compares the spans. What is received is not to grow.
            let received = self.receiver.forget(services.side);
            ensure!(expected == 0 || received > 0, "the receiver has no request");
        }
        self.answered = numbers.end;
        self.rounds += 1;
        Ok(Round {
            requests: requests as f64,
            spans: spans as f64,
            used,
        })
    }
}

impl Cost {
    fn new(rounds: &[Round]) -> Self {
        let samples = |figure: &dyn Fn(&Round) -> f64| rounds.iter().map(figure).collect();
        let cpu = |round: &Round, side: usize| round.used[side].cpu_nanos as f64;
        let request = |side| samples(&|round| cpu(round, side) / round.requests);
        let span = |side| -> Vec<f64> {
            samples(&|round| (cpu(round, side) - cpu(round, 0)) / round.spans)
        };
        Self {
            rounds: rounds.len(),
            request: Quartiles::from_values(request(0)),
            traced_request: Quartiles::from_values(request(3)),
            headers: Quartiles::from_values(span(1)),
            official: Quartiles::from_values(span(2)),
            zerospan: Quartiles::from_values(span(3)),
            errors: [1, 2, 3].map(|side| error_of_the_median(span(side))),
            allocations: [0.0; 2],
            service_allocations: [0.0; 2],
        }
    }
}

/// Returns the standard error of the median of normally distributed values, as their quartiles show it.
fn error_of_the_median(values: Vec<f64>) -> f64 {
    let count = values.len() as f64;
    let quartiles = Quartiles::from_values(values);
    let deviation = (quartiles.high - quartiles.low) / 1.349;
    1.253 * deviation / count.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_of_a_span_is_what_its_side_used_beyond_the_untraced_one() {
        let round = |cpu: [u64; 4]| Round {
            requests: 10.0,
            spans: 80.0,
            used: cpu
                .map(|cpu_nanos| Used {
                    cpu_nanos,
                    ..Used::default()
                })
                .to_vec(),
        };
        let rounds = [0, 8, 16].map(|more| round([1000, 1080, 9000 + more, 2600]));
        let cost = Cost::new(&rounds);
        assert_eq!(
            (cost.request.median, cost.traced_request.median),
            (100.0, 260.0)
        );
        assert_eq!(cost.headers.median, 1.0);
        assert_eq!((cost.official.median, cost.zerospan.median), (100.0, 20.0));
        assert_eq!(cost.errors[2], 0.0);
    }

    #[test]
    fn more_values_make_the_median_more_certain() {
        let error =
            |count: u32| error_of_the_median((0..count).map(|n| f64::from(n % 100)).collect());
        // The deviation of these values is 37 by their quartiles.
        assert!((error(400) - 2.3).abs() < 0.1, "{}", error(400));
        assert!((error(400) / error(100) - 0.5).abs() < 0.02);
    }
}
