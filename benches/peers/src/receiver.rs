//! A receiver over HTTP in another process, so that its cost is not the peer's.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::routing::post;
use benches::sink::for_each_span;
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

/// What was received since the last question.
#[derive(Debug, Default, Deserialize, Serialize)]
struct Received {
    spans: u64,
    bytes: u64,
    bodies: Vec<Vec<u8>>,
    failure: Option<String>,
}

const COUNT: &str = "count";
const BODIES: &str = "bodies";

impl Receiver {
    /// Runs `peers receive`, which is beside the current program.
    pub(crate) fn start() -> Result<Self, String> {
        let program = std::env::current_exe()
            .map_err(|error| error.to_string())?
            .with_file_name(format!("peers{}", std::env::consts::EXE_SUFFIX));
        let mut process = Command::new(&program)
            .arg("receive")
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

    /// The URL for traces.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Returns the spans and bytes received since the last question.
    pub(crate) fn take_counts(&mut self) -> Result<(u64, u64), String> {
        let received = self.ask(COUNT)?;
        Ok((received.spans, received.bytes))
    }

    /// Returns the requests received since the last question.
    pub(crate) fn take_requests(&mut self) -> Result<Vec<Vec<u8>>, String> {
        Ok(self.ask(BODIES)?.bodies)
    }

    fn ask(&mut self, question: &str) -> Result<Received, String> {
        writeln!(self.questions, "{question}").map_err(|error| error.to_string())?;
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

/// Listens on a free port, prints its URL, and answers questions until the standard input ends. Decodes only when asked, so
/// that it is idle while a peer sends.
///
/// # Errors
///
/// Returns an error if it cannot listen or answer.
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
        let bodies: Vec<Vec<u8>> = lock(&bodies).drain(..).map(Into::into).collect();
        let mut received = Received {
            bytes: bodies.iter().map(|body| body.len() as u64).sum(),
            ..Received::default()
        };
        let counted = for_each_span(&bodies, |_, _| {
            received.spans += 1;
            Ok(())
        });
        received.failure = counted.err();
        if question? == BODIES {
            received.bodies = bodies;
        }
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

fn answer(line: &str) -> io::Result<()> {
    let mut answers = io::stdout().lock();
    writeln!(answers, "{line}")?;
    answers.flush()
}

fn lock(bodies: &Mutex<Vec<Bytes>>) -> MutexGuard<'_, Vec<Bytes>> {
    bodies.lock().unwrap_or_else(PoisonError::into_inner)
}
