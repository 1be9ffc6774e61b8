use super::fields::fields;
use super::repeated::Repeated;
use super::value::AttributeView;
use crate::protobuf::schema::{event, link, span, status};
use crate::protobuf::{DecodeError, Message};
use std::fmt;

/// A span in encoded bytes.
#[derive(Clone, Copy)]
pub struct SpanView<'a> {
    message: Message<'a>,
    trace_id: &'a [u8],
    span_id: &'a [u8],
    trace_state: &'a str,
    parent_span_id: &'a [u8],
    flags: u32,
    name: &'a str,
    kind: i32,
    start_unix_nanos: u64,
    end_unix_nanos: u64,
    dropped_attributes: u32,
    dropped_events: u32,
    dropped_links: u32,
    status: Option<StatusView<'a>>,
}

impl<'a> SpanView<'a> {
    /// Reads the content of a `Span`.
    ///
    /// # Errors
    ///
    /// Returns the first fault outside attributes, events and links, which are read later.
    pub fn new(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        Self::parse(Message::new(bytes))
    }

    pub(super) fn parse(message: Message<'a>) -> Result<Self, DecodeError> {
        let mut view = Self {
            message,
            trace_id: &[],
            span_id: &[],
            trace_state: "",
            parent_span_id: &[],
            flags: 0,
            name: "",
            kind: 0,
            start_unix_nanos: 0,
            end_unix_nanos: 0,
            dropped_attributes: 0,
            dropped_events: 0,
            dropped_links: 0,
            status: None,
        };
        let mut status = None;
        for field in message.fields() {
            let field = field?;
            match field.number {
                span::TRACE_ID => view.trace_id = field.bytes()?,
                span::SPAN_ID => view.span_id = field.bytes()?,
                span::TRACE_STATE => view.trace_state = field.text()?,
                span::PARENT_SPAN_ID => view.parent_span_id = field.bytes()?,
                span::NAME => view.name = field.text()?,
                span::KIND => view.kind = field.varint()? as i32,
                span::START_TIME_UNIX_NANO => view.start_unix_nanos = field.fixed64()?,
                span::END_TIME_UNIX_NANO => view.end_unix_nanos = field.fixed64()?,
                span::ATTRIBUTES | span::EVENTS | span::LINKS => drop(field.message()?),
                span::DROPPED_ATTRIBUTES_COUNT => {
                    view.dropped_attributes = field.varint()? as u32;
                }
                span::DROPPED_EVENTS_COUNT => view.dropped_events = field.varint()? as u32,
                span::DROPPED_LINKS_COUNT => view.dropped_links = field.varint()? as u32,
                span::STATUS => field.store_message(&mut status)?,
                span::FLAGS => view.flags = field.fixed32()?,
                _ => field.skip(message)?,
            }
        }
        view.status = status.map(StatusView::parse).transpose()?;
        Ok(view)
    }

    fields! {
        /// Returns the trace id: 16 bytes if it is valid.
        trace_id: &'a [u8];
        /// Returns the span id: 8 bytes if it is valid.
        span_id: &'a [u8];
        /// Returns the trace state, as in the `tracestate` header.
        trace_state: &'a str;
        /// Returns the id of the parent, or no bytes if there is none.
        parent_span_id: &'a [u8];
        /// Returns the flags: the trace flags in bits 0 to 7, `HAS_IS_REMOTE` in bit 8, and in bit 9 `IS_REMOTE`, which is set if
        /// the parent is remote.
        flags: u32;
        /// Returns the name.
        name: &'a str;
        /// Returns the kind: 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
        kind: i32;
        /// Returns the start time, in nanoseconds since the Unix epoch.
        start_unix_nanos: u64;
        /// Returns the end time, in nanoseconds since the Unix epoch.
        end_unix_nanos: u64;
        /// Returns the number of attributes that were dropped.
        dropped_attributes: u32;
        /// Returns the number of events that were dropped.
        dropped_events: u32;
        /// Returns the number of links that were dropped.
        dropped_links: u32;
        /// Returns the status, if the message has one.
        status: Option<StatusView<'a>>;
    }

    /// Returns the attributes.
    #[inline]
    pub fn attributes(&self) -> Repeated<'a, AttributeView<'a>> {
        Repeated::new(self.message, span::ATTRIBUTES, AttributeView::parse)
    }

    /// Returns the events.
    #[inline]
    pub fn events(&self) -> Repeated<'a, EventView<'a>> {
        Repeated::new(self.message, span::EVENTS, EventView::parse)
    }

    /// Returns the links.
    #[inline]
    pub fn links(&self) -> Repeated<'a, LinkView<'a>> {
        Repeated::new(self.message, span::LINKS, LinkView::parse)
    }

