//! The exporter under the SDK's simple processor.

use opentelemetry::Context;
use opentelemetry::trace::{TraceContextExt, Tracer, TracerProvider, get_active_span};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use zerospan_export::{ExportResponse, Pipeline, Request, SendError, Transport};
use zerospan_sdk::OtlpSpanExporter;

#[test]
fn a_simple_processor_delivers_what_ends_while_the_api_lends_its_context_and_is_not_traced() {
    /// A transport that is traced.
    struct Traced(Arc<OnceLock<SdkTracer>>, Arc<AtomicUsize>);
    impl Transport for Traced {
        fn send(&mut self, request: &Request<'_>) -> Result<ExportResponse, SendError> {
            assert!(Context::is_current_telemetry_suppressed());
            drop(self.0.get().expect("set").start("of the transport"));
            self.1.fetch_add(request.items, Ordering::SeqCst);
            Ok(ExportResponse::ALL)
        }
    }
    let tracer = Arc::new(OnceLock::new());
    let delivered = Arc::new(AtomicUsize::new(0));
    let connect = {
        let (tracer, delivered) = (Arc::clone(&tracer), Arc::clone(&delivered));
        move || Ok(Traced(Arc::clone(&tracer), Arc::clone(&delivered)))
    };
    let pipeline = Pipeline::builder().with_transport(connect);
    let exporter = OtlpSpanExporter::new(pipeline.without_worker().build().unwrap());
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter)
        .build();
    tracer.set(provider.tracer("test")).unwrap();
    let panics = Arc::new(AtomicUsize::new(0));
    std::panic::set_hook({
        let panics = Arc::clone(&panics);
        Box::new(move |panic| {
            // Other tests of this process may panic.
            if panic.to_string().contains("borrowed") {
                panics.fetch_add(1, Ordering::SeqCst);
            }
        })
    });
    for _ in 0..3 {
        let span = tracer.get().unwrap().start("ends when it is borrowed");
        let _attached = Context::current_with_span(span).attach();
        get_active_span(|span| span.end());
    }
    drop(std::panic::take_hook());
    assert_eq!(panics.load(Ordering::SeqCst), 0);
    assert_eq!(delivered.load(Ordering::SeqCst), 3);
    provider.shutdown().unwrap();
}
