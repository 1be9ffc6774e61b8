//! Serves one service of a side in this process, and reports what it used whenever the demo asks.

use crate::arguments::{Instrumentation, Serve, Side};
use crate::http;
use crate::services::propagation::control::{FixedHeaders, NoHeaders};
use crate::services::propagation::{self, instrumented as links};
use crate::services::telemetry::{self, Counts, NoTelemetry, Telemetry};
use crate::services::{instrumented, official, untraced, zerospan};
use axum::Router;
use cpu_time::ProcessTime;
use opentelemetry::trace::TracerProvider as _;
use serde::{Deserialize, Serialize};
use std::io::{BufRead, Write, stdin, stdout};
use std::net::SocketAddr;
use tokio::sync::mpsc;
use zerospan_core::dev::Allocations;

/// The first line of output.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ready {
    pub(crate) address: SocketAddr,
}

/// Resources used since the start of the process, with everything exported.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// Processor time of the whole process.
    pub(crate) cpu_nanos: u64,
    /// Made by all threads.
    pub(crate) allocations: u64,
    pub(crate) bytes: u64,
    /// Made by the thread of the service.
    pub(crate) service_allocations: u64,
    /// The part of these made by W3C propagation.
    pub(crate) propagation_allocations: u64,
    pub(crate) counts: Counts,
}

impl Sample {
    /// Adds what another service of the side used.
    pub(crate) fn add(&mut self, other: Self) {
        self.cpu_nanos += other.cpu_nanos;
        self.allocations += other.allocations;
        self.bytes += other.bytes;
        self.service_allocations += other.service_allocations;
        self.propagation_allocations += other.propagation_allocations;
        self.counts.add(other.counts);
    }
}

/// Serves until the input ends, and answers each line of the input with a [`Sample`].
pub(crate) fn serve(arguments: Serve) -> anyhow::Result<()> {
    // One thread for the service, so that its allocations are those of requests, and all others those of the export.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let (router, telemetry) = traced_router(arguments)?;
        let address = http::serve(router).await?;
        print_line(&Ready { address })?;
        let (ask, mut questions) = mpsc::unbounded_channel();
        let answers = std::thread::spawn(move || answer_lines(&*telemetry, &ask));
        while let Some(reply) = questions.recv().await {
            let reply: std::sync::mpsc::Sender<Allocations> = reply;
            // The sender waits for it.
            let _ = reply.send(Allocations::this_thread());
        }
        match answers.join() {
            Ok(outcome) => outcome,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

fn traced_router(arguments: Serve) -> anyhow::Result<(Router, Box<dyn Telemetry>)> {
    let (service, peers) = (arguments.service, arguments.peers());
    Ok(match (arguments.instrumentation, arguments.side) {
        (Instrumentation::Tracing, Side::Untraced) => {
            let router = instrumented::router(service, peers, links::NONE)?;
            (router, Box::new(NoTelemetry))
        }
        (Instrumentation::Tracing, Side::Headers) => {
            let router = instrumented::router(service, peers, links::HEADERS)?;
            (router, Box::new(NoTelemetry))
        }
        (Instrumentation::Tracing, Side::Zerospan) => {
            let telemetry = telemetry::zerospan::subscribe(arguments.logs)?;
            let router = instrumented::router(service, peers, links::ZEROSPAN)?;
            (router, Box::new(telemetry))
        }
        (Instrumentation::Tracing, Side::Official) => {
            let provider = telemetry::official::subscribe(arguments.logs)?;
            let router = instrumented::router(service, peers, links::OFFICIAL)?;
            (router, Box::new(provider))
        }
        (Instrumentation::Api, Side::Untraced) => {
            let router = untraced::router::<NoHeaders>(service, peers)?;
            (router, Box::new(NoTelemetry))
        }
        (Instrumentation::Api, Side::Headers) => {
            let router = untraced::router::<FixedHeaders>(service, peers)?;
            (router, Box::new(NoTelemetry))
        }
        (Instrumentation::Api, Side::Zerospan) => {
            let provider = telemetry::zerospan::provider()?;
            let router = zerospan::router(service, peers, provider.tracer("demo"))?;
            (router, Box::new(provider))
        }
        (Instrumentation::Api, Side::Official) => {
            let provider = telemetry::official::provider()?;
            let router = official::router(service, peers, provider.sdk.tracer("demo"))?;
            (router, Box::new(provider))
        }
    })
}

type Ask = mpsc::UnboundedSender<std::sync::mpsc::Sender<Allocations>>;

fn answer_lines(telemetry: &dyn Telemetry, ask: &Ask) -> anyhow::Result<()> {
    for line in stdin().lock().lines() {
        line?;
        telemetry.flush();
        let (reply, service) = std::sync::mpsc::channel();
        ask.send(reply)?;
        let service = service.recv()?;
        let all = Allocations::all_threads();
        print_line(&Sample {
            cpu_nanos: ProcessTime::try_now()?.as_duration().as_nanos() as u64,
            allocations: all.count,
            bytes: all.bytes,
            service_allocations: service.count,
            propagation_allocations: propagation::allocations(),
            counts: telemetry.counts(),
        })?;
    }
    Ok(())
}

fn print_line(message: &impl Serialize) -> anyhow::Result<()> {
    let mut stdout = stdout().lock();
    serde_json::to_writer(&mut stdout, message)?;
    writeln!(stdout)?;
    stdout.flush()?;
    Ok(())
}