    /// Reads everything, nested messages included.
    ///
    /// # Errors
    ///
    /// Returns the first fault, in the order of reading.
    pub fn validate(&self) -> Result<(), DecodeError> {
        self.attributes()
            .try_for_each(|attribute| attribute?.validate())?;
        self.events().try_for_each(|event| {
            event?
                .attributes()
                .try_for_each(|attribute| attribute?.validate())
        })?;
        self.links().try_for_each(|link| {
            link?
                .attributes()
                .try_for_each(|attribute| attribute?.validate())
        })
    }
}

impl fmt::Debug for SpanView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanView")
            .field("name", &self.name)
            .field("trace_id", &self.trace_id)
            .field("span_id", &self.span_id)
            .finish_non_exhaustive()
    }
}

/// The status of a span in encoded bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusView<'a> {
    message: &'a str,
    code: i32,
}

impl<'a> StatusView<'a> {
    fn parse(message: Message<'a>) -> Result<Self, DecodeError> {
        let (mut text, mut code) = ("", 0);
        for field in message.fields() {
            let field = field?;
            match field.number {
                status::MESSAGE => text = field.text()?,
                status::CODE => code = field.varint()? as i32,
                _ => field.skip(message)?,
            }
        }
        Ok(Self {
            message: text,
            code,
        })
    }

    fields! {
        /// Returns the description of the error, or an empty text if there is none.
        message: &'a str;
        /// Returns the code: 0 unset, 1 ok, 2 error.
        code: i32;
    }
}

/// An event of a span in encoded bytes.
#[derive(Clone, Copy)]
pub struct EventView<'a> {
    message: Message<'a>,
    time_unix_nanos: u64,
    name: &'a str,
    dropped_attributes: u32,
}

impl<'a> EventView<'a> {
    fn parse(message: Message<'a>) -> Result<Self, DecodeError> {
        let mut view = Self {
            message,
            time_unix_nanos: 0,
            name: "",
            dropped_attributes: 0,
        };
        for field in message.fields() {
            let field = field?;
            match field.number {
                event::TIME_UNIX_NANO => view.time_unix_nanos = field.fixed64()?,
                event::NAME => view.name = field.text()?,
                event::ATTRIBUTES => drop(field.message()?),
                event::DROPPED_ATTRIBUTES_COUNT => {
                    view.dropped_attributes = field.varint()? as u32;
                }
                _ => field.skip(message)?,
            }
        }
        Ok(view)
    }

    fields! {
        /// Returns the time of the event, in nanoseconds since the Unix epoch.
        time_unix_nanos: u64;
        /// Returns the name.
        name: &'a str;
        /// Returns the number of attributes that were dropped.
        dropped_attributes: u32;
    }

    /// Returns the attributes.
    pub fn attributes(&self) -> Repeated<'a, AttributeView<'a>> {
        Repeated::new(self.message, event::ATTRIBUTES, AttributeView::parse)
    }
}

impl fmt::Debug for EventView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventView")
            .field("name", &self.name)
            .field("time_unix_nanos", &self.time_unix_nanos)
            .finish_non_exhaustive()
    }
}

/// A link of a span in encoded bytes.
#[derive(Clone, Copy)]
pub struct LinkView<'a> {
    message: Message<'a>,
    trace_id: &'a [u8],
    span_id: &'a [u8],
    trace_state: &'a str,
    dropped_attributes: u32,
    flags: u32,
}

impl<'a> LinkView<'a> {
    fn parse(message: Message<'a>) -> Result<Self, DecodeError> {
        let mut view = Self {
            message,
            trace_id: &[],
            span_id: &[],
            trace_state: "",
            dropped_attributes: 0,
            flags: 0,
        };
        for field in message.fields() {
            let field = field?;
            match field.number {
                link::TRACE_ID => view.trace_id = field.bytes()?,
                link::SPAN_ID => view.span_id = field.bytes()?,
                link::TRACE_STATE => view.trace_state = field.text()?,
                link::ATTRIBUTES => drop(field.message()?),
                link::DROPPED_ATTRIBUTES_COUNT => view.dropped_attributes = field.varint()? as u32,
                link::FLAGS => view.flags = field.fixed32()?,
                _ => field.skip(message)?,
            }
        }
        Ok(view)
    }

    fields! {
        /// Returns the trace id of the linked span: 16 bytes if it is valid.
        trace_id: &'a [u8];
        /// Returns the span id of the linked span: 8 bytes if it is valid.
        span_id: &'a [u8];
        /// Returns the trace state of the linked span, as in the `tracestate` header.
        trace_state: &'a str;
        /// Returns the number of attributes that were dropped.
        dropped_attributes: u32;
        /// Returns the flags, as [`SpanView::flags`] does; bit 9 is set if the linked span's context is remote.
        flags: u32;
    }

    /// Returns the attributes.
    pub fn attributes(&self) -> Repeated<'a, AttributeView<'a>> {
        Repeated::new(self.message, link::ATTRIBUTES, AttributeView::parse)
    }
}

impl fmt::Debug for LinkView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkView")
            .field("trace_id", &self.trace_id)
            .field("span_id", &self.span_id)
            .finish_non_exhaustive()
    }
}
