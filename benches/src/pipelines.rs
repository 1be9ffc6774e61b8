//! The pipelines that are compared, from a tracer to OTLP bytes in memory.

mod logs;

pub use logs::{OfficialLogs, ZerospanLogs, agree_on_logs};

use crate::sink::{Kinds, OfficialExporter, Sink, count_kinds, count_log_kinds, decode};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace as sdk;
use prost::Message;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use zerospan_export::{BatchConfig, Pipeline, PipelineBuilder, SendError};
use zerospan_trace::{Sampler, Tracer, TracerProvider};

/// Number of spans that the queue of either side holds by default.
pub const QUEUE: u64 = 2_048;

/// The outcome of a run.
#[derive(Debug, Default)]
pub struct Outcome {
    recorded: u64,
    /// Delivered items; those of other threads on the same provider included.
    pub delivered_by_all: u64,
    /// The requests of the first run.
    requests: Option<Vec<Vec<u8>>>,
    failure: Option<String>,
}

impl Outcome {
    /// Returns the number of delivered items, or an error if the flush failed or one was lost.
    pub fn delivered(&self) -> Result<u64, String> {
        match &self.failure {
            Some(failure) => Err(failure.clone()),
            None if self.recorded != self.delivered_by_all => Err(format!(
                "{} items recorded, {} delivered",
                self.recorded, self.delivered_by_all
            )),
            None => Ok(self.recorded),
        }
    }

    /// Adds a later outcome; keeps the requests of the earlier one.
    #[must_use]
    pub fn and(self, later: Self) -> Self {
        Self {
            recorded: self.recorded + later.recorded,
            delivered_by_all: self.delivered_by_all + later.delivered_by_all,
            requests: self.requests.or(later.requests),
            failure: self.failure.or(later.failure),
        }
    }

    /// Returns the kinds of spans in the requests of the first run.
    pub fn kinds(&self) -> Result<Kinds, String> {
        self.kinds_but_for(|_| ())
    }

    /// Returns the kinds of spans in the requests of the first run, without the differences that `normalize` removes.
    pub fn kinds_but_for(&self, normalize: impl Fn(&mut Span)) -> Result<Kinds, String> {
        self.delivered()?;
        count_kinds(self.requests.as_deref().unwrap_or_default(), normalize)
    }

    /// Returns the kinds of log records in the requests of the first run, without the differences that `normalize` removes.
    pub fn log_kinds(&self, normalize: impl Fn(&mut LogRecord)) -> Result<Kinds, String> {
        self.delivered()?;
        count_log_kinds(self.requests.as_deref().unwrap_or_default(), normalize)
    }

    /// Returns the first span of the first run, encoded.
    pub fn first_span(&self) -> Result<Vec<u8>, String> {
        let spans = decode(self.requests.as_deref().unwrap_or_default())?;
        let first = spans.first().map(|(_, span)| span.encode_to_vec());
        first.ok_or_else(|| "no span was delivered".to_owned())
    }
}

/// Returns a check that both sides delivered `spans` spans that say the same.
pub fn agree(spans: u64) -> impl FnMut(Outcome, Outcome) -> Result<(), String> {
    agree_but_for(spans, |_| ())
}

/// Returns a check that both sides delivered `spans` spans that say the same, but for the differences that `normalize`
/// removes.
pub fn agree_but_for(
    spans: u64,
    normalize: impl Fn(&mut Span),
) -> impl FnMut(Outcome, Outcome) -> Result<(), String> {
    move |peer, ours| {
        let (peer, ours) = (
            peer.kinds_but_for(&normalize)?,
            ours.kinds_but_for(&normalize)?,
        );
        if peer.values().sum::<u64>() == spans && peer == ours {
            Ok(())
        } else {
            Err(format!(
                "of {spans} spans, the peer sends {peer:#?}, ours {ours:#?}"
            ))
        }
    }
}

/// A tracer, a logger or another source whose pipeline ends in memory.
#[derive(Clone)]
pub struct Side<T> {
    tracer: T,
    sink: Sink,
    flush: Arc<dyn Fn() -> Result<(), String> + Send + Sync>,
}

/// The official SDK, with its batch processor or another one.
pub type OfficialSdk = Side<sdk::SdkTracer>;
/// Our provider.
pub type Zerospan = Side<Tracer>;

impl<T> fmt::Debug for Side<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Side").finish_non_exhaustive()
    }
}

impl<T> Side<T> {
    /// Returns the tracer.
    pub fn tracer(&self) -> &T {
        &self.tracer
    }

    /// Replaces the tracer by what `wrap` makes of it.
    pub fn map<U>(self, wrap: impl FnOnce(T) -> U) -> Side<U> {
        Side {
            tracer: wrap(self.tracer),
            sink: self.sink,
            flush: self.flush,
        }
    }

