//! The environment variables of a tracer provider.

use crate::base::env::{EnvResource, is_disabled, number};
use crate::sampler::{ParentBased, Sampler};
use zerospan_otlp::SpanLimits;
use zerospan_transport::ConfigError;
use zerospan_transport::env::Environment;

/// The settings of the environment.
#[derive(Debug, Default)]
pub(super) struct EnvConfig {
    pub(super) is_disabled: bool,
    pub(super) sampler: Option<Sampler>,
    pub(super) limits: EnvLimits,
    pub(super) resource: EnvResource,
}

impl EnvConfig {
    pub(super) fn read(env: &mut Environment<'_>) -> Self {
        Self {
            is_disabled: is_disabled(env),
            sampler: sampler(env),
            limits: EnvLimits::read(env),
            resource: EnvResource::read(env),
        }
    }
}

/// The span limits that the environment sets.
#[derive(Debug, Default)]
pub(super) struct EnvLimits {
    attributes: Option<u32>,
    attributes_per_event: Option<u32>,
    attributes_per_link: Option<u32>,
    events: Option<u32>,
    links: Option<u32>,
    value_length: Option<u32>,
}

impl EnvLimits {
    /// Reads the limits. A variable for spans, events or links has priority over the general one.
    fn read(env: &mut Environment<'_>) -> Self {
        let count = env.parse("OTEL_ATTRIBUTE_COUNT_LIMIT", number);
        let length = env.parse("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", number);
        let mut read = |name, general: Option<u32>| env.parse(name, number).or(general);
        Self {
            attributes: read("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", count),
            attributes_per_event: read("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", count),
            attributes_per_link: read("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", count),
            events: read("OTEL_SPAN_EVENT_COUNT_LIMIT", None),
            links: read("OTEL_SPAN_LINK_COUNT_LIMIT", None),
            value_length: read("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", length),
        }
    }

    pub(super) fn apply_to(&self, limits: &mut SpanLimits) {
        for (value, limit) in [
            (self.attributes, &mut limits.max_attributes_per_span),
            (
                self.attributes_per_event,
                &mut limits.max_attributes_per_event,
            ),
            (
                self.attributes_per_link,
                &mut limits.max_attributes_per_link,
            ),
            (self.events, &mut limits.max_events_per_span),
            (self.links, &mut limits.max_links_per_span),
        ] {
            if let Some(value) = value {
                *limit = value;
            }
        }
        if self.value_length.is_some() {
            limits.max_attribute_value_length = self.value_length;
        }
    }
}

/// Reads `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`.
fn sampler(env: &mut Environment<'_>) -> Option<Sampler> {
    #[derive(Clone, Copy)]
    enum Root {
        On,
        Off,
        Ratio,
    }
    let (is_parent_based, root) = env.parse("OTEL_TRACES_SAMPLER", |name, value| {
        Ok(match value.to_ascii_lowercase().as_str() {
            "always_on" => (false, Root::On),
            "always_off" => (false, Root::Off),
            "traceidratio" => (false, Root::Ratio),
            "parentbased_always_on" => (true, Root::On),
            "parentbased_always_off" => (true, Root::Off),
            "parentbased_traceidratio" => (true, Root::Ratio),
            _ => {
                return Err(ConfigError::new(
                    name,
                    value,
                    "always_on, always_off or traceidratio, or one of these after `parentbased_`",
                ));
            }
        })
    })?;
    let root = match root {
        Root::On => Sampler::AlwaysOn,
        Root::Off => Sampler::AlwaysOff,
        Root::Ratio => {
            Sampler::TraceIdRatioBased(env.parse("OTEL_TRACES_SAMPLER_ARG", ratio).unwrap_or(1.0))
        }
    };
    Some(if is_parent_based {
        ParentBased::new(root).into()
    } else {
        root
    })
}

fn ratio(name: &str, value: &str) -> Result<f64, ConfigError> {
    match value.parse() {
        Ok(ratio) if (0.0..=1.0).contains(&ratio) => Ok(ratio),
        _ => Err(ConfigError::new(
            name,
            value,
            "a number from 0 to 1; without one, the ratio is 1",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zerospan_transport::env::from_vars;

    fn read(vars: &[(&str, &str)]) -> EnvConfig {
        let lookup = |name: &str| {
            let found = vars.iter().find(|(var, _)| *var == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        from_vars(lookup, EnvConfig::read).0
    }

    fn sampler(name: &str, ratio: &str) -> String {
        let config = read(&[
            ("OTEL_TRACES_SAMPLER", name),
            ("OTEL_TRACES_SAMPLER_ARG", ratio),
        ]);
        format!("{:?}", config.sampler)
    }

    #[test]
    fn samplers_are_read_in_any_case() {
        assert_eq!(sampler("Always_OFF", ""), "Some(AlwaysOff)");
        assert_eq!(
            sampler(" traceidratio ", "0.25"),
            "Some(TraceIdRatioBased(0.25))"
        );
        for invalid in ["nonsense", "1.5", "NaN"] {
            assert_eq!(
                sampler("TraceIdRatio", invalid),
                "Some(TraceIdRatioBased(1.0))"
            );
        }
        assert!(
            sampler("PARENTBASED_TRACEIDRATIO", "0.5").contains("root: TraceIdRatioBased(0.5)")
        );
        assert!(sampler("parentbased_always_off", "").contains("root: AlwaysOff"));
        assert!(sampler("parentbased_always_on", "").contains("root: AlwaysOn"));
        assert_eq!(sampler("always_on", ""), "Some(AlwaysOn)");
        assert_eq!(sampler("jaeger_remote", ""), "None");
        assert_eq!(sampler("", ""), "None");
    }

    fn limits(vars: &[(&str, &str)]) -> SpanLimits {
        let mut limits = SpanLimits::default();
        read(vars).limits.apply_to(&mut limits);
        limits
    }

    #[test]
    fn a_specific_limit_has_priority_over_the_general_one() {
        let found = limits(&[
            ("OTEL_ATTRIBUTE_COUNT_LIMIT", "10"),
            ("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "3"),
            ("OTEL_SPAN_EVENT_COUNT_LIMIT", "-1"),
            ("OTEL_SPAN_LINK_COUNT_LIMIT", "0"),
            ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "7"),
        ]);
        assert_eq!(found.max_attributes_per_span, 10);
        assert_eq!(found.max_attributes_per_event, 3);
        assert_eq!(found.max_attributes_per_link, 10);
        assert_eq!(
            found.max_events_per_span, 128,
            "an invalid value is ignored"
        );
        assert_eq!(found.max_links_per_span, 0);
        assert_eq!(found.max_attribute_value_length, Some(7));
        let specific = limits(&[
            ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "7"),
            ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "5"),
        ]);
        assert_eq!(specific.max_attribute_value_length, Some(5));
        assert_eq!(limits(&[]), SpanLimits::default());
    }

    proptest::proptest! {
        #[test]
        fn any_value_of_a_variable_is_read_or_ignored(value in "\\PC{0,40}") {
            let (config, _) = from_vars(|_| Some(value.clone()), EnvConfig::read);
            proptest::prop_assert_eq!(config.is_disabled, value.trim().eq_ignore_ascii_case("true"));
        }
    }
}
