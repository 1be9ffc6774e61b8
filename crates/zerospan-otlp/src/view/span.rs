use super::message::{Message, Repeated, once};
use super::{AttributeView, ViewError};
use std::fmt;

/// Declares the public readers of a view's fields.
macro_rules! fields {
    ($($(#[$doc:meta])+ $field:ident: $kind:ty;)+) => {$(
        $(#[$doc])+
        #[inline]
        pub fn $field(&self) -> $kind {
            self.$field
        }
    )+};
}

/// One span of encoded bytes.
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
    /// The first fault outside attributes, events and links, which are read later.
    pub fn new(bytes: &'a [u8]) -> Result<Self, ViewError> {
        Self::parse(Message::whole(bytes))
    }

    pub(super) fn parse(message: Message<'a>) -> Result<Self, ViewError> {
        let mut span = Self {
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
                1 => span.trace_id = field.bytes()?,
                2 => span.span_id = field.bytes()?,
                3 => span.trace_state = field.text()?,
                4 => span.parent_span_id = field.bytes()?,
                5 => span.name = field.text()?,
                6 => span.kind = field.varint()? as i32,
                7 => span.start_unix_nanos = field.fixed64()?,
                8 => span.end_unix_nanos = field.fixed64()?,
                9 | 11 | 13 => drop(field.message()?),
                10 => span.dropped_attributes = field.varint()? as u32,
                12 => span.dropped_events = field.varint()? as u32,
                14 => span.dropped_links = field.varint()? as u32,
                15 => once(&mut status, field)?,
                16 => span.flags = field.fixed32()?,
                _ => field.unknown(message)?,
            }
        }
        span.status = status.map(StatusView::parse).transpose()?;
        Ok(span)
    }

    fields! {
        /// The trace's id: 16 bytes, if it is valid.
        trace_id: &'a [u8];
        /// The span's id: 8 bytes, if it is valid.
        span_id: &'a [u8];
        /// The trace state, as a header.
        trace_state: &'a str;
        /// The parent's id; empty where there is none.
        parent_span_id: &'a [u8];
        /// The trace flags in the low 8 bits, then whether it is known whether the parent is remote, then whether it is.
        flags: u32;
        /// The span's name.
        name: &'a str;
        /// The span's kind: 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
        kind: i32;
        /// When the span started, in nanoseconds since 1970.
        start_unix_nanos: u64;
        /// When the span ended, in nanoseconds since 1970.
        end_unix_nanos: u64;
        /// How many attributes were dropped.
        dropped_attributes: u32;
        /// How many events were dropped.
        dropped_events: u32;
        /// How many links were dropped.
        dropped_links: u32;
        /// The status; `None` where the message has none.
        status: Option<StatusView<'a>>;
    }

    /// The span's attributes.
    #[inline]
    pub fn attributes(&self) -> Repeated<'a, AttributeView<'a>> {
        self.message.repeated(9, AttributeView::parse)
    }

    /// The span's events.
    #[inline]
    pub fn events(&self) -> Repeated<'a, EventView<'a>> {
        self.message.repeated(11, EventView::parse)
    }

    /// The span's links.
    #[inline]
    pub fn links(&self) -> Repeated<'a, LinkView<'a>> {
        self.message.repeated(13, LinkView::parse)
    }

    /// Reads everything, however deep.
    ///
    /// # Errors
    ///
    /// The first fault, in the order of reading.
    pub fn validate(&self) -> Result<(), ViewError> {
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

/// The status of a span of encoded bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusView<'a> {
    message: &'a str,
    code: i32,
}

impl<'a> StatusView<'a> {
    fn parse(message: Message<'a>) -> Result<Self, ViewError> {
        let (mut text, mut code) = ("", 0);
        for field in message.fields() {
            let field = field?;
            match field.number {
                2 => text = field.text()?,
                3 => code = field.varint()? as i32,
                _ => field.unknown(message)?,
            }
        }
        Ok(Self {
            message: text,
            code,
        })
    }

    fields! {
        /// What went wrong; empty where nothing did.
        message: &'a str;
        /// 0 unset, 1 ok, 2 error.
        code: i32;
    }
}

/// One event of a span of encoded bytes.
#[derive(Clone, Copy)]
pub struct EventView<'a> {
    content: Message<'a>,
    time_unix_nanos: u64,
    name: &'a str,
    dropped_attributes: u32,
}

impl<'a> EventView<'a> {
    fn parse(message: Message<'a>) -> Result<Self, ViewError> {
        let mut event = Self {
            content: message,
            time_unix_nanos: 0,
            name: "",
            dropped_attributes: 0,
        };
        for field in message.fields() {
            let field = field?;
            match field.number {
                1 => event.time_unix_nanos = field.fixed64()?,
                2 => event.name = field.text()?,
                3 => drop(field.message()?),
                4 => event.dropped_attributes = field.varint()? as u32,
                _ => field.unknown(message)?,
            }
        }
        Ok(event)
    }

    fields! {
        /// When it happened, in nanoseconds since 1970.
        time_unix_nanos: u64;
        /// The event's name.
        name: &'a str;
        /// How many attributes were dropped.
        dropped_attributes: u32;
    }

    /// The event's attributes.
    pub fn attributes(&self) -> Repeated<'a, AttributeView<'a>> {
        self.content.repeated(3, AttributeView::parse)
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

/// One link of a span of encoded bytes.
#[derive(Clone, Copy)]
pub struct LinkView<'a> {
    content: Message<'a>,
    trace_id: &'a [u8],
    span_id: &'a [u8],
    trace_state: &'a str,
    dropped_attributes: u32,
    flags: u32,
}

impl<'a> LinkView<'a> {
    fn parse(message: Message<'a>) -> Result<Self, ViewError> {
        let mut link = Self {
            content: message,
            trace_id: &[],
            span_id: &[],
            trace_state: "",
            dropped_attributes: 0,
            flags: 0,
        };
        for field in message.fields() {
            let field = field?;
            match field.number {
                1 => link.trace_id = field.bytes()?,
                2 => link.span_id = field.bytes()?,
                3 => link.trace_state = field.text()?,
                4 => drop(field.message()?),
                5 => link.dropped_attributes = field.varint()? as u32,
                6 => link.flags = field.fixed32()?,
                _ => field.unknown(message)?,
            }
        }
        Ok(link)
    }

    fields! {
        /// The linked span's trace id: 16 bytes, if it is valid.
        trace_id: &'a [u8];
        /// The linked span's id: 8 bytes, if it is valid.
        span_id: &'a [u8];
        /// The linked span's trace state, as a header.
        trace_state: &'a str;
        /// How many attributes were dropped.
        dropped_attributes: u32;
        /// The linked span's trace flags, and whether its context is remote, as in [`SpanView::flags`].
        flags: u32;
    }

    /// The link's attributes.
    pub fn attributes(&self) -> Repeated<'a, AttributeView<'a>> {
        self.content.repeated(4, AttributeView::parse)
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
