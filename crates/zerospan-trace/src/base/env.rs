//! The environment variables that the providers of all signals read.

use opentelemetry::KeyValue;
use percent_encoding::percent_decode_str;
use zerospan_transport::ConfigError;
use zerospan_transport::env::{Environment, boolean};

/// The resource that the environment describes.
#[derive(Debug, Default)]
pub struct EnvResource {
    pub(crate) service_name: Option<String>,
    pub(crate) attributes: Vec<EnvAttribute>,
}

impl EnvResource {
    /// Reads `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`.
    pub fn read(env: &mut Environment<'_>) -> Self {
        Self {
            service_name: env.get("OTEL_SERVICE_NAME"),
            attributes: env
                .parse("OTEL_RESOURCE_ATTRIBUTES", resource_attributes)
                .unwrap_or_default(),
        }
    }
}

/// An attribute of `OTEL_RESOURCE_ATTRIBUTES`.
#[derive(Debug)]
pub(crate) struct EnvAttribute {
    /// The value before percent-decoding, as the official SDK takes it.
    pub(crate) raw: String,
    pub(crate) attribute: KeyValue,
}

/// Reads `OTEL_SDK_DISABLED`.
pub fn is_disabled(env: &mut Environment<'_>) -> bool {
    env.parse("OTEL_SDK_DISABLED", boolean).unwrap_or(false)
}

/// Parses a limit.
pub fn number(name: &str, value: &str) -> Result<u32, ConfigError> {
    value
        .parse()
        .map_err(|_| ConfigError::new(name, value, "a whole number from 0 to 4294967295"))
}

/// Parses `OTEL_RESOURCE_ATTRIBUTES`. As the specification asks, an error discards the whole value.
fn resource_attributes(name: &str, value: &str) -> Result<Vec<EnvAttribute>, ConfigError> {
    value
        .split(',')
        .filter(|member| !member.trim().is_empty())
        .map(|member| {
            let (key, value) = member.split_once('=')?;
            let key = decode(key.trim()).filter(|key| !key.is_empty())?;
            Some(EnvAttribute {
                raw: value.trim().to_owned(),
                attribute: KeyValue::new(key, decode(value.trim())?),
            })
        })
        .collect::<Option<_>>()
        .ok_or_else(|| {
            // An attribute may be a secret.
            ConfigError::new(
                name,
                "...",
                "key=value pairs separated by commas, percent-encoded UTF-8",
            )
        })
}

/// Decodes percent-encoded text. Returns `None` if it is malformed.
fn decode(text: &str) -> Option<String> {
    // The decoder leaves a `%` without two digits as it is; the specification calls that an error.
    let is_valid = text.split('%').skip(1).all(|rest| {
        let mut digits = rest.bytes().take(2);
        digits.len() == 2 && digits.all(|digit| digit.is_ascii_hexdigit())
    });
    if !is_valid {
        return None;
    }
    percent_decode_str(text)
        .decode_utf8()
        .ok()
        .map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use zerospan_transport::env::from_vars;

    /// Reads the variable `name`, which has `value`.
    fn read<T>(name: &str, value: &str, read: impl FnOnce(&mut Environment<'_>) -> T) -> T {
        from_vars(|var| (var == name).then(|| value.to_owned()), read).0
    }

    fn attributes(value: &str) -> Vec<KeyValue> {
        let resource = read("OTEL_RESOURCE_ATTRIBUTES", value, EnvResource::read);
        resource
            .attributes
            .into_iter()
            .map(|found| found.attribute)
            .collect()
    }

    #[test]
    fn resource_attributes_are_percent_decoded_or_discarded_as_a_whole() {
        assert_eq!(
            attributes(" a = b%20c , %C3%BC=1=2,,"),
            [KeyValue::new("a", "b c"), KeyValue::new("ü", "1=2")]
        );
        for malformed in ["a", "a=1,b", "=1", "a=%", "a=%4", "a=%zz", "a=%FF"] {
            assert_eq!(attributes(malformed), [], "{malformed}");
        }
    }

    #[test]
    fn only_true_disables_the_sdk() {
        for (value, is_disabled) in [
            ("true", true),
            ("TRUE", true),
            ("false", false),
            ("1", false),
            ("", false),
        ] {
            assert_eq!(
                read("OTEL_SDK_DISABLED", value, super::is_disabled),
                is_disabled,
                "{value}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn any_value_of_a_variable_is_read_or_ignored(value in "\\PC{0,40}") {
            let (resource, _) = from_vars(|_| Some(value.clone()), EnvResource::read);
            for found in resource.attributes {
                proptest::prop_assert!(!found.attribute.key.as_str().is_empty());
            }
        }
    }
}
