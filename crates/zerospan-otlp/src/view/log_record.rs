use super::fields::fields;
use super::repeated::Repeated;
use super::value::{AttributeView, ValueView};
use crate::protobuf::schema::log_record;
use crate::protobuf::{DecodeError, Message};
use std::fmt;

/// A log record in encoded bytes.
#[derive(Clone)]
pub struct LogRecordView<'a> {
    message: Message<'a>,
    time_unix_nanos: u64,
    observed_time_unix_nanos: u64,
    severity_number: i32,
    severity_text: &'a str,
    body: Option<ValueView<'a>>,
    dropped_attributes: u32,
    flags: u32,
    trace_id: &'a [u8],
    span_id: &'a [u8],
    event_name: &'a str,
}

impl<'a> LogRecordView<'a> {
    /// Reads the content of a `LogRecord`.
    ///
    /// # Errors
    ///
    /// Returns the first fault outside the attributes and nested values, which are read later.
    pub fn new(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        Self::parse(Message::new(bytes))
    }

    pub(super) fn parse(message: Message<'a>) -> Result<Self, DecodeError> {
        let mut view = Self {
            message,
            time_unix_nanos: 0,
            observed_time_unix_nanos: 0,
            severity_number: 0,
            severity_text: "",
            body: None,
            dropped_attributes: 0,
            flags: 0,
            trace_id: &[],
            span_id: &[],
            event_name: "",
        };
        let mut body = None;
        for field in message.fields() {
            let field = field?;
            match field.number {
                log_record::TIME_UNIX_NANO => view.time_unix_nanos = field.fixed64()?,
                log_record::SEVERITY_NUMBER => view.severity_number = field.varint()? as i32,
                log_record::SEVERITY_TEXT => view.severity_text = field.text()?,
                log_record::BODY => field.store_message(&mut body)?,
                log_record::ATTRIBUTES => drop(field.message()?),
                log_record::DROPPED_ATTRIBUTES_COUNT => {
                    view.dropped_attributes = field.varint()? as u32;
                }
                log_record::FLAGS => view.flags = field.fixed32()?,
                log_record::TRACE_ID => view.trace_id = field.bytes()?,
                log_record::SPAN_ID => view.span_id = field.bytes()?,
                log_record::OBSERVED_TIME_UNIX_NANO => {
                    view.observed_time_unix_nanos = field.fixed64()?;
                }
                log_record::EVENT_NAME => view.event_name = field.text()?,
                _ => field.skip(message)?,
            }
        }
        view.body = body.map(ValueView::parse).transpose()?;
        Ok(view)
    }

    fields! {
        /// Returns the time of the event, in nanoseconds since the Unix epoch, or 0 if it is not known.
        time_unix_nanos: u64;
        /// Returns the time at which the event was observed, in nanoseconds since the Unix epoch.
        observed_time_unix_nanos: u64;
        /// Returns the severity: 1 to 4 trace, 5 debug, 9 info, 13 warn, 17 error, 21 to 24 fatal, and 0 unspecified.
        severity_number: i32;
        /// Returns the name that the source gives the severity.
        severity_text: &'a str;
        /// Returns the number of attributes that were dropped.
        dropped_attributes: u32;
        /// Returns the flags: the trace flags in bits 0 to 7.
        flags: u32;
        /// Returns the trace id: 16 bytes if it is valid, and none if the record belongs to no trace.
        trace_id: &'a [u8];
        /// Returns the span id: 8 bytes if it is valid, and none if the record belongs to no span.
        span_id: &'a [u8];
        /// Returns the name of the kind of event, or an empty text if there is none.
        event_name: &'a str;
    }

    /// Returns the body, if the message has one.
    #[inline]
    pub fn body(&self) -> Option<&ValueView<'a>> {
        self.body.as_ref()
    }

    /// Returns the attributes.
    #[inline]
    pub fn attributes(&self) -> Repeated<'a, AttributeView<'a>> {
        Repeated::new(self.message, log_record::ATTRIBUTES, AttributeView::parse)
    }

    /// Reads everything, nested messages included.
    ///
    /// # Errors
    ///
    /// Returns the first fault: in the body, then in the attributes.
    pub fn validate(&self) -> Result<(), DecodeError> {
        if let Some(body) = &self.body {
            body.clone().validate()?;
        }
        self.attributes()
            .try_for_each(|attribute| attribute?.validate())
    }
}

impl fmt::Debug for LogRecordView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogRecordView")
            .field("severity_number", &self.severity_number)
            .field("body", &self.body)
            .field("trace_id", &self.trace_id)
            .field("span_id", &self.span_id)
            .finish_non_exhaustive()
    }
}
