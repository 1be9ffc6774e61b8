use super::codec::Encoded;
use super::connect::{Addresses, Dialer};
use super::settings::Settings;
use super::status::{Checked, to_error, with_hint};
use crate::error::{SendError, SendErrorKind};
use crate::response::{ExportResponse, MAX_RESPONSE_BYTES, parse_grpc_response};
use bytes::Bytes;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tonic::client::Grpc;
use uri::uri::PathAndQuery;

/// One call: a message, encoded.
pub(super) struct Call {
    pub(super) method: &'static str,
    pub(super) message: Bytes,
    pub(super) deadline: Instant,
}

/// Makes calls over one connection, which is replaced when it fails.
pub(super) struct Client {
    settings: Arc<Settings>,
    addresses: Addresses,
    channel: Option<Grpc<Checked>>,
}

impl Client {
    pub(super) fn new(settings: Arc<Settings>) -> Self {
        Self {
            addresses: Addresses::new(settings.peer.clone()),
            settings,
            channel: None,
        }
    }

    /// Makes a call, and ends by its deadline. After a failure of the connection the next call connects again, and to another
    /// address if there is one.
    pub(super) async fn call(&mut self, call: Call) -> Result<ExportResponse, SendError> {
        let left = call.deadline.saturating_duration_since(Instant::now());
        let (mut channel, is_first) = match self.channel.take() {
            Some(channel) => (channel, false),
            None => (self.open(left), true),
        };
        let attempt = self.attempt(&mut channel, call, left, is_first);
        let attempt = tokio::time::timeout(left, attempt);
        let outcome = attempt
            .await
            .unwrap_or_else(|_| Err(SendError::timed_out("no response by the deadline")));
        match &outcome {
            Err(error) if is_lost(error) => self.addresses.shun_last(),
            _ => {
                self.addresses.shun_none();
                self.channel = Some(channel);
            }
        }
        outcome
    }

    async fn attempt(
        &self,
        channel: &mut Grpc<Checked>,
        call: Call,
        left: Duration,
        is_first: bool,
    ) -> Result<ExportResponse, SendError> {
        let mut request = tonic::Request::new(call.message);
        *request.metadata_mut() = self.settings.metadata.clone();
        request.set_timeout(left);
        let method = PathAndQuery::from_static(call.method);
        channel
            .ready()
            .await
            .map_err(|error| SendError::unreachable(with_hint(&*error, is_first)))?;
        let response = channel.unary(request, method, Encoded).await;
        match response {
            Ok(response) => Ok(parse_grpc_response(response.get_ref())),
            Err(status) => Err(to_error(&status, is_first)),
        }
    }

    /// Prepares a connection, which the first call makes.
    ///
    /// A server that is silent for a quarter of the time of a call gets a PING, and another quarter to answer it. More frequent
    /// PINGs would offend servers.
    fn open(&self, time: Duration) -> Grpc<Checked> {
        let patience = (time / 4).max(Duration::from_millis(1));
        let endpoint = self.settings.endpoint.clone();
        let channel = endpoint
            .http2_keep_alive_interval(patience)
            .keep_alive_timeout(patience)
            .connect_with_connector_lazy(Dialer::new(self.addresses.clone(), time / 2));
        let client = Grpc::new(Checked(channel)).max_decoding_message_size(MAX_RESPONSE_BYTES);
        #[cfg(feature = "gzip")]
        if self.settings.gzip {
            use tonic::codec::CompressionEncoding::Gzip;
            return client.send_compressed(Gzip).accept_compressed(Gzip);
        }
        client
    }
}

/// Reports whether a connection is of no more use.
fn is_lost(error: &SendError) -> bool {
    matches!(
        error.kind,
        SendErrorKind::Unreachable | SendErrorKind::TimedOut
    )
}
