use super::answer::{Answer, explained, read_answer};
use super::connect::{Address, Connection, connect};
use super::describe::describe;
use super::settings::Settings;
use crate::error::{SendError, SendErrorKind};
use crate::response::{ExportResponse, classify_grpc_code};
use bytes::Bytes;
use h2::Reason;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uri::{HeaderValue, Method, Request, Version};

/// One call: a message in its frame.
pub(super) struct Call {
    pub(super) method: &'static str,
    pub(super) frame: Bytes,
    pub(super) deadline: Instant,
}

/// Makes calls over one connection, which is replaced when it fails.
pub(super) struct Client {
    settings: Arc<Settings>,
    connection: Option<Connection>,
    /// The address at which a call got no answer.
    shunned: Option<Address>,
}

/// The shortest silence that means anything.
const MIN_PATIENCE: Duration = Duration::from_millis(250);

/// Why an exchange had no answer.
enum Failure {
    /// The server did not take the request.
    NotTaken(SendError),
    /// The connection gave no sign of life.
    Dead,
    Broken(SendError),
}

impl Client {
    pub(super) fn new(settings: Arc<Settings>) -> Self {
        Self {
            settings,
            connection: None,
            shunned: None,
        }
    }

    /// Makes a call, and ends by its deadline.
    pub(super) async fn call(&mut self, call: Call) -> Result<ExportResponse, SendError> {
        let deadline = tokio::time::Instant::from_std(call.deadline);
        // Without an answer the connection is dropped with the future that holds it: the next call connects anew.
        match tokio::time::timeout_at(deadline, self.attempt(&call)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(SendError::timed_out("no response by the deadline")),
        }
    }

    async fn attempt(&mut self, call: &Call) -> Result<ExportResponse, SendError> {
        if let Some(mut connection) = self.connection.take() {
            let address = self.shunned.insert(connection.address.clone()).clone();
            if connection.is_usable().await {
                match self.exchange(connection, call).await {
                    // A connection that closes takes no more requests: another will.
                    Err(Failure::NotTaken(_)) => {}
                    outcome => return self.conclude(outcome, &address),
                }
            }
            self.shunned = None;
        }
        let connection = connect(&self.settings, self.shunned.as_ref()).await?;
        let address = self.shunned.insert(connection.address.clone()).clone();
        let outcome = self.exchange(connection, call).await;
        self.conclude(outcome, &address)
    }

    fn conclude(
        &mut self,
        outcome: Result<Answer, Failure>,
        address: &Address,
    ) -> Result<ExportResponse, SendError> {
        match outcome {
            Ok(answer) => {
                self.shunned = None;
                answer.into_outcome()
            }
            Err(Failure::Dead) => Err(SendError::unreachable(format!(
                "{address}: the connection is dead: it answers neither a request nor a PING"
            ))),
            Err(Failure::NotTaken(error) | Failure::Broken(error)) => Err(SendError {
                message: format!("{address}: {}", error.message),
                ..error
            }),
        }
    }

    /// Sends one request over `connection`, and keeps the connection if it can be used again.
    async fn exchange(
        &mut self,
        mut connection: Connection,
        call: &Call,
    ) -> Result<Answer, Failure> {
        let left = call.deadline.saturating_duration_since(Instant::now());
        let request = self
            .request(call, left)
            .map_err(|error| Failure::Broken(SendError::refused(describe(&error))))?;
        let (response, mut body) = connection
            .requests
            .send_request(request, false)
            .map_err(|error| Failure::NotTaken(SendError::unreachable(describe(&error))))?;
        body.send_data(call.frame.clone(), true)
            .map_err(|error| failure(&error))?;
        let mut answer = pin!(read_answer(response));
        let (mut seen, mut pinged) = (connection.activity.reads(), false);
        // A server that works on the request answers a PING. Three at most are sent in a call: more would offend servers.
        let patience = (left / 4).max(MIN_PATIENCE);
        let answer = loop {
            match tokio::time::timeout(patience, &mut answer).await {
                Ok(answer) => break answer,
                Err(_) if connection.activity.reads() != seen => {
                    seen = connection.activity.reads();
                    pinged = false;
                }
                Err(_) if pinged => return Err(Failure::Dead),
                Err(_) => {
                    connection.ping().await;
                    pinged = true;
                }
            }
        };
        let outcome = answer.map_err(|error| failure(&error));
        if !matches!(outcome, Ok(Answer::TooLong)) {
            self.connection = Some(connection);
        }
        outcome
    }

    fn request(&self, call: &Call, left: Duration) -> Result<Request<()>, uri::Error> {
        let mut request = Request::new(());
        *request.method_mut() = Method::POST;
        *request.version_mut() = Version::HTTP_2;
        *request.uri_mut() = self.settings.target.uri(call.method)?;
        let mut headers = self.settings.headers.clone();
        // At most eight digits.
        let millis = left.as_millis().clamp(1, 99_999_999);
        headers.insert("grpc-timeout", HeaderValue::try_from(format!("{millis}m"))?);
        *request.headers_mut() = headers;
        Ok(request)
    }
}

/// Returns the failure that an error of the connection or of the stream stands for.
fn failure(error: &h2::Error) -> Failure {
    // The words of a GOAWAY are the server's own.
    let text = match error.reason() {
        Some(reason) if error.is_go_away() => {
            format!("the connection was closed: {}", reason.description())
        }
        _ => describe(error),
    };
    // A request beyond the last that a closing server takes, or one that it refuses, was not looked at.
    if error.is_remote() && (error.is_go_away() || error.reason() == Some(Reason::REFUSED_STREAM)) {
        return Failure::NotTaken(SendError {
            kind: SendErrorKind::Unavailable,
            ..SendError::unreachable(text)
        });
    }
    Failure::Broken(match error.reason() {
        // The codes of gRPC for the codes of HTTP/2. Others say that the connection failed, not the request.
        Some(Reason::CANCEL) if error.is_remote() => of_code(1, &text),
        Some(Reason::ENHANCE_YOUR_CALM) if error.is_remote() => of_code(14, &text),
        Some(Reason::INADEQUATE_SECURITY) if error.is_remote() => of_code(7, &text),
        _ => SendError::unreachable(text),
    })
}

fn of_code(code: i32, why: &str) -> SendError {
    explained(classify_grpc_code(code, None, ""), why)
}
