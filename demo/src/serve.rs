//! Serves one side in this process, and reports what it used whenever the demo asks.

use crate::arguments::{Export, Side};
use crate::services::telemetry::{Counts, NoTelemetry, Telemetry};
use crate::services::{official, propagation, untraced, zerospan};
use cpu_time::ProcessTime;
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
    /// Made by the thread of the services.
    pub(crate) service_allocations: u64,
    /// The part of these made by W3C propagation.
    pub(crate) propagation_allocations: u64,
    pub(crate) counts: Counts,
}

/// Serves until the input ends, and answers each line of the input with a [`Sample`].
pub(crate) fn serve(side: Side, export: &Export) -> anyhow::Result<()> {
    // One thread for all services, so that its allocations are those of requests, and all others those of the export.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let (address, telemetry): (_, Box<dyn Telemetry>) = match side {
            Side::Untraced => (untraced::start().await?, Box::new(NoTelemetry)),
            Side::Zerospan => {
                let (address, providers) = zerospan::start(export).await?;
                (address, Box::new(providers))
            }
            Side::Official => {
                let (address, providers) = official::start(export).await?;
                (address, Box::new(providers))
            }
        };
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
