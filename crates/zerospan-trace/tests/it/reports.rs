//! Settings that cannot be applied are logged. What is logged at most once a minute is the process's, so tests that count run in one
//! of their own.

use crate::support::{builder, pipeline, resource, value};
use opentelemetry::trace::{Link, Span as _, SpanId, SpanKind, TraceId, TracerProvider as _};
use opentelemetry::{Context, Key, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    IdGenerator, InMemorySpanExporter, SamplingResult, ShouldSample, SimpleSpanProcessor, SpanData,
    SpanProcessor,
};
use std::time::Duration;
use zerospan_core::dev::{self, Warnings};
use zerospan_export::{
    EncodedResource, ExportResponse, InMemoryTransport, Pipeline, Request, SendError, Transport,
};
use zerospan_trace::{Clock, FinishedSpan, Processor, TracerProviderBuilder};

#[test]
fn a_resource_that_a_pipeline_cannot_take_is_reported_once() {
    dev::in_own_process(&[], || {
        let shop = Resource::builder_empty().with_service_name("shop").build();
        let desk = Resource::builder_empty().with_service_name("desk").build();
        let (shared, memory) = pipeline();
        let mut providers = Vec::new();
        let said = Warnings::of(|| {
            let first = builder().with_exporter(shared.clone());
            providers.push(first.with_resource(shop).build());
        });
        assert_eq!(said, [""; 0], "the first is taken");
        let said = Warnings::of(|| providers.push(builder().with_exporter(shared.clone()).build()));
        assert_eq!(said, [""; 0], "none was given");
        let said = Warnings::of(|| {
            for _ in 0..10_000 {
                let second = builder().with_exporter(shared.clone());
                providers.push(second.with_resource(desk.clone()).build());
            }
        });
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].starts_with("ResourceIgnored"), "{said:?}");
        drop(providers[2].tracer("test").span("of the second").start());
        providers[2].force_flush().expect("delivered");
        let sent = resource(&memory.take());
        assert_eq!(value(&sent.attributes, "service.name"), "shop");
        assert_eq!(
            providers[2].resource().get(&Key::new("service.name")),
            Some("desk".into())
        );
    });
}

#[test]
fn a_resource_of_the_pipelines_builder_wins_and_is_reported() {
    dev::in_own_process(&[], || {
        let resource = |name| Resource::builder_empty().with_service_name(name).build();
        let own = Pipeline::builder()
            .with_transport(InMemoryTransport::new())
            .with_resource(EncodedResource::from_sdk(&resource("shop")))
            .build()
            .expect("valid");
        let said = Warnings::of(|| {
            drop(
                builder()
                    .with_exporter(own)
                    .with_resource(resource("desk"))
                    .build(),
            );
        });
        assert_eq!(said.len(), 1, "{said:?}");
    });
}

#[test]
fn a_processor_that_panics_or_loses_its_start_is_reported_once_and_not_for_each_span() {
    #[derive(Debug)]
    struct Panics;
    impl Processor for Panics {
        fn on_end(&self, _: &FinishedSpan<'_>) {
            std::panic::resume_unwind(Box::new("ignored"));
        }
    }
    /// A processor of the official SDK that works at the start.
    #[derive(Debug)]
    struct Starts;
    impl SpanProcessor for Starts {
        fn on_start(&self, _: &mut opentelemetry_sdk::trace::Span, _: &Context) {
            unreachable!("there is no span of the SDK");
        }
        fn on_end(&self, _: SpanData) {}
        fn force_flush(&self) -> OTelSdkResult {
            Ok(())
        }
        fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
            Ok(())
        }
    }
    dev::in_own_process(&[], || {
        let stock = SimpleSpanProcessor::new(InMemorySpanExporter::default());
        for (processors, expected) in [
            (builder().with_processor(Panics), "ProcessorPanicked"),
            (
                builder().with_span_processor(Starts),
                "SdkProcessorWithoutStart",
            ),
            (builder().with_span_processor(stock), ""),
        ] {
            let provider = processors.build();
            let tracer = provider.tracer("test");
            let said = Warnings::of(|| {
                for _ in 0..10_000 {
                    drop(tracer.span("span").start());
                }
            });
            match expected {
                "" => assert_eq!(said, [""; 0]),
                _ => assert!(
                    matches!(&said[..], [one] if one.starts_with(expected)),
                    "{said:?}"
                ),
            }
        }
    });
}

