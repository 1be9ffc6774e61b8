//! The filter of the subscriber.

use super::env::FILTER;
use tracing_subscriber::filter::Targets;
use zerospan_transport::ConfigError;

/// Applies to all layers.
#[derive(Debug)]
pub(super) enum Filter {
    /// Levels by target, which cost nothing once a callsite is known.
    Targets(Targets),
    /// Directives with spans and fields, which are looked up whenever a span is entered.
    #[cfg(feature = "env-filter")]
    Spans(Box<tracing_subscriber::EnvFilter>),
}

impl Filter {
    /// Parses directives such as `info,hyper=warn` and, with the feature `env-filter`, `my_crate[request{id=7}]=trace`.
    pub(super) fn parse(directives: &str) -> Result<Self, ConfigError> {
        let refused = |accepted: &str| ConfigError::new(FILTER, directives, accepted.to_owned());
        if !directives.contains('[') {
            let targets = directives.parse().map(Self::Targets);
            return targets.map_err(|_| refused("directives such as `info,my_crate=debug`"));
        }
        #[cfg(feature = "env-filter")]
        {
            let parsed = tracing_subscriber::EnvFilter::builder().parse(directives);
            parsed
                .map(|filter| Self::Spans(Box::new(filter)))
                .map_err(|_| refused("directives such as `info,my_crate[my_span]=debug`"))
        }
        #[cfg(not(feature = "env-filter"))]
        Err(refused(
            "directives such as `info,my_crate=debug`; those with spans need the feature `env-filter` of zerospan-tracing",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::Filter;

    #[test]
    fn directives_without_spans_are_filtered_by_target() {
        for directives in ["info", "info,hyper=warn", "off,my_crate::module=trace"] {
            let filter = Filter::parse(directives);
            assert!(matches!(filter, Ok(Filter::Targets(_))), "{filter:?}");
        }
    }

    #[cfg(feature = "env-filter")]
    #[test]
    fn directives_with_spans_are_filtered_by_span() {
        let filter = Filter::parse("info,shop[checkout{id=7}]=trace");
        assert!(matches!(filter, Ok(Filter::Spans(_))), "{filter:?}");
    }

    #[test]
    fn directives_that_cannot_be_read_are_named_with_the_remedy() {
        for directives in ["info=maybe", "shop[checkout{=trace"] {
            let error = Filter::parse(directives).expect_err(directives).to_string();
            assert!(
                error.contains("RUST_LOG") && error.contains(directives),
                "{error}"
            );
        }
    }
}
