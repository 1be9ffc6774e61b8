use super::answer::{self, MAX_ANSWER};
use super::tls::Tls;
use crate::config::Compression;
use crate::{Accepted, DropCause, Request, Retry, SendError, Transport};
use bytes::{Buf, BufMut};
use std::error::Error;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tonic::client::Grpc as Client;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use uri::uri::PathAndQuery;
use uri::{HeaderMap, Uri};

/// OTLP/gRPC, through `tonic` on a runtime that runs on the worker's thread, and only while something is being sent.
pub(crate) struct Grpc {
    /// There until it is dropped.
    runtime: Option<Runtime>,
    client: Client<Channel>,
    metadata: MetadataMap,
    used_at: Instant,
}

const EXPORT: PathAndQuery =
    PathAndQuery::from_static("/opentelemetry.proto.collector.trace.v1.TraceService/Export");

/// After so long a pause the connection gets a moment to notice that it was closed.
const IDLE: Duration = Duration::from_secs(1);

impl Grpc {
    pub(crate) fn new(
        uri: &Uri,
        headers: &HeaderMap,
        compression: Compression,
        tls: &Tls,
    ) -> Result<Self, SendError> {
        let refused = |error: &dyn Error| SendError::refused(chain(error));
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| SendError::unreachable(error.to_string()))?;
        let endpoint = Endpoint::from(uri.clone())
            .user_agent(crate::USER_AGENT)
            .and_then(|endpoint| tls.for_tonic(endpoint))
            .map_err(|error| refused(&error))?;
        let channel = {
            let _entered = runtime.enter();
            endpoint.connect_lazy()
        };
        let client = Client::new(channel).max_decoding_message_size(MAX_ANSWER);
        #[cfg(feature = "gzip")]
        let client = match compression {
            Compression::Gzip => client.send_compressed(tonic::codec::CompressionEncoding::Gzip),
            Compression::None => client,
        };
        #[cfg(not(feature = "gzip"))]
        let Compression::None = compression;
        Ok(Self {
            runtime: Some(runtime),
            client,
            metadata: MetadataMap::from_headers(headers.clone()),
            used_at: Instant::now(),
        })
    }
}

impl Transport for Grpc {
    fn send(&mut self, request: &Request<'_>) -> Result<Accepted, SendError> {
        let left = request.time_left();
        if left < Duration::from_millis(1) {
            return Err(SendError::timed_out("there was no time left to send"));
        }
        let idle = self.used_at.elapsed() > IDLE;
        let mut call = tonic::Request::new(request.body.to_vec());
        *call.metadata_mut() = self.metadata.clone();
        call.set_timeout(left);
        let client = &mut self.client;
        let Some(runtime) = &self.runtime else {
            return Err(SendError::unreachable("the transport is gone"));
        };
        let outcome = runtime.block_on(async {
            tokio::time::timeout(left, async {
                if idle {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                client
                    .ready()
                    .await
                    .map_err(|error| SendError::unreachable(chain(&error)))?;
                client
                    .unary(call, EXPORT, Raw)
                    .await
                    .map_err(|status| failure(&status))
            })
            .await
        });
        self.used_at = Instant::now();
        match outcome {
            Ok(Ok(response)) => Ok(taken(response.get_ref())),
            Ok(Err(error)) if error.message.contains(TOO_LONG) => {
                Ok(Accepted::partial(0, "the answer is too long to be read"))
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Err(SendError::timed_out("no answer by the deadline")),
        }
    }
}

impl Drop for Grpc {
    fn drop(&mut self) {
        // A name that is being resolved would hold up an ordinary shutdown of the runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The collector took the request: an answer that makes no sense does not change that.
pub(crate) fn taken(text: &[u8]) -> Accepted {
    answer::accepted(text).unwrap_or_else(|_| {
        let mut accepted = Accepted::ALL;
        accepted.message = "the status says success, but the answer is none".to_owned();
        accepted
    })
}

/// What `tonic` says about an answer beyond the bound. Only a call that succeeds has an answer, and to send the spans again
/// would be to send them twice.
const TOO_LONG: &str = "decoded message length too large";

pub(crate) fn failure(status: &Status) -> SendError {
    let mut source = status.source();
    if source.is_some() {
        // The status is `tonic`'s own: there was no answer.
        while let Some(error) = source {
            if error.is::<tonic::TimeoutExpired>() {
                return SendError::timed_out("no answer by the deadline");
            }
            source = error.source();
        }
        return SendError::unreachable(chain(status));
    }
    let message = answer::message(status.message().as_bytes());
    refusal(
        status.code(),
        answer::retry_delay(status.details()),
        message,
    )
}

/// Which codes are tried again, as the specification lists them.
fn refusal(code: Code, delay: Option<Duration>, message: String) -> SendError {
    let what = format!("{code:?}: {message}");
    let retry = delay.map_or(Retry::Backoff, Retry::After);
    match code {
        Code::DeadlineExceeded => SendError::new(DropCause::TimedOut, retry, what),
        Code::Cancelled | Code::Aborted | Code::OutOfRange | Code::Unavailable | Code::DataLoss => {
            SendError::new(DropCause::Unavailable, retry, what)
        }
        Code::ResourceExhausted if delay.is_some() => {
            SendError::new(DropCause::Unavailable, retry, what)
        }
        _ => SendError::refused(what),
    }
}

/// An error and what is behind it, in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    answer::message(text.as_bytes())
}

/// Bytes that are encoded already, and an answer that is read elsewhere.
#[derive(Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.reserve(item.len());
        into.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let mut message = vec![0; from.remaining()];
        from.copy_to_slice(&mut message);
        Ok(Some(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_of_the_specification_are_tried_again_and_no_other() {
        use Code::{
            Aborted, Cancelled, DataLoss, DeadlineExceeded, OutOfRange, ResourceExhausted,
            Unavailable,
        };
        let listed = [
            Cancelled,
            DeadlineExceeded,
            Aborted,
            OutOfRange,
            Unavailable,
            DataLoss,
        ];
        for number in 1..17 {
            let code = Code::from(number);
            let without = refusal(code, None, String::new()).retry;
            let with = refusal(code, Some(IDLE), String::new()).retry;
            let retried = listed.contains(&code);
            assert_eq!(without == Retry::Backoff, retried, "{code:?}");
            let informed = retried || code == ResourceExhausted;
            assert_eq!(with == Retry::After(IDLE), informed, "{code:?}");
        }
    }
}
