//! A receiver over HTTP in a process of its own, so that what it costs is not the peer's.

use super::decode;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::routing::post;
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The process, from the peer's side.
#[derive(Debug)]
pub(super) struct Receiver {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    url: String,
}

/// What it says about the requests since the last time.
#[derive(Debug, Default, Deserialize, Serialize)]
struct Received {
    spans: u64,
    bytes: u64,
    bodies: Vec<Vec<u8>>,
    failure: Option<String>,
}

/// What it is asked.
const COUNT: &str = "count";
const BODIES: &str = "bodies";

impl Receiver {
    /// Starts the program `peer_receiver`, which stands beside this one.
    ///
    /// # Errors
    ///
    /// If it cannot be started, or does not say where it listens.
    pub(super) fn start() -> Result<Self, String> {
        let program = std::env::current_exe()
            .map_err(|error| format!("cannot find this program: {error}"))?
            .with_file_name(format!("peer_receiver{}", std::env::consts::EXE_SUFFIX));
        let mut process = Command::new(&program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        let (Some(questions), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            return Err("the receiver has no pipes".to_owned());
        };
        let mut receiver = Self {
            process,
            questions,
            answers: BufReader::new(answers),
            url: String::new(),
        };
        receiver.url = receiver.line()?.trim_end().to_owned();
        Ok(receiver)
    }

    /// Where traces are posted to.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn clear(&mut self) -> Result<(u64, u64), String> {
        let received = self.ask(COUNT)?;
        Ok((received.spans, received.bytes))
    }

    pub(super) fn bodies(&mut self) -> Result<Vec<Vec<u8>>, String> {
        Ok(self.ask(BODIES)?.bodies)
    }

    fn ask(&mut self, question: &str) -> Result<Received, String> {
        writeln!(self.questions, "{question}")
            .map_err(|error| format!("the receiver does not listen: {error}"))?;
        let answer = self.line()?;
        let received: Received = serde_json::from_str(&answer)
            .map_err(|error| format!("the receiver answered `{answer}`: {error}"))?;
        match received.failure {
            Some(failure) => Err(failure),
            None => Ok(received),
        }
    }

    fn line(&mut self) -> Result<String, String> {
        let mut line = String::new();
        match self.answers.read_line(&mut line) {
            Ok(0) => Err("the receiver has ended".to_owned()),
            Ok(_) => Ok(line),
            Err(error) => Err(format!("the receiver does not answer: {error}")),
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

type Bodies = Arc<Mutex<Vec<Bytes>>>;

/// What the program `peer_receiver` does: listens on a free port, prints where, and answers on its standard input and
/// output until that ends. It decodes when it is asked, so that it is idle while a peer sends.
///
/// # Errors
///
/// If it cannot listen or answer.
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
        let bodies = std::mem::take(&mut *lock(&bodies));
        let received = count(&bodies, question? == BODIES).unwrap_or_else(|failure| Received {
            failure: Some(failure),
            ..Received::default()
        });
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
        answer(&format!("http://{}/v1/traces", listener.local_addr()?))?;
        let router = Router::new()
            .route("/v1/traces", post(keep))
            .layer(DefaultBodyLimit::disable())
            .with_state(bodies);
        Ok(axum::serve(listener, router).await?)
    })
}

async fn keep(State(bodies): State<Bodies>, body: Bytes) {
    lock(&bodies).push(body);
}

fn count(bodies: &[Bytes], whole: bool) -> Result<Received, String> {
    let mut received = Received::default();
    for body in bodies {
        received.spans += decode::spans(body)?;
        received.bytes += body.len() as u64;
        if whole {
            received.bodies.push(body.to_vec());
        }
    }
    Ok(received)
}

#[allow(clippy::print_stdout)]
fn answer(line: &str) -> io::Result<()> {
    let mut answers = io::stdout().lock();
    writeln!(answers, "{line}")?;
    answers.flush()
}

fn lock(bodies: &Mutex<Vec<Bytes>>) -> MutexGuard<'_, Vec<Bytes>> {
    bodies.lock().unwrap_or_else(PoisonError::into_inner)
}
