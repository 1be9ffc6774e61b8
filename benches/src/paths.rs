//! The hot paths whose instructions are counted: `cargo xtask guard` holds the counts against the recorded ones.
//!
//! A count does not scatter as times do, so that a change of a few percent shows on any machine, however busy. It leaves
//! out what instructions cost: the budget rows measure that.

mod record;

use crate::{Contest, rows};

/// One side of a contest, the instructions of which are counted.
#[derive(Clone, Copy, Debug)]
pub struct HotPath {
    /// The row's identifier; where it is the row's peer that is counted, an identifier of its own.
    pub id: &'static str,
    contest: Source,
    side: Side,
}

#[derive(Clone, Copy, Debug)]
enum Source {
    Row(&'static str),
    Own(fn() -> Contest),
}

#[derive(Clone, Copy, Debug)]
enum Side {
    Ours,
    Peer,
}

/// Every hot path.
pub const HOT_PATHS: &[HotPath] = &[
    ours("core.source"),
    ours("seed.arena"),
    ours("seed.bulk"),
    ours("seed.pool"),
    ours("seed.stack"),
    ours("otlp.alone"),
    ours("otlp.alone_events"),
    ours("otlp.static"),
    HotPath {
        id: "otlp.key_value",
        contest: Source::Row("otlp.static"),
        side: Side::Peer,
    },
    HotPath {
        id: "export.record",
        contest: Source::Own(record::encoded_spans),
        side: Side::Ours,
    },
    ours("trace.native"),
    ours("trace.otel"),
    ours("trace.unsampled"),
    ours("trace.nested"),
    ours("trace.nested_native"),
];

const fn ours(row: &'static str) -> HotPath {
    HotPath {
        id: row,
        contest: Source::Row(row),
        side: Side::Ours,
    }
}

/// Runs before the count, in which pools fill, buffers grow and lazy statics are made.
const WARM_UP: u64 = 3;
/// Operations that are counted, at least: what happens once a run, such as a flush, is then below notice.
const COUNTED: u64 = 4_000;

impl HotPath {
    /// The hot path with this identifier.
    pub fn find(id: &str) -> Option<Self> {
        HOT_PATHS.iter().copied().find(|path| path.id == id)
    }

    /// Runs the path, each time through [`run_counted_path`], and says how many operations that were.
    ///
    /// # Errors
    ///
    /// If there is no such row, or its two sides do not agree: instructions that come to nothing are not counted.
    pub fn run(self) -> Result<u64, String> {
        let mut contest = self.contest()?;
        contest.check()?;
        let side = match self.side {
            Side::Ours => Contest::run_ours,
            Side::Peer => Contest::run_peer,
        };
        for _ in 0..WARM_UP {
            contest.prepare();
            side(&mut contest);
        }
        let runs = COUNTED.div_ceil(contest.operations());
        for _ in 0..runs {
            contest.prepare();
            run_counted_path(&mut contest, side);
        }
        Ok(runs * contest.operations())
    }

    fn contest(self) -> Result<Contest, String> {
        match self.contest {
            Source::Own(prepare) => Ok(prepare()),
            Source::Row(id) => rows::starting_with(id)
                .iter()
                .find(|row| row.id == id)
                .map(|row| (row.prepare)())
                .ok_or_else(|| format!("there is no row `{id}`")),
        }
    }
}

/// Runs one side once. Callgrind counts between entering this function and leaving it, by its name, and on the thread that
/// calls it.
#[inline(never)]
pub fn run_counted_path(contest: &mut Contest, side: fn(&mut Contest)) {
    side(contest);
}

#[cfg(test)]
mod tests {
    use super::HOT_PATHS;
    use std::collections::HashSet;

    #[test]
    fn identifiers_are_unique() {
        let mut seen = HashSet::new();
        for path in HOT_PATHS {
            assert!(seen.insert(path.id), "{} stands twice", path.id);
        }
    }

    #[test]
    fn every_path_runs_and_its_outcome_is_right() {
        for path in HOT_PATHS {
            match path.run() {
                Ok(operations) => assert!(operations >= super::COUNTED, "{}", path.id),
                Err(failure) => panic!("{}: {failure}", path.id),
            }
        }
    }
}
