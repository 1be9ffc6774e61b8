/// A row that does not reach its budget, for a reason that is written down: it is printed as such each time, and it fails
/// only when it gets worse.
#[derive(Clone, Copy, Debug)]
pub struct Shortfall {
    /// The row's identifier.
    pub id: &'static str,
    /// What the ratio must still reach, on a busy machine as well; for a budget that is a most, what it must not exceed.
    pub floor: f64,
    /// The heading of `docs/benchmarks.md` under which the reason and the profile stand.
    pub reason: &'static str,
}

impl Shortfall {
    /// What is known of the row, if it falls short.
    pub fn of(id: &str) -> Option<&'static Self> {
        KNOWN.iter().find(|shortfall| shortfall.id == id)
    }
}

/// Every row that falls short. A row that reaches its budget is taken off.
const KNOWN: &[Shortfall] = &[
    Shortfall {
        id: "seed.pool",
        floor: 2.5,
        reason: "What keeps the pool from 20.8",
    },
    Shortfall {
        id: "otlp.events",
        floor: 12.0,
        reason: "What scatters around its budget",
    },
    Shortfall {
        id: "scale.threads",
        floor: 0.85,
        reason: "What scatters around its budget",
    },
    Shortfall {
        id: "trace.otel",
        floor: 7.0,
        reason: "What keeps the tracer from its budgets",
    },
    Shortfall {
        id: "trace.native",
        floor: 9.0,
        reason: "What keeps the tracer from its budgets",
    },
    Shortfall {
        id: "trace.nested",
        floor: 3.5,
        reason: "What scatters around its budget",
    },
    Shortfall {
        id: "trace.nested_native",
        floor: 6.5,
        reason: "What keeps the tracer from its budgets",
    },
    Shortfall {
        id: "trace.unsampled",
        floor: 4.0,
        reason: "What scatters around its budget",
    },
    Shortfall {
        id: "trace.producer",
        floor: 1.5,
        reason: "What keeps the tracer from its budgets",
    },
    Shortfall {
        id: "trace.producer_native",
        floor: 2.4,
        reason: "What keeps the tracer from its budgets",
    },
    Shortfall {
        id: "limit.native",
        floor: 9.0,
        reason: "What keeps the tracer from its budgets",
    },
];

#[cfg(test)]
mod tests {
    use super::KNOWN;
    use crate::rows;

    #[test]
    fn each_shortfall_is_of_a_row_and_its_reason_is_written_down() {
        let page = include_str!("../../docs/benchmarks.md");
        for shortfall in KNOWN {
            assert!(
                rows::starting_with(shortfall.id)
                    .iter()
                    .any(|row| row.id == shortfall.id),
                "there is no row {}",
                shortfall.id
            );
            let heading = format!("## {}", shortfall.reason);
            assert!(
                page.contains(&heading),
                "docs/benchmarks.md lacks `{heading}`"
            );
        }
    }
}
