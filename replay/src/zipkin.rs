//! Zipkin's v2 model.

use serde::Deserialize;

/// A span as Zipkin's v2 model has it. Times are in microseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The trace's id.
    pub trace_id: u128,
    /// The span's id, which the server's half of an RPC may share with the client's.
    pub id: u64,
    /// The parent's id.
    pub parent_id: Option<u64>,
    /// The span's side of an exchange.
    pub kind: Option<Kind>,
    /// The name; empty if the file has none.
    pub name: String,
    /// The start in microseconds since 1970; 0 if unknown.
    pub timestamp: u64,
    /// The duration in microseconds; 0 if unknown.
    pub duration: u64,
    /// Asks every sampler to keep the span.
    pub debug: Option<bool>,
    /// The span shares its id with the caller's span.
    pub shared: Option<bool>,
    /// The service that recorded the span.
    pub local: Endpoint,
    /// The other side.
    pub remote: Endpoint,
    /// Timed events.
    pub annotations: Vec<Annotation>,
    /// Key and value pairs.
    pub tags: Vec<(String, String)>,
}

/// A span's side of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Kind {
    /// Waits for an answer.
    Client,
    /// Answers.
    Server,
    /// Sends a message.
    Producer,
    /// Takes a message.
    Consumer,
}

/// A service at an address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Endpoint {
    /// The service's name.
    pub service_name: Option<String>,
    /// Its IPv4 address.
    pub ipv4: Option<String>,
    /// Its IPv6 address.
    pub ipv6: Option<String>,
    /// Its port.
    pub port: Option<u16>,
}

/// Something that happened at a point in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// The time, in microseconds since 1970.
    pub timestamp: u64,
    /// The text.
    pub value: String,
}
