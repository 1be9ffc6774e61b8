use crate::sampler::{ParentBased, Sampler};
use opentelemetry::KeyValue;
use percent_encoding::percent_decode_str;
use std::env::VarError;
use zerospan_otlp::SpanLimits;

/// The variables of the specification, as some reader finds them. A variable that is empty counts as not set.
///
/// A value that cannot be used is reported once, when it is read, and ignored.
pub(crate) struct Environment<'a>(&'a dyn Fn(&str) -> Option<String>);

impl<'a> Environment<'a> {
    pub(crate) fn new(read: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self(read)
    }

    fn read(&self, variable: &str) -> Option<String> {
        (self.0)(variable).filter(|value| !value.trim().is_empty())
    }

    /// `OTEL_SDK_DISABLED`.
    pub(crate) fn is_disabled(&self) -> bool {
        const VARIABLE: &str = "OTEL_SDK_DISABLED";
        let Some(value) = self.read(VARIABLE) else {
            return false;
        };
        let disabled = value.trim().eq_ignore_ascii_case("true");
        if !disabled && !value.trim().eq_ignore_ascii_case("false") {
            ignore(VARIABLE, &value, "true or false");
        }
        disabled
    }

    /// `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`.
    pub(crate) fn sampler(&self) -> Option<Sampler> {
        const VARIABLE: &str = "OTEL_TRACES_SAMPLER";
        let value = self.read(VARIABLE)?;
        let by_ratio = || Sampler::TraceIdRatioBased(self.ratio());
        Some(match value.trim().to_ascii_lowercase().as_str() {
            "always_on" => Sampler::AlwaysOn,
            "always_off" => Sampler::AlwaysOff,
            "traceidratio" => by_ratio(),
            "parentbased_always_on" => ParentBased::new(Sampler::AlwaysOn).into(),
            "parentbased_always_off" => ParentBased::new(Sampler::AlwaysOff).into(),
            "parentbased_traceidratio" => ParentBased::new(by_ratio()).into(),
            _ => {
                ignore(
                    VARIABLE,
                    &value,
                    "always_on, always_off, traceidratio, or one of these behind `parentbased_`",
                );
                return None;
            }
        })
    }

    fn ratio(&self) -> f64 {
        const VARIABLE: &str = "OTEL_TRACES_SAMPLER_ARG";
        let Some(value) = self.read(VARIABLE) else {
            return 1.0;
        };
        match value.trim().parse() {
            Ok(ratio) if (0.0..=1.0).contains(&ratio) => ratio,
            _ => {
                ignore(VARIABLE, &value, "a number from 0 to 1; 1 is assumed");
                1.0
            }
        }
    }

    /// The span limits: a variable for spans, events or links wins over the general one.
    pub(crate) fn limits(&self) -> SpanLimits {
        let general = self.number("OTEL_ATTRIBUTE_COUNT_LIMIT");
        let mut limits = SpanLimits::default();
        for (variable, limit, general) in [
            (
                "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
                &mut limits.max_attributes_per_span,
                general,
            ),
            (
                "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
                &mut limits.max_attributes_per_event,
                general,
            ),
            (
                "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
                &mut limits.max_attributes_per_link,
                general,
            ),
            (
                "OTEL_SPAN_EVENT_COUNT_LIMIT",
                &mut limits.max_events_per_span,
                None,
            ),
            (
                "OTEL_SPAN_LINK_COUNT_LIMIT",
                &mut limits.max_links_per_span,
                None,
            ),
        ] {
            if let Some(number) = self.number(variable).or(general) {
                *limit = number;
            }
        }
        limits.max_attribute_value_length = self
            .number("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT")
            .or_else(|| self.number("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"));
        limits
    }

    fn number(&self, variable: &str) -> Option<u32> {
        let value = self.read(variable)?;
        let number = value.trim().parse().ok();
        if number.is_none() {
            ignore(variable, &value, "a whole number from 0 to 4294967295");
        }
        number
    }

    /// `OTEL_SERVICE_NAME`.
    pub(crate) fn service_name(&self) -> Option<String> {
        self.read("OTEL_SERVICE_NAME")
    }

    /// `OTEL_RESOURCE_ATTRIBUTES`: each key with its value as it stands and percent-decoded. As the specification asks, an
    /// error discards all of it.
    pub(crate) fn resource_attributes(&self) -> Vec<EnvironmentAttribute> {
        const VARIABLE: &str = "OTEL_RESOURCE_ATTRIBUTES";
        let Some(value) = self.read(VARIABLE) else {
            return Vec::new();
        };
        let attributes: Option<Vec<_>> = value
            .split(',')
            .filter(|member| !member.trim().is_empty())
            .map(|member| {
                let (key, value) = member.split_once('=')?;
                let key = decoded(key.trim()).filter(|key| !key.is_empty())?;
                Some(EnvironmentAttribute {
                    raw: value.trim().to_owned(),
                    attribute: KeyValue::new(key, decoded(value.trim())?),
                })
            })
            .collect();
        attributes.unwrap_or_else(|| {
            ignore(
                VARIABLE,
                &value,
                "key=value pairs with commas between them, percent-encoded UTF-8",
            );
            Vec::new()
        })
    }
}

/// One attribute of `OTEL_RESOURCE_ATTRIBUTES`.
pub(crate) struct EnvironmentAttribute {
    /// The value before it was decoded, as the stock SDK takes it.
    pub(crate) raw: String,
    pub(crate) attribute: KeyValue,
}

