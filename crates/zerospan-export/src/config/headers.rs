use crate::ConfigError;
use percent_encoding::percent_decode_str;
use uri::{HeaderMap, HeaderName, HeaderValue};

/// Headers that the transport writes itself, or that say how the connection is used: another value breaks the request.
const OF_THE_TRANSPORT: [&str; 16] = [
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

/// One header. An error does not show the value, which may be a secret.
pub(crate) fn header(
    setting: &str,
    name: &str,
    value: &str,
) -> Result<(HeaderName, HeaderValue), ConfigError> {
    let header = HeaderName::try_from(name).map_err(|_| {
        ConfigError::new(
            setting,
            format!("{name}=..."),
            "a header's name: letters, digits and hyphens",
        )
    })?;
    if OF_THE_TRANSPORT.contains(&header.as_str()) {
        return Err(ConfigError::new(
            setting,
            format!("{name}=..."),
            "a header that is not the transport's own: it sets this one itself, or does without",
        ));
    }
    match HeaderValue::try_from(value) {
        // What is not ASCII, gRPC would not take.
        Ok(text) if text.to_str().is_ok() => Ok((header, text)),
        _ => Err(ConfigError::new(
            setting,
            format!("{name}=..."),
            "a value of visible ASCII characters and spaces",
        )),
    }
}

/// `name=value,name=value` with values percent-encoded, as W3C Baggage writes it. A pair that cannot be used is left out.
pub(crate) fn parse(setting: &str, text: &str, errors: &mut Vec<ConfigError>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for pair in text
        .split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
    {
        match pair_of(setting, pair) {
            Ok((name, value)) => {
                headers.insert(name, value);
            }
            Err(error) => errors.push(error),
        }
    }
    headers
}

fn pair_of(setting: &str, pair: &str) -> Result<(HeaderName, HeaderValue), ConfigError> {
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
