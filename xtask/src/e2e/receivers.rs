//! The receivers: `receiver.py`, which uses the official Python classes, and rotel, which can forward to it.

use crate::cargo::root;
use crate::python::Python;
use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// The TLS that a receiver demands from clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tls {
    None,
    Server,
    Mutual,
}

impl Tls {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Server => "tls",
            Self::Mutual => "mtls",
        }
    }
}

/// Counts of what arrived of a signal at a receiver since the last question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Arrivals {
    pub(crate) requests: u64,
    /// The items that were taken: spans, or log records.
    pub(crate) items: u64,
    /// The items that were rejected as part of a request.
    pub(crate) rejected: u64,
    /// Compressed requests, counted for HTTP only.
    pub(crate) compressed: u64,
    /// The number of values of the attribute `number`, with which the sender numbers its items from 1.
    pub(crate) distinct: u64,
    pub(crate) highest: u64,
    pub(crate) repeated: u64,
    pub(crate) services: Vec<String>,
    pub(crate) user_agents: Vec<String>,
}

impl Arrivals {
    pub(crate) fn add(&mut self, more: Self) {
        self.requests += more.requests;
        self.items += more.items;
        self.rejected += more.rejected;
        self.compressed += more.compressed;
        self.distinct += more.distinct;
        self.repeated += more.repeated;
        self.highest = self.highest.max(more.highest);
        self.services.extend(more.services);
        self.user_agents.extend(more.user_agents);
    }
}

/// Something for each signal, by its name.
pub(crate) type BySignal<T> = BTreeMap<String, T>;

/// A running `receiver.py`.
pub(crate) struct Receiver {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    ports: HashMap<String, u16>,
    pub(crate) files: HashMap<String, PathBuf>,
}

#[derive(Deserialize)]
struct Started {
    ports: HashMap<String, u16>,
    files: HashMap<String, PathBuf>,
}

impl Receiver {
    pub(crate) fn start(python: &Python, tls: Tls) -> anyhow::Result<Self> {
        Self::start_with(python, tls, &[])
    }

    /// Starts a receiver that rejects the items with a number divisible by `every`.
    pub(crate) fn start_rejecting(python: &Python, every: u64) -> anyhow::Result<Self> {
        Self::start_with(python, Tls::None, &["--reject-every", &every.to_string()])
    }

    /// Starts a receiver that keeps the items for [`items`](Self::items).
    pub(crate) fn start_keeping(python: &Python) -> anyhow::Result<Self> {
        Self::start_with(python, Tls::None, &["--keep"])
    }

    fn start_with(python: &Python, tls: Tls, options: &[&str]) -> anyhow::Result<Self> {
        let mut child = python
            .script("receiver.py")
            .args(["--tls", tls.name(), "--certificates"])
            .arg(root().join("target/e2e/certificates").join(tls.name()))
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let questions = child.stdin.take().context("the receiver has no input")?;
        let answers = child.stdout.take().context("the receiver has no output")?;
        let mut answers = BufReader::new(answers);
        let started: Started = read(&mut answers).context("the receiver did not start")?;
        Ok(Self {
            child,
            questions,
            answers,
            ports: started.ports,
            files: started.files,
        })
    }

    /// Returns the port for a protocol of OTLP.
    pub(crate) fn port(&self, protocol: &str) -> u16 {
        self.ports[if protocol == "grpc" { "grpc" } else { "http" }]
    }

    /// Returns the counts of what arrived since the last call.
    pub(crate) fn arrivals(&mut self) -> anyhow::Result<BySignal<Arrivals>> {
        self.ask("")
    }

    /// Returns what arrived since the last call, decoded.
    pub(crate) fn items(&mut self) -> anyhow::Result<BySignal<Vec<Value>>> {
        self.ask("items")
    }

