//! The exporter over gRPC, under each processor of the official SDK and on each runtime of tokio.

use opentelemetry::trace::{Span, Tracer, TracerProvider};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_sdk::runtime;
use opentelemetry_sdk::trace::{
    BatchSpanProcessor, SdkTracerProvider, SimpleSpanProcessor, SpanProcessor,
    span_processor_with_async_runtime as with_runtime,
};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::runtime::{Builder, Runtime};
use tokio::task::LocalSet;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use zerospan_export::{OtlpConfig, Pipeline, Protocol};
use zerospan_sdk::OtlpSpanExporter;

/// A collector that counts spans.
struct Collector {
    address: SocketAddr,
    spans: Arc<AtomicUsize>,
    _runtime: Runtime,
}

struct Service(Arc<AtomicUsize>);

#[tonic::async_trait]
impl TraceService for Service {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        for resource in request.into_inner().resource_spans {
            for scope in resource.scope_spans {
                self.0.fetch_add(scope.spans.len(), Ordering::SeqCst);
            }
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    fn start() -> Self {
        let runtime = multi_thread();
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .unwrap();
        let (address, spans) = (listener.local_addr().unwrap(), Arc::default());
        let service = TraceServiceServer::new(Service(Arc::clone(&spans)));
        let server = tonic::transport::Server::builder().add_service(service);
        runtime.spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        Self {
            address,
            spans,
            _runtime: runtime,
        }
    }

    fn exporter(&self) -> OtlpSpanExporter {
        let config = OtlpConfig::new()
            .with_protocol(Protocol::Grpc)
            .with_endpoint(format!("http://{}", self.address));
        let pipeline = Pipeline::builder().with_otlp(config).without_worker();
        OtlpSpanExporter::new(pipeline.build().unwrap())
    }

    fn spans(&self) -> usize {
        self.spans.load(Ordering::SeqCst)
    }
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn multi_thread() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

fn provider(processor: impl SpanProcessor + 'static) -> SdkTracerProvider {
    SdkTracerProvider::builder()
        .with_span_processor(processor)
        .build()
}

fn end_spans(provider: &SdkTracerProvider) {
    let tracer = provider.tracer("grpc");
    for _ in 0..3 {
        tracer.start("x").end();
    }
}

#[test]
fn the_simple_processor_delivers_on_a_thread_of_any_runtime() {
    let collector = Collector::start();
    let provider = provider(SimpleSpanProcessor::new(collector.exporter()));
    let mut ended = 0;
    let mut delivered = |what: &str| {
        ended += 3;
        assert_eq!(collector.spans(), ended, "{what}");
    };
    for runtime in [current_thread(), multi_thread()] {
        runtime.block_on(async { end_spans(&provider) });
        delivered("block_on");
        let ours = provider.clone();
        runtime
            .block_on(runtime.spawn(async move { end_spans(&ours) }))
            .unwrap();
        delivered("spawn");
        let ours = provider.clone();
        runtime
            .block_on(runtime.spawn_blocking(move || end_spans(&ours)))
            .unwrap();
        delivered("spawn_blocking");
        let ours = provider.clone();
        LocalSet::new().block_on(&runtime, async move {
            let task = tokio::task::spawn_local(async move { end_spans(&ours) });
            task.await.unwrap();
        });
        delivered("spawn_local");
        // Without a runtime, and a flush of a provider that has nothing more.
        end_spans(&provider);
        delivered("outside");
        runtime.block_on(async { provider.force_flush().unwrap() });
    }
    current_thread().block_on(async { provider.shutdown().unwrap() });
}

#[test]
fn the_batch_processors_deliver_on_every_runtime() {
    let collector = Collector::start();
    let mut ended = 0;
    let mut flush = |what: &str, provider: &SdkTracerProvider| {
        end_spans(provider);
        provider.force_flush().unwrap();
        ended += 3;
        assert_eq!(collector.spans(), ended, "{what}");
        end_spans(provider);
        provider.shutdown().unwrap();
        ended += 3;
        assert_eq!(collector.spans(), ended, "{what}");
    };
    flush(
        "a thread of its own",
        &provider(BatchSpanProcessor::builder(collector.exporter()).build()),
    );
    multi_thread().block_on(async {
        let exporter = collector.exporter();
        let processor = with_runtime::BatchSpanProcessor::builder(exporter, runtime::Tokio);
        flush("Tokio", &provider(processor.build()));
    });
    current_thread().block_on(async {
        let exporter = collector.exporter();
        let processor =
            with_runtime::BatchSpanProcessor::builder(exporter, runtime::TokioCurrentThread);
        flush("TokioCurrentThread", &provider(processor.build()));
    });
}
