use super::codec::Encoded;
use crate::error::SendError;
use crate::request::{Request, USER_AGENT};
use crate::response::{
    ExportResponse, MAX_RESPONSE_BYTES, classify_grpc_code, one_line, parse_grpc_response,
    parse_retry_info,
};
use crate::tls::Tls;
use crate::transport::Transport;
use std::error::Error;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tonic::Status;
use tonic::client::Grpc;
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, Endpoint};
use uri::uri::PathAndQuery;
use uri::{HeaderMap, Uri};

/// Sends requests through `tonic`, on a runtime that runs on the caller's thread while a request is sent.
pub(crate) struct GrpcTransport {
    /// `Some` until the transport is dropped.
    runtime: Option<Runtime>,
    client: Grpc<Channel>,
    metadata: MetadataMap,
    used_at: Instant,
}

/// After so long a pause the connection gets a moment to notice that it was closed.
const IDLE: Duration = Duration::from_secs(1);

impl GrpcTransport {
    pub(crate) fn new(
        uri: &Uri,
        headers: &HeaderMap,
        gzip: bool,
        tls: &Tls,
    ) -> Result<Self, SendError> {
        let refused = |error: &dyn Error| SendError::refused(chain(error));
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| SendError::unreachable(error.to_string()))?;
        let endpoint = Endpoint::from(uri.clone())
            .user_agent(USER_AGENT)
            .and_then(|endpoint| tls.for_tonic(endpoint))
            .map_err(|error| refused(&error))?;
        let channel = {
            let _entered = runtime.enter();
            endpoint.connect_lazy()
        };
        let client = Grpc::new(channel).max_decoding_message_size(MAX_RESPONSE_BYTES);
        #[cfg(feature = "gzip")]
        let client = match gzip {
            true => client.send_compressed(tonic::codec::CompressionEncoding::Gzip),
            false => client,
        };
        #[cfg(not(feature = "gzip"))]
        let _ = gzip;
        Ok(Self {
            runtime: Some(runtime),
            client,
            metadata: MetadataMap::from_headers(headers.clone()),
            used_at: Instant::now(),
        })
    }
}

impl Transport for GrpcTransport {
    fn send(&mut self, request: &Request<'_>) -> Result<ExportResponse, SendError> {
        let left = request.time_left();
        if left < Duration::from_millis(1) {
            return Err(SendError::timed_out("there was no time left to send"));
        }
        let idle = self.used_at.elapsed() > IDLE;
        let mut call = tonic::Request::new(request.body.to_vec());
        *call.metadata_mut() = self.metadata.clone();
        call.set_timeout(left);
        let method = PathAndQuery::from_static(request.signal.grpc_method());
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
                    .unary(call, method, Encoded)
                    .await
                    .map_err(|status| call_failed(&status))
            })
            .await
        });
        self.used_at = Instant::now();
        match outcome {
            Ok(Ok(response)) => Ok(parse_grpc_response(response.get_ref())),
            Ok(Err(error))
                if error
                    .collector_message
                    .as_deref()
                    .is_some_and(|message| message.contains(TOO_LONG)) =>
            {
                Ok(ExportResponse::partial(
                    0,
                    "the response is too long to be read",
                ))
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Err(SendError::timed_out("no response by the deadline")),
        }
    }
}

impl Drop for GrpcTransport {
    fn drop(&mut self) {
        // A name that is being resolved would hold up an ordinary shutdown of the runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The text of `tonic`'s error for a response above the limit. Only a call that succeeds has a response, so sending the
/// items again would deliver them twice.
const TOO_LONG: &str = "decoded message length too large";

fn call_failed(status: &Status) -> SendError {
    let mut source = status.source();
    if source.is_some() {
        // The status is `tonic`'s own: there was no response.
        while let Some(error) = source {
            if error.is::<tonic::TimeoutExpired>() {
                return SendError::timed_out("no response by the deadline");
            }
            source = error.source();
        }
        return SendError::unreachable(chain(status));
    }
    classify_grpc_code(
        status.code().into(),
        parse_retry_info(status.details()),
        status.message(),
    )
}

/// Formats an error and its sources in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    one_line(text.as_bytes())
}
