use super::attachment::Attachment;
use super::callsite::Callsite;
use super::callsites::Callsites;
use super::entry::Entry;
use super::kept_fields::KeptFields;
use super::logs::Logs;
use super::options::SharedOptions;
use super::stats::{LayerStats, Losses};
use super::table::Table;
use opentelemetry::trace::SpanContext;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use tracing_core::Metadata;
use tracing_core::span::Id;
use zerospan_core::fork::PerProcess;
use zerospan_core::log::WarnOnce;
use zerospan_core::sync::OnceBox;
use zerospan_trace::Tracer;
use zerospan_trace::layer::{EntryKey, SpanLimits};

/// The default of the maximum number of open spans.
pub(crate) const DEFAULT_MAX_SPANS: usize = 1 << 18;

/// The state of a layer.
#[derive(Debug)]
pub(crate) struct LayerInner {
    /// Distinguishes this layer's entered spans from those of other layers.
    owner: u64,
    pub(crate) options: SharedOptions,
    /// A forked child starts with no spans: the parent exports those that are open.
    table: PerProcess<Table<Entry>>,
    max_spans: AtomicUsize,
    pub(crate) callsites: Callsites<Callsite>,
    pub(crate) losses: Losses,
    pub(crate) attachment: Attachment,
    active: OnceBox<Active>,
    logs: OnceBox<Logs>,
    pub(crate) kept_fields: KeptFields,
    warned_full: WarnOnce,
    /// A parent was set on a span that the layer does not see.
    has_hidden_parents: AtomicBool,
    /// A filter hides spans from the layer.
    has_hidden_spans: AtomicBool,
    /// A parent was set on a span that was not recorded.
    has_late_parents: AtomicBool,
    /// The number of spans that were closed while another thread had entered them: a guard was leaked there.
    leaks: AtomicU64,
}

/// The parts that exist once the layer has a tracer.
#[derive(Debug)]
pub(crate) struct Active {
    pub(crate) tracer: Tracer,
    pub(crate) limits: SpanLimits,
    /// The sampler may read the fields of a span.
    pub(crate) has_custom_sampler: bool,
}

impl LayerInner {
    pub(crate) fn new(max_spans: usize) -> Self {
        static OWNERS: AtomicU64 = AtomicU64::new(1);
        Self {
            owner: OWNERS.fetch_add(1, Ordering::Relaxed),
            options: SharedOptions::default(),
            table: PerProcess::new(Table::new(max_spans)),
            max_spans: AtomicUsize::new(max_spans),
            callsites: Callsites::new(),
            losses: Losses::default(),
            attachment: Attachment::default(),
            active: OnceBox::new(),
            logs: OnceBox::new(),
            kept_fields: KeptFields::default(),
            warned_full: WarnOnce::new(),
            has_hidden_parents: AtomicBool::new(false),
            has_hidden_spans: AtomicBool::new(false),
            has_late_parents: AtomicBool::new(false),
            leaks: AtomicU64::new(0),
        }
    }

    /// Sets the maximum number of open spans, before the first.
    pub(crate) fn set_max_spans(&self, max: usize) {
        self.max_spans.store(max, Ordering::Relaxed);
        self.table().set_max(max);
    }

    /// Sets the tracer, once.
    pub(crate) fn install(&self, tracer: Tracer) -> Result<(), Tracer> {
        let limits = tracer.span_limits();
        let active = Active {
            has_custom_sampler: tracer.has_custom_sampler(),
            tracer,
            limits,
        };
        self.active.set(active).map_err(|active| active.tracer)
    }

    /// Returns the tracer and what depends on it, once there is one.
    #[inline]
    pub(crate) fn active(&self) -> Option<&Active> {
        self.active.get()
    }

    /// Sets the logger provider, once. Returns `false` if there is one.
    pub(crate) fn install_logs(&self, logs: Logs) -> bool {
        self.logs.set(logs).is_ok()
    }

    /// Returns the loggers and what depends on them, once there is a logger provider.
    #[inline]
    pub(crate) fn logs(&self) -> Option<&Logs> {
        self.logs.get()
    }

    /// Returns the open spans.
    #[inline]
    pub(crate) fn table(&self) -> &Table<Entry> {
        self.table
            .current_or_init(|| Table::new(self.max_spans.load(Ordering::Relaxed)))
    }

    #[inline]
    pub(crate) fn owner(&self) -> u64 {
        self.owner
    }

    /// Returns the key under which this layer enters a span.
    #[inline]
    pub(crate) fn key(&self, id: u64) -> EntryKey {
        EntryKey {
            owner: self.owner,
            id,
        }
    }

    #[inline]
    pub(crate) fn callsite(
        &self,
        active: &Active,
        metadata: &'static Metadata<'static>,
    ) -> Option<&Callsite> {
        self.callsites.get(metadata, || {
            Callsite::new(metadata, self.options.load(), &active.limits)
        })
    }

    /// Returns the context of an open span, which cannot change from now on.
    pub(crate) fn use_context(&self, id: &Id) -> Option<SpanContext> {
        self.table().with(id.into_u64(), Entry::use_context)
    }

    #[inline]
    pub(crate) fn has_hidden_parents(&self) -> bool {
        self.has_hidden_parents.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn has_hidden_spans(&self) -> bool {
        self.has_hidden_spans.load(Ordering::Relaxed)
    }

    pub(crate) fn set_hidden_spans(&self) {
        self.has_hidden_spans.store(true, Ordering::Relaxed);
    }

    pub(crate) fn set_hidden_parents(&self) {
        self.has_hidden_parents.store(true, Ordering::Relaxed);
    }

    /// Returns `true` if spans of some callsite that are not recorded may be recorded later, since they get a parent.
    #[inline]
    pub(crate) fn has_late_parents(&self) -> bool {
        self.has_late_parents.load(Ordering::Relaxed)
    }

    pub(crate) fn set_late_parents(&self) {
        self.has_late_parents.store(true, Ordering::Relaxed);
    }

    /// Notes that a span was closed while another thread had entered it.
    #[cold]
    pub(crate) fn count_leak(&self) {
        self.leaks.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the number of leaks so far.
    #[inline]
    pub(crate) fn leaks(&self) -> u64 {
        self.leaks.load(Ordering::Relaxed)
    }

    pub(crate) fn stats(&self) -> LayerStats {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        LayerStats {
            open: self.table().len(),
            max_spans: self.table().max(),
            rejected_spans: load(&self.losses.rejected_spans),
            replaced_spans: load(&self.losses.replaced_spans),
            panicked_values: load(&self.losses.panicked_values),
            rejected_enters: load(&self.losses.rejected_enters),
        }
    }

    /// Counts a span for which there is no room, and logs the first.
    #[cold]
    pub(crate) fn reject_span(&self) {
        Losses::count(&self.losses.rejected_spans, 1);
        let max_spans = self.table().max();
        self.warned_full.warn(move || {
            tracing::warn!(
                name: "TooManyOpenSpans",
                max_spans,
                "spans are not recorded: too many are open. Look for spans that are never closed, or raise `with_max_spans`"
            );
        });
    }
}
