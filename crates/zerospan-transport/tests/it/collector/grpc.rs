use super::{Authority, Reply, Script};
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{
    LogsService, LogsServiceServer,
};
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tonic::codec::CompressionEncoding;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Certificate, Identity, Server as Tonic, ServerTlsConfig};
use tonic::{Code, Request, Response, Status};
use zerospan_transport::Signal;

/// Ends the server when it is dropped, with all of its connections.
pub(super) struct Server(Option<Runtime>);

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_timeout(Duration::from_millis(100));
        }
    }
}

pub(super) fn serve(
    listener: TcpListener,
    tls: Option<(&Authority, bool)>,
    script: Arc<Script>,
) -> Server {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    listener.set_nonblocking(true).unwrap();
    let service = Service(script);
    let traces =
        TraceServiceServer::new(service.clone()).accept_compressed(CompressionEncoding::Gzip);
    let logs = LogsServiceServer::new(service).accept_compressed(CompressionEncoding::Gzip);
    let mut server = Tonic::builder();
    if let Some((authority, mutual)) = tls {
        let identity = authority.issue();
        let mut tls =
            ServerTlsConfig::new().identity(Identity::from_pem(identity.certificate, identity.key));
        if mutual {
            tls = tls.client_ca_root(Certificate::from_pem(&authority.pem));
        }
        server = server.tls_config(tls).unwrap();
    }
    let incoming = {
        let _entered = runtime.enter();
        TcpIncoming::from(tokio::net::TcpListener::from_std(listener).unwrap())
    };
    runtime.spawn(
        server
            .add_service(traces)
            .add_service(logs)
            .serve_with_incoming(incoming),
    );
    Server(Some(runtime))
}

#[derive(Clone)]
struct Service(Arc<Script>);

/// The number of rejected items, and the message about them.
type Rejected = (i64, String);

impl Service {
    async fn reply<M: Message>(
        &self,
        signal: Signal,
        request: Request<M>,
    ) -> Result<Option<Rejected>, Status> {
        let reply = self.0.next(signal);
        self.0.keep_head(format!("{:?}", request.metadata()));
        let request = request.into_inner().encode_to_vec();
        match reply {
            Reply::Take => self.0.keep(signal, request),
            Reply::TakeBut(rejected) => {
                self.0.keep(signal, request);
                return Ok(Some((rejected, "not those".to_owned())));
            }
            Reply::TakeButExplain(rejected, len) => {
                self.0.keep(signal, request);
                return Ok(Some((rejected, "x".repeat(len))));
            }
            Reply::Late(wait) => {
                tokio::time::sleep(wait).await;
                self.0.keep(signal, request);
            }
            Reply::Busy { throttled, wait } => {
                let code = if throttled {
                    Code::ResourceExhausted
                } else {
                    Code::Unavailable
                };
                let details = wait.map(retry_info).unwrap_or_default();
                return Err(Status::with_details(code, "busy", details.into()));
            }
            Reply::Refuse => return Err(Status::invalid_argument("malformed")),
            Reply::Hang => std::future::pending().await,
            Reply::Endless => {
                self.0.keep(signal, request);
                return Ok(Some((0, "x".repeat(8 << 20))));
            }
            Reply::Reset | Reply::Garbage | Reply::Raw(_) | Reply::BusyUntil(_) => {
                unreachable!("only the collector over HTTP does this")
            }
        }
        Ok(None)
    }
}

#[tonic::async_trait]
impl TraceService for Service {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let rejected = self.reply(Signal::Traces, request).await?;
        Ok(Response::new(ExportTraceServiceResponse {
            partial_success: rejected.map(|(rejected_spans, error_message)| {
                ExportTracePartialSuccess {
                    rejected_spans,
                    error_message,
                }
            }),
        }))
    }
}

#[tonic::async_trait]
impl LogsService for Service {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        let rejected = self.reply(Signal::Logs, request).await?;
        Ok(Response::new(ExportLogsServiceResponse {
            partial_success: rejected.map(|(rejected_log_records, error_message)| {
                ExportLogsPartialSuccess {
                    rejected_log_records,
                    error_message,
                }
            }),
        }))
    }
}

/// Encodes a `google.rpc.Status` with a `RetryInfo`.
fn retry_info(wait: Duration) -> Vec<u8> {
    let field = |number: u8, bytes: &[u8]| {
        let mut out = vec![number << 3 | 2, u8::try_from(bytes.len()).unwrap()];
        out.extend_from_slice(bytes);
        out
    };
    let mut duration = vec![0x08];
    prost::encoding::encode_varint(wait.as_secs(), &mut duration);
    duration.push(0x10);
    prost::encoding::encode_varint(wait.subsec_nanos().into(), &mut duration);
    let any = [
        field(1, b"type.googleapis.com/google.rpc.RetryInfo"),
        field(2, &field(1, &duration)),
    ]
    .concat();
    [vec![0x08, 8], field(2, b"busy"), field(3, &any)].concat()
}