#[test]
fn a_sampler_a_generator_and_a_clock_that_panic_are_reported_once_each() {
    #[derive(Clone, Debug)]
    struct Panics;
    impl ShouldSample for Panics {
        fn should_sample(
            &self,
            _: Option<&Context>,
            _: TraceId,
            _: &str,
            _: &SpanKind,
            _: &[KeyValue],
            _: &[Link],
        ) -> SamplingResult {
            std::panic::resume_unwind(Box::new("ignored"));
        }
    }
    impl IdGenerator for Panics {
        fn new_trace_id(&self) -> TraceId {
            std::panic::resume_unwind(Box::new("ignored"));
        }
        fn new_span_id(&self) -> SpanId {
            std::panic::resume_unwind(Box::new("ignored"));
        }
    }
    dev::in_own_process(&[], || {
        let clock = Clock::from_fn(|| std::panic::resume_unwind(Box::new("ignored")));
        for (builder, expected) in [
            (builder().with_sampler(Panics), "SamplerPanicked"),
            (builder().with_id_generator(Panics), "IdGeneratorPanicked"),
            (builder().with_clock(clock), "ClockPanicked"),
        ] {
            let (pipeline, _) = pipeline();
            let provider = builder.with_exporter(pipeline).build();
            let tracer = provider.tracer("test");
            let said = Warnings::of(|| {
                for _ in 0..1000 {
                    drop(tracer.span("span").start());
                }
            });
            assert!(
                matches!(&said[..], [one] if one.starts_with(expected)),
                "{said:?}"
            );
        }
    });
}

#[test]
fn a_provider_that_is_dropped_before_its_spans_are_delivered_says_so() {
    dev::in_own_process(&[], || {
        struct Refusing;
        impl Transport for Refusing {
            fn send(&mut self, _: &Request<'_>) -> Result<ExportResponse, SendError> {
                Err(SendError::refused("on purpose"))
            }
        }
        let pipeline = Pipeline::builder().with_transport(|| Ok(Refusing));
        let provider = builder()
            .with_exporter(pipeline.build().expect("valid"))
            .build();
        let said = Warnings::of(|| {
            drop(provider.tracer("test").span("lost").start());
            drop(provider);
        });
        let dropped = said.iter().find(|one| one.starts_with("ProviderDropped"));
        let dropped = dropped.unwrap_or_else(|| panic!("{said:?}"));
        assert!(dropped.starts_with("ProviderDroppedSpans"), "{said:?}");
        assert!(dropped.contains("on purpose"), "{dropped}");
    });
}

/// Runs itself once more, as a process with such a variable.
#[cfg(unix)]
#[test]
fn a_variable_that_is_not_unicode_is_reported_once_and_ignored() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    const VARIABLE: &str = "OTEL_SERVICE_NAME";

    if let Some(mut command) = dev::own_process() {
        let ran = command
            .env(VARIABLE, OsStr::from_bytes(b"caf\xe9"))
            .output();
        let ran = ran.expect("this program runs");
        let said = String::from_utf8_lossy(&ran.stdout);
        assert!(ran.status.success(), "{said}");
        assert!(said.contains("1 passed"), "{said}");
        return;
    }
    let mut name = None;
    let said = Warnings::of(|| {
        let provider = TracerProviderBuilder::from_env().build();
        name = provider.resource().get(&Key::new("service.name"));
    });
    let name = name.expect("a service has a name");
    assert!(name.as_str().starts_with("unknown_service:"), "{name}");
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].starts_with("SettingIgnored"), "{said:?}");
    assert!(said[0].contains(VARIABLE), "{said:?}");
    assert!(said[0].contains("caf\u{fffd}"), "{said:?}");
    assert!(said[0].contains("Unicode"), "{said:?}");
}

/// A subscriber that traces what is logged, as `tracing-opentelemetry` does.
struct Tracing(zerospan_trace::Tracer);

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Tracing {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        assert_eq!(event.metadata().name(), "SpanLimitExceeded");
        let span = self.0.span("traces the log").start();
        assert!(
            !span.is_recording(),
            "logging is suppressed from being traced"
        );
    }
}

#[test]
fn a_subscriber_may_trace_what_is_logged_when_a_span_ends() {
    use tracing_subscriber::layer::SubscriberExt;

    let rig = crate::support::Rig::with(|builder| builder.with_max_attributes_per_span(0));
    let subscriber = tracing_subscriber::registry().with(Tracing(rig.tracer.clone()));
    tracing::subscriber::with_default(subscriber, || {
        let mut span = rig.tracer.span("exceeds a limit").start();
        span.set_dynamic("key", 1);
        span.end();
    });
    assert_eq!(rig.only_span().dropped_attributes_count, 1);
    assert!(rig.provider.stats().is_balanced());
}
