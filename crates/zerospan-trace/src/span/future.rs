use super::{Entered, Span};
use opentelemetry::trace::SpanContext;
use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Runs a future in a span.
pub trait FutureExt: Future + Sized {
    /// Makes `span` the parent of spans that start in this future: enters it whenever the future is polled.
    ///
    /// The future holds a copy of the span's context, so the span stays yours: set its attributes and end it when the future
    /// is done. Allocates only for a trace state.
    ///
    /// # Examples
    ///
    /// ```
    /// use zerospan_trace::{FutureExt, StaticKey, Tracer};
    ///
    /// const ROWS: StaticKey = StaticKey::new("db.response.returned_rows");
    ///
    /// async fn handle(tracer: &Tracer) {
    ///     let mut span = tracer.span("SELECT users").start();
    ///     let rows = query(tracer).in_span(&span).await;
    ///     span.set(&ROWS, rows);
    /// }
    ///
    /// async fn query(tracer: &Tracer) -> i64 {
    ///     let _child = tracer.span("connect").start();
    ///     1
    /// }
    /// # drop(handle);
    /// ```
    fn in_span(self, span: &Span) -> InSpan<Self> {
        InSpan {
            future: self,
            span: span.context.clone(),
        }
    }
}

impl<F: Future> FutureExt for F {}

pin_project! {
    /// A future that runs in a span. Created by [`FutureExt::in_span`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless they are polled"]
    pub struct InSpan<F> {
        #[pin]
        future: F,
        span: SpanContext,
    }
}

impl<F: Future> Future for InSpan<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = Entered::new(this.span);
        this.future.poll(task)
    }
}
