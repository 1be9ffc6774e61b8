//! The expected spans, worked out naively from the program.

use crate::program::{EventSite, Field, Fields};
use opentelemetry::trace::{SpanKind, Status};
use std::collections::BTreeMap;
use tracing::Id;

/// A span by its number, or a remote one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Identity {
    Span(usize),
    Remote(usize),
}

/// Places where a program's spans should differ from what the predecessor makes of them. `None` where the program does nothing that the
/// predecessor gets wrong.
#[derive(Clone, Debug, Default)]
pub(crate) struct Truth {
    /// `otel.name` was recorded after the start.
    pub(crate) late_name: Option<String>,
    /// `otel.kind` was recorded after the start.
    pub(crate) late_kind: Option<SpanKind>,
    /// The status by the specification's order; several were set.
    pub(crate) status: Option<Status>,
    /// The parent.
    pub(crate) parent: Option<Identity>,
    /// A parent was set, of this span or of one that it descends from: in a way, perhaps, that the predecessor refuses or loses.
    pub(crate) has_set_parent: bool,
    /// All links, if one of them is to a span that was closed.
    pub(crate) links: Option<Vec<Identity>>,
    /// The number of errors with a type among the fields that the span started with.
    pub(crate) errors_at_start: usize,
    /// Special fields with texts that mean nothing.
    pub(crate) nonsense: BTreeMap<&'static str, String>,
}

/// A span that was started, and a naive account of what it should be.
pub(super) struct Made {
    pub(super) id: Id,
    pub(super) parent: Option<Identity>,
    /// `set_parent` was called.
    pub(super) has_set_parent: bool,
    /// A child, a link or a caller knows the ids.
    pub(super) is_known: bool,
    pub(super) late_name: Option<String>,
    pub(super) late_kind: Option<SpanKind>,
    pub(super) status: Status,
    pub(super) statuses: usize,
    pub(super) links: Vec<Identity>,
    pub(super) has_closed_link: bool,
    pub(super) errors_at_start: usize,
    pub(super) nonsense: BTreeMap<&'static str, String>,
}

impl Made {
    pub(super) fn record(&mut self, name: &str, fields: &Fields) {
        self.record_status(name, fields);
        self.record_nonsense(name, fields);
        let Some(text) = fields.get(name).and_then(Field::text) else {
            return;
        };
        match name {
            "otel.name" => self.late_name = Some(text.to_owned()),
            "otel.kind" => {
                let kind = match text.to_ascii_lowercase().as_str() {
                    "server" => SpanKind::Server,
                    "client" => SpanKind::Client,
                    "producer" => SpanKind::Producer,
                    "consumer" => SpanKind::Consumer,
                    "internal" => SpanKind::Internal,
                    _ => return,
                };
                self.late_kind = Some(kind);
            }
            _ => {}
        }
    }

    pub(super) fn record_nonsense(&mut self, name: &str, fields: &Fields) {
        let Some(text) = fields.get(name).and_then(Field::text) else {
            return;
        };
        let (name, known): (_, &[&str]) = match name {
            "otel.kind" => (
                "otel.kind",
                &["server", "client", "producer", "consumer", "internal"],
            ),
            "otel.status_code" => ("otel.status_code", &["ok", "error", "unset"]),
            _ => return,
        };
        if !known.contains(&text.to_ascii_lowercase().as_str()) {
            self.nonsense.insert(name, text.to_owned());
        }
    }

    pub(super) fn record_status(&mut self, name: &str, fields: &Fields) {
        let Some(text) = fields.get(name).and_then(Field::text) else {
            return;
        };
        match name {
            "otel.status_code" if text.eq_ignore_ascii_case("ok") => self.set_status(Status::Ok),
            "otel.status_code" if text.eq_ignore_ascii_case("error") => self.fail(),
            "otel.status_code" => self.set_status(Status::Unset),
            "otel.status_description" => self.describe(text),
            _ => {}
        }
    }

    /// Sets a status in the specification's order: `Ok` is final, nothing unsets, the last one wins.
    pub(super) fn set_status(&mut self, status: Status) {
        self.statuses += 1;
        if self.status != Status::Ok && status != Status::Unset {
            self.status = status;
        }
    }

    /// Sets an error with a description, unless that is empty.
    pub(super) fn describe(&mut self, text: &str) {
        if text.is_empty() {
            self.fail();
        } else {
            self.set_status(Status::error(text.to_owned()));
        }
    }

    /// Sets an error without a description, which leaves a description as it is.
    pub(super) fn fail(&mut self) {
        self.statuses += 1;
        if self.status == Status::Unset {
            self.status = Status::error("");
        }
    }

    pub(super) fn event(&mut self, site: EventSite, fields: &Fields) {
        if let EventSite::Error | EventSite::Alarm = site {
            self.fail();
        }
        if let EventSite::Error = site {
            match fields.get("error") {
                Some(Field::Error(error)) => self.describe(&error.0),
                Some(field) => self.describe(field.text().unwrap_or_default()),
                None => {}
            }
        }
    }
}
