use opentelemetry::trace::{Link, SpanKind, TraceId, TraceState};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, SamplingResult, ShouldSample};
use std::any::Any;
use zerospan_core::log::LogLimit;
use zerospan_core::panics;

/// A sampler of the SDK that decides by itself, without a `Context`.
pub(crate) enum BuiltIn {
    AlwaysOn,
    AlwaysOff,
    TraceIdRatioBased(f64),
}

/// Returns which of the SDK's samplers `sampler` is, if it decides without a `Context`.
pub(crate) fn built_in(sampler: &dyn Any) -> Option<BuiltIn> {
    match sampler.downcast_ref()? {
        Sampler::AlwaysOn => Some(BuiltIn::AlwaysOn),
        Sampler::AlwaysOff => Some(BuiltIn::AlwaysOff),
        Sampler::TraceIdRatioBased(ratio) => Some(BuiltIn::TraceIdRatioBased(*ratio)),
        _ => None,
    }
}

/// The arguments of a sampler, but for the parent's context.
pub(crate) struct SamplerArgs<'a> {
    pub(crate) trace_id: TraceId,
    pub(crate) name: &'a str,
    pub(crate) kind: &'a SpanKind,
    pub(crate) attributes: &'a [KeyValue],
    pub(crate) links: &'a [Link],
    /// The parent's trace state, which a span keeps if the sampler panics.
    pub(crate) trace_state: Option<&'a TraceState>,
}

/// Asks `sampler`. If it panics, the span is dropped.
#[cold]
pub(crate) fn sample(
    sampler: &dyn ShouldSample,
    parent: Option<&Context>,
    args: &SamplerArgs<'_>,
) -> SamplingResult {
    let sampled = panics::catch(|| {
        sampler.should_sample(
            parent,
            args.trace_id,
            args.name,
            args.kind,
            args.attributes,
            args.links,
        )
    });
    sampled.unwrap_or_else(|message| {
        static WARNING: LogLimit = LogLimit::new();
        WARNING.log(move |skipped| {
            tracing::error!(
                name: "SamplerPanicked",
                skipped,
                message,
                "a sampler panicked: the span is not recorded; logged once a minute, with the number of panics skipped"
            );
        });
        SamplingResult {
            decision: SamplingDecision::Drop,
            attributes: Vec::new(),
            trace_state: args.trace_state.cloned().unwrap_or_default(),
        }
    })
}