    fn ask<T: for<'a> Deserialize<'a>>(&mut self, question: &str) -> anyhow::Result<T> {
        writeln!(self.questions, "{question}")?;
        self.questions.flush()?;
        read(&mut self.answers).context("the receiver does not answer")
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        kill(&mut self.child);
    }
}

fn read<T: for<'a> Deserialize<'a>>(answers: &mut BufReader<ChildStdout>) -> anyhow::Result<T> {
    let mut line = String::new();
    answers.read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}

/// A running rotel, which decodes what it receives and logs the number of spans and log records.
pub(crate) struct Rotel {
    child: Child,
    log: PathBuf,
    pub(crate) grpc: u16,
    pub(crate) http: u16,
}

impl Rotel {
    /// Starts a rotel that encodes again what it receives, and sends it to another receiver.
    pub(crate) fn start_forwarding(python: &Python, to_grpc: u16) -> anyhow::Result<Self> {
        let url = format!("http://127.0.0.1:{to_grpc}");
        Self::start(python, &["otlp", "--otlp-exporter-endpoint", &url])
    }

    /// Starts a rotel that discards what it receives.
    pub(crate) fn start_discarding(python: &Python) -> anyhow::Result<Self> {
        Self::start(python, &["blackhole"])
    }

    fn start(python: &Python, exporter: &[&str]) -> anyhow::Result<Self> {
        let (grpc, http) = (free_port()?, free_port()?);
        let folder = root().join("target/e2e");
        let path = folder.join("rotel.log");
        let log = fs::File::create(&path)?;
        let child = Command::new(python.package_file("rotel", "rotel-agent")?)
            .env("NO_COLOR", "1")
            .arg("start")
            .args(["--otlp-grpc-endpoint", &format!("127.0.0.1:{grpc}")])
            .args(["--otlp-http-endpoint", &format!("127.0.0.1:{http}")])
            .arg("--exporter")
            .args(exporter)
            .args(["--debug-log", "traces", "--debug-log", "logs", "--pid-file"])
            .arg(folder.join("rotel.pid"))
            .stdin(Stdio::null())
            .stderr(log.try_clone()?)
            .stdout(log)
            .spawn()
            .context("cannot start rotel")?;
        let rotel = Self {
            child,
            log: path,
            grpc,
            http,
        };
        wait_for_port(grpc)?;
        wait_for_port(http)?;
        Ok(rotel)
    }

    /// Returns the numbers of spans and of log records in its log.
    pub(crate) fn received(&self) -> anyhow::Result<BySignal<u64>> {
        let log = fs::read_to_string(&self.log)?;
        Ok([("traces", "spans="), ("logs", "logs=")]
            .map(|(signal, label)| (signal.to_owned(), sum_of(label, &log)))
            .into())
    }
}

impl Drop for Rotel {
    fn drop(&mut self) {
        kill(&mut self.child);
    }
}

/// Returns the sum of the numbers after a label such as `spans=`.
fn sum_of(label: &str, log: &str) -> u64 {
    log.split_ascii_whitespace()
        .filter_map(|word| word.strip_prefix(label)?.parse::<u64>().ok())
        .sum()
}

fn kill(child: &mut Child) {
    // Fails if the process has ended by itself.
    _ = child.kill();
    _ = child.wait();
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

fn wait_for_port(port: u16) -> anyhow::Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let deadline = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_err() {
        if Instant::now() > deadline {
            bail!("nothing listens on port {port} after 20 s: see target/e2e/rotel.log");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::sum_of;

    #[test]
    fn the_items_of_a_log_are_those_of_its_requests() {
        let log = "INFO Starting Rotel.\n\
                   INFO Received traces. data_type=\"traces\" resource_spans=1 spans=2048\n\
                   INFO Received logs. data_type=\"logs\" resource_logs=1 logs=5\n\
                   INFO Received traces. data_type=\"traces\" resource_spans=1 spans=7\n";
        assert_eq!(sum_of("spans=", log), 2055);
        assert_eq!(sum_of("logs=", log), 5);
    }
}
