//! Received log records: compares those of two sides, and tells those of a span.

use crate::attributes::{pair, service, text};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

#[derive(Clone, Debug, Default)]
pub(crate) struct LogRecord {
    pub(crate) trace: Vec<u8>,
    pub(crate) span: Vec<u8>,
    service: String,
    time: u64,
    severity: String,
    body: String,
    attributes: Vec<(String, String)>,
}

/// A log record beside a drawn span.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LogRow {
    /// Time since the start of the root.
    pub(crate) time_us: f64,
    pub(crate) severity: String,
    pub(crate) text: String,
    pub(crate) attributes: Vec<(String, String)>,
}

/// Returns the log records of a request.
pub(crate) fn records(request: ExportLogsServiceRequest) -> Vec<LogRecord> {
    let mut records = Vec::new();
    for resource in request.resource_logs {
        let service = service(resource.resource.as_ref());
        for record in resource
            .scope_logs
            .into_iter()
            .flat_map(|scope| scope.log_records)
        {
            // The official bridge sets only the time at which it observed the event.
            let time = match record.time_unix_nano {
                0 => record.observed_time_unix_nano,
                time => time,
            };
            records.push(LogRecord {
                trace: record.trace_id,
                span: record.span_id,
                service: service.clone(),
                time,
                severity: record.severity_text,
                body: record
                    .body
                    .map_or_else(String::new, |body| text(Some(&body))),
                attributes: record.attributes.iter().map(pair).collect(),
            });
        }
    }
    records
}

/// Counts log records by shape: the service, the name of the span, severity and body. `names` are those of spans by trace and span
/// id.
pub(crate) fn shapes(
    records: &[LogRecord],
    names: &HashMap<(&[u8], &[u8]), &str>,
) -> BTreeMap<String, u64> {
    let mut shapes = BTreeMap::new();
    for record in records {
        let span = names.get(&(&*record.trace, &*record.span));
        let shape = format!(
            "the log record {} {:?} in {}: {}",
            record.severity,
            record.body,
            record.service,
            span.unwrap_or(&"no span"),
        );
        *shapes.entry(shape).or_default() += 1;
    }
    shapes
}

impl LogRecord {
    /// Returns the record as it is drawn in a trace that starts at `origin`.
    pub(crate) fn row(&self, origin: u64) -> LogRow {
        /// The attributes that say what happened in a record without a body.
        const ERRORS: [&str; 2] = ["exception.message", "error"];
        let error = self
            .attributes
            .iter()
            .find(|(name, _)| self.body.is_empty() && ERRORS.contains(&&**name));
        let hidden = error.map(|(name, _)| name);
        LogRow {
            time_us: self.time.saturating_sub(origin) as f64 / 1_000.0,
            severity: self.severity.clone(),
            text: error.map_or_else(|| self.body.clone(), |(_, text)| text.clone()),
            attributes: self
                .attributes
                .iter()
                .filter(|(name, _)| Some(name) != hidden && !name.starts_with("code."))
                .cloned()
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LogRecord, shapes};
    use std::collections::HashMap;

    fn record(body: &str, attributes: &[(&str, &str)]) -> LogRecord {
        LogRecord {
            time: 3_500,
            severity: "ERROR".to_owned(),
            body: body.to_owned(),
            attributes: attributes
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            ..LogRecord::default()
        }
    }

    #[test]
    fn an_error_is_the_text_of_a_record_without_a_body() {
        let of_error = [("exception.message", "no price"), ("shop.id", "7")];
        let row = record("", &of_error).row(1_000);
        assert_eq!((&*row.text, row.time_us), ("no price", 2.5));
        assert_eq!(row.attributes, [("shop.id".to_owned(), "7".to_owned())]);
        let row = record("failed", &of_error).row(1_000);
        assert_eq!((&*row.text, row.attributes.len()), ("failed", 2));
    }

    #[test]
    fn a_record_of_an_unknown_span_has_another_shape() {
        let shapes = shapes(&[record("failed", &[])], &HashMap::new());
        assert!(shapes.keys().all(|shape| shape.contains("no span")));
    }
}
