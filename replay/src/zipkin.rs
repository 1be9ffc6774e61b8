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
    /// Which side of which exchange it is.
    pub kind: Option<Kind>,
    /// The name; empty where there is none.
    pub name: String,
    /// When it started; 0 where it is not known.
    pub timestamp: u64,
    /// How long it took; 0 where it is not known.
    pub duration: u64,
    /// Whether every sampler was told to keep it.
    pub debug: Option<bool>,
    /// Whether it shares its id with the caller's span.
    pub shared: Option<bool>,
    /// Who recorded it.
    pub local: Endpoint,
    /// The other side.
    pub remote: Endpoint,
    /// What happened meanwhile.
    pub annotations: Vec<Annotation>,
    /// What is known of it.
    pub tags: Vec<(String, String)>,
}

/// Which side of which exchange a span is.
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
    /// When, in microseconds since 1970.
    pub timestamp: u64,
    /// What.
    pub value: String,
}
