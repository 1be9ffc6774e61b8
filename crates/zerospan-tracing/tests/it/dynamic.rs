//! Callsites that are made at run time, with any number of fields.

use std::sync::OnceLock;
use tracing::callsite::{Callsite, Identifier};
use tracing::field::FieldSet;
use tracing::metadata::Kind;
use tracing::span::Record;
use tracing::subscriber::Interest;
use tracing::{Dispatch, Event, Id, Level, Metadata, Span, Value};

/// A callsite that lives for ever, as all of them do.
pub(crate) struct Dynamic(OnceLock<Metadata<'static>>);

impl Dynamic {
    pub(crate) fn span(name: &str, fields: &[&str]) -> &'static Self {
        Self::new(name, "dynamic", fields, Kind::SPAN)
    }

    pub(crate) fn event(name: &str, fields: &[&str]) -> &'static Self {
        Self::event_of("dynamic", name, fields)
    }

    pub(crate) fn event_of(target: &str, name: &str, fields: &[&str]) -> &'static Self {
        Self::new(name, target, fields, Kind::EVENT)
    }

    fn new(name: &str, target: &str, fields: &[&str], kind: Kind) -> &'static Self {
        let leak = |text: &str| -> &'static str { String::from(text).leak() };
        let names: Vec<&'static str> = fields.iter().map(|field| leak(field)).collect();
        let callsite: &'static Self = Box::leak(Box::new(Self(OnceLock::new())));
        let fields = FieldSet::new(names.leak(), Identifier(callsite));
        let metadata = Metadata::new(
            leak(name),
            leak(target),
            Level::INFO,
            Some("dynamic.rs"),
            Some(7),
            Some("dynamic"),
            fields,
            kind,
        );
        callsite.0.set(metadata).expect("it was empty");
        callsite
    }

    fn get(&self) -> &Metadata<'static> {
        self.0.get().expect("it is set at once")
    }

    pub(crate) fn start(&'static self, values: &[Option<&dyn Value>]) -> Span {
        let metadata = self.get();
        Span::new(metadata, &metadata.fields().value_set_all(values))
    }

    pub(crate) fn record(&self, span: &Span, values: &[Option<&dyn Value>]) {
        span.record_all(&self.get().fields().value_set_all(values));
    }

    /// Records on whatever span has the id.
    pub(crate) fn record_on(&self, dispatch: &Dispatch, id: &Id, values: &[Option<&dyn Value>]) {
        let values = self.get().fields().value_set_all(values);
        dispatch.record(id, &Record::new(&values));
    }

    pub(crate) fn send(
        &'static self,
        parent: impl Into<Option<Id>>,
        values: &[Option<&dyn Value>],
    ) {
        let metadata = self.get();
        Event::child_of(parent, metadata, &metadata.fields().value_set_all(values));
    }
}

impl Callsite for Dynamic {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        self.get()
    }
}
