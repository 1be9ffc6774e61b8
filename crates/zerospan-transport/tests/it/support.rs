//! Requests, and the settings to send them with.

use std::collections::HashMap;
use std::time::{Duration, Instant};
use zerospan_transport::{
    ConfigError, Connect, ExportResponse, OtlpConfig, Request, SendError, Signal,
};

/// An encoded request with one resource, which has no spans.
pub(crate) const BODY: &[u8] = b"\x0a\x02\x0a\x00";

/// Long enough for a request on any machine.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// The time for what ends on its own on any machine, and would take [`LONG`] if it waited for something else.
pub(crate) const BRIEF: Duration = Duration::from_secs(15);

/// A request that has long enough.
pub(crate) fn request() -> Request<'static> {
    let deadline = Instant::now() + LONG;
    Request::new(Signal::Traces, BODY, 1, deadline)
}

/// Sends one request with these settings.
pub(crate) fn try_send(config: &OtlpConfig) -> Result<ExportResponse, SendError> {
    let connector = config.connector(Signal::Traces).unwrap();
    connector.connect()?.send(&request())
}

/// Sends one request with this body.
pub(crate) fn try_send_body(config: &OtlpConfig, body: &[u8]) -> Result<ExportResponse, SendError> {
    let connector = config.connector(Signal::Traces).unwrap();
    let deadline = Instant::now() + LONG;
    connector
        .connect()?
        .send(&Request::new(Signal::Traces, body, 1, deadline))
}

/// Reads the settings from these variables, and the errors about those that are ignored.
pub(crate) fn from(vars: &[(&str, &str)]) -> (OtlpConfig, Vec<ConfigError>) {
    from_for(Signal::Traces, vars)
}

/// Likewise, for `signal`.
pub(crate) fn from_for(signal: Signal, vars: &[(&str, &str)]) -> (OtlpConfig, Vec<ConfigError>) {
    let vars: HashMap<&str, &str> = vars.iter().copied().collect();
    OtlpConfig::from_vars_for(signal, |name| {
        vars.get(name).map(|value| (*value).to_owned())
    })
}
