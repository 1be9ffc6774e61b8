//! The environment variables of a logger provider.

use zerospan_otlp::LogRecordLimits;
use zerospan_trace::shared::{EnvResource, is_disabled, number};
use zerospan_transport::env::Environment;

/// The settings of the environment.
#[derive(Debug, Default)]
pub(super) struct EnvConfig {
    pub(super) is_disabled: bool,
    pub(super) limits: LogRecordLimits,
    pub(super) resource: EnvResource,
}

impl EnvConfig {
    pub(super) fn read(env: &mut Environment<'_>) -> Self {
        Self {
            is_disabled: is_disabled(env),
            limits: limits(env),
            resource: EnvResource::read(env),
        }
    }
}

/// Reads the limits. A variable for log records has priority over the general one.
fn limits(env: &mut Environment<'_>) -> LogRecordLimits {
    let mut read = |names: [&str; 2]| {
        let [general, specific] = names.map(|name| env.parse(name, number));
        specific.or(general)
    };
    let count = read([
        "OTEL_ATTRIBUTE_COUNT_LIMIT",
        "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT",
    ]);
    let length = read([
        "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    ]);
    let mut limits = LogRecordLimits::default();
    if let Some(count) = count {
        limits.max_attributes = count;
    }
    limits.max_attribute_value_length = length;
    limits
}

#[cfg(test)]
mod tests {
    use super::*;
    use zerospan_transport::env::from_vars;

    fn read(vars: &[(&str, &str)]) -> (EnvConfig, usize) {
        let lookup = |name: &str| {
            let found = vars.iter().find(|(var, _)| *var == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let (config, ignored) = from_vars(lookup, EnvConfig::read);
        (config, ignored.len())
    }

    #[test]
    fn a_specific_limit_has_priority_over_the_general_one() {
        let general = [
            ("OTEL_ATTRIBUTE_COUNT_LIMIT", "10"),
            ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "7"),
        ];
        let (config, _) = read(&general);
        assert_eq!(config.limits.max_attributes, 10);
        assert_eq!(config.limits.max_attribute_value_length, Some(7));
        let specific = [
            ("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "3"),
            ("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "5"),
        ];
        let (config, _) = read(&[general, specific].concat());
        assert_eq!(config.limits.max_attributes, 3);
        assert_eq!(config.limits.max_attribute_value_length, Some(5));
        assert_eq!(read(&[]).0.limits, LogRecordLimits::default());
    }

    #[test]
    fn a_limit_that_cannot_be_used_is_reported_and_the_general_one_applies() {
        let (config, ignored) = read(&[
            ("OTEL_ATTRIBUTE_COUNT_LIMIT", "10"),
            ("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "-1"),
            ("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "many"),
        ]);
        assert_eq!((config.limits.max_attributes, ignored), (10, 2));
        assert_eq!(config.limits.max_attribute_value_length, None);
    }
}
