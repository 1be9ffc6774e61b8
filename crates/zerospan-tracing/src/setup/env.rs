//! The variables that only the set-up reads.

use super::sdk::BaggagePropagator;
use opentelemetry::propagation::{TextMapCompositePropagator, TextMapPropagator};
use zerospan_trace::TraceContextPropagator;
use zerospan_transport::ConfigError;
use zerospan_transport::env::Environment;

const EXPORTER: &str = "OTEL_TRACES_EXPORTER";
const LOGS_EXPORTER: &str = "OTEL_LOGS_EXPORTER";
const PROPAGATORS: &str = "OTEL_PROPAGATORS";

/// The variable with the directives of the filter.
pub(super) const FILTER: &str = "RUST_LOG";

#[derive(Debug)]
pub(super) struct Settings {
    /// `false` for `OTEL_TRACES_EXPORTER=none`.
    pub(super) is_exporting: bool,
    /// `None` for `OTEL_PROPAGATORS=none`.
    pub(super) propagators: Option<Propagators>,
    pub(super) filter: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Propagators {
    trace_context: bool,
    baggage: bool,
}

impl Settings {
    pub(super) fn read(environment: &mut Environment<'_>) -> Self {
        Self {
            is_exporting: is_exporting(EXPORTER, environment),
            propagators: propagators(environment),
            filter: environment.get(FILTER),
        }
    }
}

/// Returns `false` for `OTEL_LOGS_EXPORTER=none`.
pub(super) fn is_exporting_logs(environment: &mut Environment<'_>) -> bool {
    is_exporting(LOGS_EXPORTER, environment)
}

impl Propagators {
    /// The specification's default.
    const DEFAULT: Self = Self {
        trace_context: true,
        baggage: true,
    };

    pub(super) fn install(self) {
        use opentelemetry::global::set_text_map_propagator as set;
        match (self.trace_context, self.baggage) {
            (true, true) => set(TextMapCompositePropagator::new(vec![
                Box::new(TraceContextPropagator::new()) as Box<dyn TextMapPropagator + Send + Sync>,
                Box::new(BaggagePropagator::new()),
            ])),
            (true, false) => set(TraceContextPropagator::new()),
            (false, true) => set(BaggagePropagator::new()),
            (false, false) => {}
        }
    }
}

fn is_exporting(variable: &'static str, environment: &mut Environment<'_>) -> bool {
    let Some(value) = environment.get(variable) else {
        return true;
    };
    let (mut otlp, mut none) = (false, false);
    for name in names(&value) {
        match name.to_ascii_lowercase().as_str() {
            "otlp" => otlp = true,
            "none" => none = true,
            _ => environment.ignore(ConfigError::new(variable, name, "otlp, none")),
        }
    }
    // Without a name that can be used, the default applies.
    otlp || !none
}

fn propagators(environment: &mut Environment<'_>) -> Option<Propagators> {
    let Some(value) = environment.get(PROPAGATORS) else {
        return Some(Propagators::DEFAULT);
    };
    let mut none = false;
    let mut chosen = Propagators {
        trace_context: false,
        baggage: false,
    };
    for name in names(&value) {
        match name.to_ascii_lowercase().as_str() {
            "tracecontext" => chosen.trace_context = true,
            "baggage" => chosen.baggage = true,
            "none" => none = true,
            _ => {
                let accepted = "tracecontext, baggage, none";
                environment.ignore(ConfigError::new(PROPAGATORS, name, accepted));
            }
        }
    }
    match chosen.trace_context || chosen.baggage {
        true => Some(chosen),
        false => (!none).then_some(Propagators::DEFAULT),
    }
}

fn names(list: &str) -> impl Iterator<Item = &str> {
    list.split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{Propagators, Settings};
    use zerospan_transport::env::from_vars;

    fn read(name: &str, value: &str) -> (Settings, usize) {
        let (settings, ignored) = from_vars(
            |asked| (asked == name).then(|| value.to_owned()),
            Settings::read,
        );
        (settings, ignored.len())
    }

    #[test]
    fn spans_are_exported_unless_the_exporter_is_none() {
        for (value, is_exporting, ignored) in [
            ("", true, 0),
            ("OTLP", true, 0),
            ("None", false, 0),
            ("otlp,none", true, 0),
            ("console", true, 1),
            ("console, none", false, 1),
        ] {
            let (settings, reported) = read("OTEL_TRACES_EXPORTER", value);
            assert_eq!(settings.is_exporting, is_exporting, "{value}");
            assert_eq!(reported, ignored, "{value}");
        }
    }

    #[test]
    fn the_propagators_are_those_of_the_list_that_exist() {
        let of = |trace_context, baggage| {
            Some(Propagators {
                trace_context,
                baggage,
            })
        };
        for (value, propagators, ignored) in [
            ("", of(true, true), 0),
            ("TraceContext", of(true, false), 0),
            ("baggage , tracecontext", of(true, true), 0),
            ("none", None, 0),
            ("b3,tracecontext", of(true, false), 1),
            ("b3", of(true, true), 1),
        ] {
            let (settings, reported) = read("OTEL_PROPAGATORS", value);
            assert_eq!(settings.propagators, propagators, "{value}");
            assert_eq!(reported, ignored, "{value}");
        }
    }
}
