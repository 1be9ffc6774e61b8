//! The callsites of the programs.

use crate::program::{Callsite, EventSite, Field, Fields};
use tracing::{Id, Level, Span};

impl Callsite {
    /// Starts a span of this callsite. Its parent is the current span, or given: another, or none.
    pub(super) fn start(self, number: usize, parent: Option<Option<Id>>, fields: &Fields) -> Span {
        let number = number as i64;
        let at = |name| fields.at(name);
        macro_rules! start {
            ($level:expr, $($rest:tt)*) => {
                match parent {
                    None => tracing::span!($level, $($rest)*),
                    Some(parent) => tracing::span!(parent: parent, $level, $($rest)*),
                }
            };
        }
        match self {
            Self::Wide => start!(
                Level::INFO,
                "wide",
                number,
                one = at("one"),
                two = at("two"),
                three.four = at("three.four"),
                u64 = at("u64"),
                i128 = at("i128"),
                u128 = at("u128"),
                bytes = at("bytes"),
                error = at("error"),
                cause = at("cause"),
                otel.name = at("otel.name"),
                otel.kind = at("otel.kind"),
                otel.status_code = at("otel.status_code"),
                otel.status_description = at("otel.status_description"),
            ),
            Self::Odd => start!(
                Level::DEBUG,
                "odd",
                otel.status_description = at("otel.status_description"),
                otel.status_code = at("otel.status_code"),
                one = at("one"),
                target = at("target"),
                level = at("level"),
                thread.name = at("thread.name"),
                message = at("message"),
                number,
            ),
            Self::Bare => start!(Level::ERROR, "bare", number),
        }
    }

    /// Returns the fields with a meaning, in the order of the callsite.
    pub(super) fn special_fields(self) -> &'static [&'static str] {
        match self {
            Self::Wide => &["otel.kind", "otel.status_code", "otel.status_description"],
            Self::Odd => &["otel.status_description", "otel.status_code"],
            Self::Bare => &[],
        }
    }
}

impl EventSite {
    pub(super) fn send(self, parent: Option<Option<Id>>, fields: &Fields) {
        let at = |name| fields.at(name);
        macro_rules! send {
            ($level:expr, $($rest:tt)*) => {
                match parent {
                    None => tracing::event!($level, $($rest)*),
                    Some(parent) => tracing::event!(parent: parent, $level, $($rest)*),
                }
            };
        }
        match self {
            Self::Wide => send!(
                Level::INFO,
                message = at("message"),
                one = at("one"),
                two = at("two"),
                three.four = at("three.four"),
                target = at("target"),
                level = at("level"),
                u64 = at("u64"),
                i128 = at("i128"),
                u128 = at("u128"),
                bytes = at("bytes"),
                cause = at("cause"),
            ),
            Self::Message => send!(
                Level::DEBUG,
                one = at("one"),
                "one is {:?}",
                fields.get("one")
            ),
            Self::Error => match fields.get("error") {
                // The predecessor puts texts in quotes, but not what is formatted.
                Some(Field::Text(text)) => {
                    send!(Level::ERROR, error = %text, one = at("one"));
                }
                _ => send!(Level::ERROR, error = at("error"), one = at("one")),
            },
            Self::Alarm => send!(Level::ERROR, one = at("one"), "alarm"),
        }
    }
}