    /// Does `work`, which returns the number of recorded spans, and flushes.
    pub fn run(&mut self, work: impl FnOnce(&T) -> u64) -> Outcome {
        let recorded = work(&self.tracer);
        let flushed = (self.flush)();
        let (delivered_by_all, _) = self.sink.take_counts();
        Outcome {
            recorded,
            delivered_by_all,
            requests: self.sink.take_requests(),
            failure: flushed.err(),
        }
    }
}

impl OfficialSdk {
    /// Sets up the batch processor, the official transform and prost.
    pub fn new(queue: u64) -> Self {
        Self::with_exporter(queue, OfficialExporter::new)
    }

    /// Sets up the batch processor with another exporter into the given sink.
    pub fn with_exporter<E: sdk::SpanExporter + 'static>(
        queue: u64,
        exporter: impl FnOnce(&Sink) -> E,
    ) -> Self {
        let sink = Sink::default();
        let batch = sdk::BatchConfigBuilder::default()
            .with_max_queue_size(queue as usize)
            .build();
        let processor = sdk::BatchSpanProcessor::builder(exporter(&sink))
            .with_batch_config(batch)
            .build();
        Self::with_processor(sink, processor, None)
    }

    /// Sets up another processor into `sink`. `pipeline` is flushed in place of the provider, which allocates to collect the
    /// results of its processors.
    pub fn with_processor(
        sink: Sink,
        processor: impl sdk::SpanProcessor + 'static,
        pipeline: Option<Pipeline>,
    ) -> Self {
        Self::with_sampler(sink, processor, pipeline, sdk::Sampler::AlwaysOn)
    }

    /// Sets up the batch processor behind a sampler that drops every span.
    pub fn unsampled() -> Self {
        let sink = Sink::default();
        let processor = sdk::BatchSpanProcessor::builder(OfficialExporter::new(&sink)).build();
        Self::with_sampler(sink, processor, None, sdk::Sampler::AlwaysOff)
    }

    fn with_sampler(
        sink: Sink,
        processor: impl sdk::SpanProcessor + 'static,
        pipeline: Option<Pipeline>,
        sampler: sdk::Sampler,
    ) -> Self {
        sink.keep_requests();
        let provider = sdk::SdkTracerProvider::builder()
            .with_sampler(sampler)
            .with_resource(resource())
            .with_span_processor(processor)
            .build();
        Self {
            tracer: provider.tracer(SCOPE),
            sink,
            flush: Arc::new(move || match &pipeline {
                Some(pipeline) => {
                    let flushed = pipeline.force_flush(Duration::from_secs(30));
                    flushed.map_err(|error| error.to_string())
                }
                None => provider.force_flush().map_err(|error| error.to_string()),
            }),
        }
    }
}

impl Zerospan {
    /// Sets up the provider.
    pub fn new(queue: u64) -> Self {
        Self::with_sampler(queue, Sampler::AlwaysOn)
    }

    /// Sets up the provider with a sampler that drops every span.
    pub fn unsampled() -> Self {
        Self::with_sampler(QUEUE, Sampler::AlwaysOff)
    }

    fn with_sampler(queue: u64, sampler: Sampler) -> Self {
        let sink = Sink::default();
        sink.keep_requests();
        let provider = TracerProvider::builder()
            .with_sampler(sampler)
            .with_resource(resource())
            .with_exporter(build(pipeline(&sink, queue)))
            .build();
        Self {
            tracer: provider.tracer(SCOPE),
            sink,
            flush: Arc::new(move || provider.force_flush().map_err(|error| error.to_string())),
        }
    }
}

/// Returns a pipeline into `sink` with a queue of `queue` spans.
pub fn pipeline(sink: &Sink, queue: u64) -> PipelineBuilder {
    let sink = sink.clone();
    let mut batch = BatchConfig::default();
    batch.max_queue_size = Some(queue as usize);
    Pipeline::builder()
        .with_batch(batch)
        .with_transport(move || Ok::<_, SendError>(sink.clone()))
}

/// Builds a pipeline from settings that are known to be valid.
///
/// # Panics
///
/// Panics if they are not.
pub fn build(pipeline: PipelineBuilder) -> Pipeline {
    pipeline.build().unwrap_or_else(|error| panic!("{error}"))
}

/// The instrumentation scope of all sides.
pub const SCOPE: &str = "http-server";
/// The service of all sides.
pub const SERVICE: &str = "shop";

/// Returns the resource of all sides.
pub fn resource() -> Resource {
    Resource::builder_empty().with_service_name(SERVICE).build()
}
