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

/// Checks one header, which errors call `shown`: they contain neither the value nor a name that is none, since either may be
/// a secret.
pub(super) fn header(
    setting: &str,
    shown: &str,
    name: &str,
    value: &str,
) -> Result<(HeaderName, HeaderValue), ConfigError> {
    let unusable = |accepted| ConfigError::new(setting, shown, accepted);
    let header = HeaderName::try_from(name).map_err(|_| {
        unusable("a header with a name of letters, digits and hyphens, and the value apart from it")
    })?;
    if let Some(reserved) = RESERVED.iter().find(|&&reserved| reserved == header) {
        return Err(ConfigError::new(
            setting,
            format!("{reserved}=..."),
            "another header: the transport controls this one",
        ));
    }
    match HeaderValue::try_from(value) {
        // gRPC accepts ASCII only.
        Ok(mut text) if text.to_str().is_ok() => {
            text.set_sensitive(true);
            Ok((header, text))
        }
        _ => Err(unusable("a value of visible ASCII characters and spaces")),
    }
}

/// Parses `name=value,name=value` with percent-encoded values, as in W3C Baggage. Leaves out the pairs that cannot be used,
/// and returns an error for each, which names it by its place.
pub(super) fn parse(setting: &str, text: &str) -> (HeaderMap, Vec<ConfigError>) {
    let (mut headers, mut errors) = (HeaderMap::new(), Vec::new());
    let pairs = text
        .split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty());
    for (index, pair) in pairs.enumerate() {
        match parse_pair(setting, &format!("pair {}", index + 1), pair) {
            Ok((name, value)) => {
                headers.insert(name, value);
            }
            Err(error) => errors.push(error),
        }
    }
    (headers, errors)
}

fn parse_pair(
    setting: &str,
    shown: &str,
    pair: &str,
) -> Result<(HeaderName, HeaderValue), ConfigError> {
    let accepted = "name=value,name=value with percent-encoded values of visible ASCII characters";
    let unusable = || ConfigError::new(setting, shown, accepted);
    let (name, value) = pair.split_once('=').ok_or_else(unusable)?;
    let value = percent_decode_str(value.trim())
        .decode_utf8()
        .map_err(|_| unusable())?;
    header(setting, shown, name.trim(), value.trim())
}

/// Parts of the names of headers whose values are secrets.
const CREDENTIALS: [&str; 9] = [
    "auth",
    "cookie",
    "credential",
    "key",
    "license",
    "passw",
    "secret",
    "signature",
    "token",
];

/// Returns `true` if one of the headers has the name of a credential.
pub(super) fn has_credentials(headers: &HeaderMap) -> bool {
    let is_credential = |name: &HeaderName| {
        let mut parts = CREDENTIALS.iter();
        parts.any(|part| name.as_str().contains(part))
    };
    headers.keys().any(is_credential)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_marked_as_secrets() {
        let (headers, errors) = parse("headers", "authorization=Basic%20QQ==,tenant=1");
        assert_eq!(errors, []);
        assert!(headers.values().all(HeaderValue::is_sensitive));
        assert!(!format!("{headers:?}").contains("QQ"));
    }

    #[test]
    fn credentials_are_known_by_their_names() {
        for (name, expected) in [
            ("Authorization", true),
            ("x-honeycomb-team-api-key", true),
            ("X-Auth-Token", true),
            ("tenant", false),
        ] {
            let (headers, _) = parse("headers", &format!("{name}=1"));
            assert_eq!(has_credentials(&headers), expected, "{name}");
        }
    }
}
