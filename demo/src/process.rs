//! The processes of a side, as the demo controls them: one for each service.

use crate::arguments::{Export, Instrumentation, Side};
use crate::cores::Cores;
use crate::serve::{Ready, Sample};
use crate::services::Service;
use anyhow::{Context, bail};
use serde::de::DeserializeOwned;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The capacity of the queues of the official side, enough for the spans of all concurrent requests, however slow the collector.
/// Ours is bounded by bytes.
const QUEUE: &str = "16384";

/// The running services of a side. Dropping them ends their processes.
#[derive(Debug)]
pub(crate) struct Services {
    pub(crate) side: Side,
    /// Of the storefront.
    pub(crate) address: SocketAddr,
    processes: Vec<Process>,
}

impl Services {
    pub(crate) fn start(
        cores: &Cores,
        program: Program,
        side: Side,
        instrumentation: Instrumentation,
        export: &Export,
    ) -> anyhow::Result<Self> {
        let start = |service, peers: &[String]| {
            cores.for_services(|| {
                Process::start(program, side, instrumentation, service, export, peers)
            })
        };
        let catalog = start(Service::Catalog, &[])?;
        let pricing = start(Service::Pricing, &[])?;
        let storefront = start(
            Service::Storefront,
            &[
                format!("--catalog={}", catalog.address),
                format!("--pricing={}", pricing.address),
            ],
        )?;
        Ok(Self {
            side,
            address: storefront.address,
            processes: vec![storefront, catalog, pricing],
        })
    }

    /// Lets the services export everything, and returns what all of them have used so far.
    pub(crate) fn sample(&mut self) -> anyhow::Result<Sample> {
        let mut sum = Sample::default();
        for process in &mut self.processes {
            sum.add(process.sample()?);
        }
        Ok(sum)
    }
}

/// The program of the services.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Program {
    /// It counts allocations.
    Counting,
    /// It does not, so that its processor time is that of other programs.
    Plain,
}

impl Program {
    fn command(self) -> anyhow::Result<Command> {
        let name = match self {
            Self::Counting => "demo",
            Self::Plain => "service",
        };
        let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
        Ok(Command::new(std::env::current_exe()?.with_file_name(name)))
    }
}

/// A running service. Dropping it ends the process.
#[derive(Debug)]
struct Process {
    /// The side and the service, for errors.
    name: String,
    address: SocketAddr,
    child: Child,
    /// `None` once the process is to end.
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Process {
    /// Starts `program` as one service of `side`.
    fn start(
        program: Program,
        side: Side,
        instrumentation: Instrumentation,
        service: Service,
        export: &Export,
        peers: &[String],
    ) -> anyhow::Result<Self> {
        let name = format!("{} of the side {}", service.name(), side.name());
        let mut command = program.command()?;
        command
            .args(["serve", "--side", side.name()])
            .args(["--instrumentation", instrumentation.name()])
            .args(["--service", service.name()])
            .args(peers)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if export.logs_endpoint.is_some() {
            command.arg("--logs");
        }
        for (name, _) in std::env::vars_os() {
            if changes_the_comparison(&name.to_string_lossy()) {
                command.env_remove(name);
            }
        }
        command
            .env("OTEL_SERVICE_NAME", service.name())
            .env("OTEL_EXPORTER_OTLP_PROTOCOL", export.protocol.name())
            .env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &export.endpoint)
            .env("OTEL_LOGS_EXPORTER", "none")
            .env("OTEL_EXPORTER_OTLP_TIMEOUT", "3000");
        if side == Side::Official {
            command.env("OTEL_BSP_MAX_QUEUE_SIZE", QUEUE);
        }
        if let Some(endpoint) = &export.logs_endpoint {
            command
                .env("OTEL_LOGS_EXPORTER", "otlp")
                .env("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", endpoint)
                .env("RUST_LOG", "info,demo=debug");
        }
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start the {name}"))?;
        let (Some(questions), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("the {name} has no pipes");
        };
        let mut process = Self {
            name,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            child,
            questions: Some(questions),
            answers: BufReader::new(answers),
        };
        process.address = process.read::<Ready>()?.address;
        Ok(process)
    }

    fn sample(&mut self) -> anyhow::Result<Sample> {
        if let Some(questions) = &mut self.questions {
            // If the process has ended, its answer is missing.
            let _ = writeln!(questions, "sample");
        }
        self.read()
    }

    fn read<T: DeserializeOwned>(&mut self) -> anyhow::Result<T> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        if line.is_empty() {
            bail!(
                "the {} ended with {}: see its output above",
                self.name,
                self.child.wait()?
            );
        }
        serde_json::from_str(&line).with_context(|| format!("the {} printed {line:?}", self.name))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The process ends with its input. If it hangs, it is killed.
        self.questions = None;
        for _ in 0..50 {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns `true` if a variable changes how one side traces, or sends through a proxy. Headers stay, for collectors that need them.
fn changes_the_comparison(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    (name.starts_with("OTEL_") && !name.ends_with("_HEADERS"))
        || ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "RUST_LOG"].contains(&&*name)
}
