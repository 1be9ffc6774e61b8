//! The header `traceparent`, which each request between services has; the peer is the official propagator.

use crate::comparison::Comparison;
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use std::collections::HashMap;
use std::hint::black_box;
use zerospan_trace::{TraceParent, remote_span_context};

const HEADERS: usize = 64;

fn contexts() -> Vec<SpanContext> {
    let context = |number: usize| {
        SpanContext::new(
            TraceId::from(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c + number as u128),
            SpanId::from(0xb7ad_6b71_6920_3331 + number as u64),
            TraceFlags::SAMPLED,
            true,
            TraceState::default(),
        )
    };
    (0..HEADERS).map(context).collect()
}

/// Returns the headers as the official propagator writes them.
fn headers(contexts: &[SpanContext]) -> Vec<HashMap<String, String>> {
    let propagator = TraceContextPropagator::new();
    let header = |context: &SpanContext| {
        let mut carrier = HashMap::new();
        let context = Context::new().with_remote_span_context(context.clone());
        propagator.inject_context(&context, &mut carrier);
        carrier
    };
    contexts.iter().map(header).collect()
}

/// Reads headers.
pub(super) fn read() -> Comparison {
    let propagator = TraceContextPropagator::new();
    let carriers = headers(&contexts());
    let texts: Vec<_> = carriers
        .iter()
        .map(|carrier| carrier[TraceParent::HEADER].clone())
        .collect();
    Comparison::new(
        HEADERS as u64,
        move || {
            let read = |carrier: &HashMap<_, _>| {
                let context = propagator.extract_with_context(&Context::new(), carrier);
                context.span().span_context().clone()
            };
            carriers.iter().map(read).collect::<Vec<_>>()
        },
        move || {
            let read = |text: &String| {
                let none: [&str; 0] = [];
                remote_span_context([black_box(text)], none).unwrap_or(SpanContext::NONE)
            };
            texts.iter().map(read).collect::<Vec<_>>()
        },
        |peer: Vec<SpanContext>, ours: Vec<SpanContext>| {
            if peer == ours && ours == contexts() {
                Ok(())
            } else {
                Err(format!("the peer reads {peer:?}, ours {ours:?}"))
            }
        },
    )
}

/// Writes headers.
pub(super) fn write() -> Comparison {
    let contexts = contexts();
    let ours = contexts.clone();
    Comparison::new(
        HEADERS as u64,
        move || headers(&contexts),
        move || {
            let write = |context| TraceParent::new(black_box(context)).map(|it| it.to_header());
            ours.iter().map(write).collect::<Vec<_>>()
        },
        |peer: Vec<HashMap<String, String>>, ours: Vec<Option<[u8; 55]>>| {
            let is_same = |(peer, ours): (&HashMap<String, String>, &Option<[u8; 55]>)| {
                ours.is_some_and(|ours| ours == peer[TraceParent::HEADER].as_bytes())
            };
            if ours.len() == HEADERS && peer.iter().zip(&ours).all(is_same) {
                Ok(())
            } else {
                Err(format!("the peer writes {peer:?}, ours {ours:?}"))
            }
        },
    )
}
