//! A receiver over HTTP in another process, so that its cost is not the peer's.

use crate::Workload;
use anyhow::{Context, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::routing::post;
use benches::sink::{decode, decode_logs};
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The process, as the peer sees it.
#[derive(Debug)]
pub(crate) struct Receiver {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    url: String,
}

/// The requests received since the last query.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Received {
    /// Spans or log records.
    pub(crate) items: u64,
    pub(crate) bytes: u64,
    /// Empty, unless the question was for them.
    pub(crate) bodies: Vec<Vec<u8>>,
}

const COUNT: &str = "count";
const BODIES: &str = "bodies";
const TRACES: &str = "/v1/traces";
const LOGS: &str = "/v1/logs";

impl Receiver {
    /// Runs `peers receive`, which is beside the current program.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let name = format!("peers{}", std::env::consts::EXE_SUFFIX);
        let mut process = Command::new(std::env::current_exe()?.with_file_name(name))
            .arg("receive")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the receiver")?;
        let questions = process.stdin.take().context("no pipe")?;
        let answers = process.stdout.take().context("no pipe")?;
        let mut receiver = Self {
            process,
            questions,
            answers: BufReader::new(answers),
            url: String::new(),
        };
        receiver.url = receiver.line()?.trim_end().to_owned();
        Ok(receiver)
    }

    /// The URL for the signal of a workload.
    pub(crate) fn url(&self, workload: Workload) -> String {
        let path = if workload.is_logs() { LOGS } else { TRACES };
        format!("{}{path}", self.url)
    }

    pub(crate) fn ask(&mut self, with_bodies: bool) -> anyhow::Result<Received> {
        writeln!(
            self.questions,
            "{}",
            if with_bodies { BODIES } else { COUNT }
        )?;
        let answer = self.line()?;
        serde_json::from_str(&answer).with_context(|| format!("the receiver answered `{answer}`"))
    }

    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        let length = self.answers.read_line(&mut line)?;
        ensure!(length > 0, "the receiver has ended");
        Ok(line)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The bodies of requests, and `true` for those with log records.
type Bodies = Arc<Mutex<Vec<(bool, Bytes)>>>;

/// Listens on a free port, prints its URL, and answers questions until the standard input ends. Decodes only when asked, so
/// that it is idle while a peer sends.
pub fn receive() -> anyhow::Result<()> {
    let bodies = Bodies::default();
    let shared = Arc::clone(&bodies);
    std::thread::spawn(move || {
        if let Err(error) = serve(shared) {
            answer(&format!("{error:#}")).ok();
            std::process::exit(1);
        }
    });
    for question in io::stdin().lines() {
        let (logs, traces): (Vec<_>, Vec<_>) =
            lock(&bodies).drain(..).partition(|(is_logs, _)| *is_logs);
        let bytes = |bodies: Vec<(bool, Bytes)>| -> Vec<Vec<u8>> {
            bodies.into_iter().map(|(_, body)| body.into()).collect()
        };
        let (logs, mut bodies) = (bytes(logs), bytes(traces));
        let records = decode_logs(&logs).map_err(anyhow::Error::msg)?.len();
        let spans = decode(&bodies).map_err(anyhow::Error::msg)?.len();
        bodies.extend(logs);
        let received = Received {
            items: (records + spans) as u64,
            bytes: bodies.iter().map(|body| body.len() as u64).sum(),
            bodies: if question? == BODIES {
                bodies
            } else {
                Vec::new()
            },
        };
        answer(&serde_json::to_string(&received)?)?;
    }
    Ok(())
}

fn serve(bodies: Bodies) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        answer(&format!("http://{}", listener.local_addr()?))?;
        let keep = |is_logs| {
            post(
                move |State(bodies): State<Bodies>, body: Bytes| async move {
                    lock(&bodies).push((is_logs, body));
                },
            )
        };
        let router = Router::new()
            .route(TRACES, keep(false))
            .route(LOGS, keep(true))
            .layer(DefaultBodyLimit::disable())
            .with_state(bodies);
        Ok(axum::serve(listener, router).await?)
    })
}

fn answer(line: &str) -> io::Result<()> {
    let mut answers = io::stdout().lock();
    writeln!(answers, "{line}")?;
    answers.flush()
}

fn lock(bodies: &Mutex<Vec<(bool, Bytes)>>) -> MutexGuard<'_, Vec<(bool, Bytes)>> {
    bodies.lock().unwrap_or_else(PoisonError::into_inner)
}
