use crate::error::ConfigError;
use percent_encoding::percent_decode_str;
use uri::{HeaderMap, HeaderName, HeaderValue};

/// Headers that the transport sets, or that describe the connection: another value would break the request.
const RESERVED: [&str; 16] = [
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "grpc-accept-encoding",
    "grpc-encoding",
    "grpc-timeout",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Checks one header. The error does not contain the value, which may be a secret.
pub(super) fn header(
    setting: &str,
    name: &str,
    value: &str,
) -> Result<(HeaderName, HeaderValue), ConfigError> {
    let header = HeaderName::try_from(name).map_err(|_| {
        ConfigError::new(
            setting,
            format!("{name}=..."),
            "a header name of letters, digits and hyphens",
        )
    })?;
    if RESERVED.contains(&header.as_str()) {
        return Err(ConfigError::new(
            setting,
            format!("{name}=..."),
            "another header: the transport controls this one",
        ));
    }
    match HeaderValue::try_from(value) {
        // gRPC accepts ASCII only.
        Ok(text) if text.to_str().is_ok() => Ok((header, text)),
        _ => Err(ConfigError::new(
            setting,
            format!("{name}=..."),
            "a value of visible ASCII characters and spaces",
        )),
    }
}

/// Parses `name=value,name=value` with percent-encoded values, as in W3C Baggage. Leaves out the pairs that cannot be used,
/// and returns an error for each.
pub(super) fn parse(setting: &str, text: &str) -> (HeaderMap, Vec<ConfigError>) {
    let (mut headers, mut errors) = (HeaderMap::new(), Vec::new());
    for pair in text
        .split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
    {
        match parse_pair(setting, pair) {
            Ok((name, value)) => {
                headers.insert(name, value);
            }
            Err(error) => errors.push(error),
        }
    }
    (headers, errors)
}

fn parse_pair(setting: &str, pair: &str) -> Result<(HeaderName, HeaderValue), ConfigError> {
    let Some((name, value)) = pair.split_once('=') else {
        return Err(ConfigError::new(
            setting,
            "a pair without `=`",
            "name=value,name=value with percent-encoded values",
        ));
    };
    let value = percent_decode_str(value.trim())
        .decode_utf8()
        .map_err(|_| {
            ConfigError::new(
                setting,
                format!("{}=...", name.trim()),
                "a percent-encoded value of visible ASCII characters",
            )
        })?;
    header(setting, name.trim(), value.trim())
}