fn decoded(text: &str) -> Option<String> {
    // The decoder leaves a `%` without two digits as it is; the specification calls that an error.
    let whole = text.split('%').skip(1).all(|behind| {
        let mut digits = behind.bytes().take(2);
        digits.len() == 2 && digits.all(|digit| digit.is_ascii_hexdigit())
    });
    if !whole {
        return None;
    }
    percent_decode_str(text)
        .decode_utf8()
        .ok()
        .map(std::borrow::Cow::into_owned)
}

/// The variable of that name of this process.
pub(crate) fn of_process(variable: &str) -> Option<String> {
    match std::env::var(variable) {
        Ok(value) => Some(value),
        Err(VarError::NotPresent) => None,
        Err(VarError::NotUnicode(value)) => {
            ignore(variable, &value.to_string_lossy(), "text in Unicode");
            None
        }
    }
}

fn ignore(variable: &str, value: &str, accepted: &str) {
    tracing::warn!(
        name: "SettingIgnored",
        variable,
        value,
        accepted,
        "an environment variable has a value that cannot be used: it is ignored"
    );
}

#[cfg(test)]
#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the method is of one lifetime, the closure of any"
)]
mod tests {
    use super::*;

    fn with<O>(pairs: &[(&str, &str)], work: impl FnOnce(&Environment<'_>) -> O) -> O {
        let read = |name: &str| {
            let found = pairs.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        work(&Environment::new(&read))
    }

    fn sampler(name: &str, ratio: &str) -> String {
        let pairs = [
            ("OTEL_TRACES_SAMPLER", name),
            ("OTEL_TRACES_SAMPLER_ARG", ratio),
        ];
        with(&pairs, |environment| format!("{:?}", environment.sampler()))
    }

    #[test]
    fn samplers_from_the_environment_are_found_whatever_their_case() {
        assert_eq!(sampler("Always_OFF", ""), "Some(AlwaysOff)");
        assert_eq!(
            sampler(" traceidratio ", "0.25"),
            "Some(TraceIdRatioBased(0.25))"
        );
        assert_eq!(
            sampler("TraceIdRatio", "nonsense"),
            "Some(TraceIdRatioBased(1.0))"
        );
        assert_eq!(
            sampler("traceidratio", "1.5"),
            "Some(TraceIdRatioBased(1.0))"
        );
        assert_eq!(
            sampler("traceidratio", "NaN"),
            "Some(TraceIdRatioBased(1.0))"
        );
        assert!(
            sampler("PARENTBASED_TRACEIDRATIO", "0.5").contains("root: TraceIdRatioBased(0.5)")
        );
        assert!(sampler("parentbased_always_off", "").contains("root: AlwaysOff"));
        assert_eq!(sampler("jaeger_remote", ""), "None");
        assert_eq!(sampler("", ""), "None");
    }

    #[test]
    fn limits_from_the_environment_prefer_the_narrower_variable() {
        let pairs = [
            ("OTEL_ATTRIBUTE_COUNT_LIMIT", "10"),
            ("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "3"),
            ("OTEL_SPAN_EVENT_COUNT_LIMIT", "-1"),
            ("OTEL_SPAN_LINK_COUNT_LIMIT", "0"),
            ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "7"),
        ];
        let limits = with(&pairs, |environment| environment.limits());
        assert_eq!(limits.max_attributes_per_span, 10);
        assert_eq!(limits.max_attributes_per_event, 3);
        assert_eq!(limits.max_attributes_per_link, 10);
        assert_eq!(
            limits.max_events_per_span, 128,
            "a value that does not parse is ignored"
        );
        assert_eq!(limits.max_links_per_span, 0);
        assert_eq!(limits.max_attribute_value_length, Some(7));
        let narrower = [
            ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "7"),
            ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "5"),
        ];
        assert_eq!(
            with(&narrower, |environment| environment.limits()).max_attribute_value_length,
            Some(5)
        );
        assert_eq!(
            with(&[], |environment| environment.limits()),
            SpanLimits::default()
        );
    }

    fn attributes(value: &str) -> Vec<KeyValue> {
        with(&[("OTEL_RESOURCE_ATTRIBUTES", value)], |environment| {
            let found = environment.resource_attributes();
            found.into_iter().map(|found| found.attribute).collect()
        })
    }

    #[test]
    fn resource_attributes_are_percent_decoded_or_discarded_whole() {
        assert_eq!(
            attributes(" a = b%20c , %C3%BC=1=2,,"),
            [KeyValue::new("a", "b c"), KeyValue::new("ü", "1=2")]
        );
        for broken in ["a", "a=1,b", "=1", "a=%", "a=%4", "a=%zz", "a=%FF"] {
            assert_eq!(attributes(broken), [], "{broken}");
        }
    }

    #[test]
    fn only_true_disables_the_sdk() {
        for (value, disabled) in [
            ("true", true),
            ("TRUE", true),
            ("false", false),
            ("1", false),
            ("", false),
        ] {
            let found = with(&[("OTEL_SDK_DISABLED", value)], |environment| {
                environment.is_disabled()
            });
            assert_eq!(found, disabled, "{value}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_value_of_a_variable_is_too_strange(value in "\\PC{0,40}") {
            let read = |_: &str| Some(value.clone());
            let environment = Environment::new(&read);
            environment.is_disabled();
            environment.sampler();
            environment.limits();
            for found in environment.resource_attributes() {
                proptest::prop_assert!(!found.attribute.key.as_str().is_empty());
            }
        }
    }
}
