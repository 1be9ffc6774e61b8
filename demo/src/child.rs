//! One side in a process of its own: three services, and a line of figures whenever the demo asks for one.

use crate::arguments::{Export, Side};
use crate::telemetry::{Counts, Nothing, Telemetry};
use crate::{plain, propagation, stock, traced};
use cpu_time::ProcessTime;
use serde::{Deserialize, Serialize};
use std::io::{BufRead, Write, stdin, stdout};
use std::net::SocketAddr;
use tokio::sync::mpsc;
use zerospan_core::dev::Allocations;

/// The first line that a side prints.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ready {
    pub(crate) address: SocketAddr,
}

/// What a side has used since it started, once everything before is exported.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// Processor time of the whole process.
    pub(crate) cpu_nanos: u64,
    /// Of all threads.
    pub(crate) allocations: u64,
    pub(crate) bytes: u64,
    /// Of the thread that all services run on.
    pub(crate) service_allocations: u64,
    /// Of these, by W3C propagation.
    pub(crate) propagation_allocations: u64,
    pub(crate) counts: Counts,
}

/// Serves until the input ends. Each line of the input is answered with a [`Sample`].
pub(crate) fn serve(side: Side, export: &Export) -> anyhow::Result<()> {
    // One thread for all services: what it allocates is what requests cost, and the rest is what exporting costs.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let (address, telemetry): (_, Box<dyn Telemetry>) = match side {
            Side::Plain => (plain::start().await?, Box::new(Nothing)),
            Side::Zerospan => {
                let (address, providers) = traced::start(export).await?;
                (address, Box::new(providers))
            }
            Side::Stock => {
                let (address, providers) = stock::start(export).await?;
                (address, Box::new(providers))
            }
        };
        say(&Ready { address })?;
        let (ask, mut asked) = mpsc::unbounded_channel();
        let answering = std::thread::spawn(move || answer(&*telemetry, &ask));
        while let Some(reply) = asked.recv().await {
            let reply: std::sync::mpsc::Sender<Allocations> = reply;
            // Who asked is waiting.
            let _ = reply.send(Allocations::this_thread());
        }
        match answering.join() {
            Ok(outcome) => outcome,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

type Ask = mpsc::UnboundedSender<std::sync::mpsc::Sender<Allocations>>;

fn answer(telemetry: &dyn Telemetry, ask: &Ask) -> anyhow::Result<()> {
    for line in stdin().lock().lines() {
        line?;
        telemetry.flush();
        let (reply, service) = std::sync::mpsc::channel();
        ask.send(reply)?;
        let service = service.recv()?;
        let all = Allocations::all_threads();
        say(&Sample {
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

fn say(what: &impl Serialize) -> anyhow::Result<()> {
    let mut stdout = stdout().lock();
    serde_json::to_writer(&mut stdout, what)?;
    writeln!(stdout)?;
    stdout.flush()?;
    Ok(())
}
