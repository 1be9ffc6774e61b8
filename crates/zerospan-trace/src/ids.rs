use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_sdk::trace::IdGenerator;
use rand::rngs::{SysRng, Xoshiro256PlusPlus};
use rand::{Rng, SeedableRng};
use std::cell::RefCell;
use std::hash::{BuildHasher, RandomState};
use zerospan_core::fork;

/// Where span and trace ids come from.
#[derive(Debug, Default)]
pub(crate) enum Ids {
    /// Each thread's own generator.
    #[default]
    Random,
    /// A generator of the SDK's trait.
    Custom(Box<dyn IdGenerator>),
}

impl Ids {
    /// The ids of a span of `trace`; of a new trace, if that is invalid.
    #[inline(always)]
    pub(crate) fn next(&self, random: &RefCell<RandomIds>, trace: TraceId) -> (TraceId, SpanId) {
        match self {
            Self::Random => random.borrow_mut().next(trace),
            Self::Custom(custom) => next_of(&**custom, random, trace),
        }
    }
}

/// As [`Ids::next`]. The user's code runs without a borrow; where it gives no valid id, ours does.
#[cold]
fn next_of(
    custom: &dyn IdGenerator,
    random: &RefCell<RandomIds>,
    trace: TraceId,
) -> (TraceId, SpanId) {
    let mut span_id = custom.new_span_id();
    let mut trace_id = trace;
    if trace_id == TraceId::INVALID {
        trace_id = custom.new_trace_id();
    }
    if span_id == SpanId::INVALID || trace_id == TraceId::INVALID {
        let (trace, span) = random.borrow_mut().next(trace_id);
        trace_id = trace;
        if span_id == SpanId::INVALID {
            span_id = span;
        }
    }
    (trace_id, span_id)
}

/// A thread's random numbers, seeded from the operating system at first use, and in a forked child once more.
#[derive(Debug, Default)]
pub(crate) struct RandomIds {
    source: Option<Xoshiro256PlusPlus>,
    /// The process that the seed is of.
    generation: u64,
}

impl RandomIds {
    pub(crate) const fn new() -> Self {
        Self {
            source: None,
            generation: 0,
        }
    }

    #[inline(always)]
    fn next(&mut self, trace: TraceId) -> (TraceId, SpanId) {
        let generation = fork::generation();
        let source = match &mut self.source {
            Some(source) if self.generation == generation => source,
            source => {
                self.generation = generation;
                source.insert(seeded())
            }
        };
        let span_id = SpanId::from(nonzero(source));
        if trace != TraceId::INVALID {
            return (trace, span_id);
        }
        // The low half is never 0: nor is the whole, then, and samplers that look at the low bits alone see random ones.
        let high = u128::from(source.next_u64());
        let trace_id = TraceId::from((high << 64) | u128::from(nonzero(source)));
        (trace_id, span_id)
    }
}

#[inline]
fn nonzero(source: &mut Xoshiro256PlusPlus) -> u64 {
    loop {
        let number = source.next_u64();
        if number != 0 {
            return number;
        }
    }
}

#[cold]
fn seeded() -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::try_from_rng(&mut SysRng).unwrap_or_else(|_| {
        // No entropy device, as in a container without one: the standard library's hash keys differ by process and by
        // call, which is what ids need. They are no secrets.
        let mut seed = [0; 32];
        for chunk in seed.chunks_mut(8) {
            chunk.copy_from_slice(
                &RandomState::new()
                    .hash_one(std::process::id())
                    .to_le_bytes(),
            );
        }
        Xoshiro256PlusPlus::from_seed(seed)
    })
}
