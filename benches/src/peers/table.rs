//! What the comparison finds, as `target/bench/peers.json` holds it.

use super::{Peer, Work};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// Every peer at every work.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Table {
    /// Processes that each time is the median of.
    pub processes: usize,
    /// In the order of the works, and within each of the peers.
    pub entries: Vec<Entry>,
}

/// One peer at one work.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Entry {
    /// Who.
    pub peer: Peer,
    /// On which allocator.
    pub allocator: Allocator,
    /// At what.
    pub work: Work,
    /// What was found; `None` if the peer cannot do the work, and [`obstacle`](Self::obstacle) says why.
    pub figures: Option<Figures>,
    /// Why the peer cannot do the work.
    pub obstacle: Option<String>,
}

/// The allocator of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Allocator {
    /// That of the system.
    System,
    /// mimalloc.
    Mimalloc,
}

/// All columns of a row.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct Figures {
    /// Processor time of a thread that starts, fills and ends spans, for each of its spans; nanoseconds.
    pub caller_ns: f64,
    /// The 99.9th percentile of what a caller waits from before a span starts until after it has ended; nanoseconds on the
    /// clock, which is read for each span, in a pass of its own. Of [`Work::Tree`], the whole tree.
    pub caller_p999_ns: f64,
    /// Processor time of all threads for each span that arrives as OTLP bytes, or that the sampler drops; nanoseconds.
    pub cpu_ns: f64,
    /// Heap allocations of all threads for each span that is started.
    pub allocations: f64,
    /// Bytes that those ask for; a reallocation asks for its whole new size.
    pub allocated_bytes: f64,
    /// Bytes that a span takes in a request, its share of what stands once a request included; 0 if none was sent.
    pub wire_bytes: f64,
    /// Spans that were started, in all processes.
    pub recorded: u64,
    /// Those of them that did not arrive.
    pub lost: u64,
}

impl Table {
    /// The entry of one peer at one work.
    pub fn entry(&self, peer: Peer, allocator: Allocator, work: Work) -> Option<&Entry> {
        self.entries
            .iter()
            .find(|entry| (entry.peer, entry.allocator, entry.work) == (peer, allocator, work))
    }
}

#[cfg(test)]
mod tests {
    use super::{Allocator, Peer, Work};
    use clap::ValueEnum;
    use clap::builder::PossibleValue;
    use serde::Serialize;

    fn assert_called_alike<V: ValueEnum + Serialize>() -> Result<(), serde_json::Error> {
        for value in V::value_variants() {
            let named = value.to_possible_value();
            let named = named.as_ref().map(PossibleValue::get_name);
            assert_eq!(serde_json::to_value(value)?.as_str(), named);
        }
        Ok(())
    }

    #[test]
    fn the_file_calls_everyone_as_the_command_line_does() -> Result<(), serde_json::Error> {
        assert_called_alike::<Peer>()?;
        assert_called_alike::<Work>()?;
        assert_called_alike::<Allocator>()
    }
}
