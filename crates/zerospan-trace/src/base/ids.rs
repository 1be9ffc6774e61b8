use crate::sdk::IdGenerator;
use opentelemetry::trace::{SpanId, TraceId};
use rand::rngs::{SysRng, Xoshiro256PlusPlus};
use rand::{Rng, SeedableRng};
use std::cell::RefCell;
use std::hash::{BuildHasher, RandomState};
use zerospan_core::log::LogLimit;
use zerospan_core::{fork, panics};

/// The source of span and trace ids.
#[derive(Debug, Default)]
pub(crate) enum IdSource {
    /// The calling thread's own generator.
    #[default]
    Random,
    /// A generator of the SDK's trait.
    Custom(Box<dyn IdGenerator>),
}

impl IdSource {
    /// Returns the ids of a new span: of the trace `trace`, or of a new trace if that id is invalid.
    #[inline(always)]
    pub(crate) fn next(&self, random: &RefCell<RandomIds>, trace: TraceId) -> (TraceId, SpanId) {
        match self {
            Self::Random => random.borrow_mut().next(trace),
            Self::Custom(custom) => next_custom(&**custom, random, trace),
        }
    }
}

/// Asks `custom`, without a borrow, and replaces invalid ids by random ones.
#[cold]
fn next_custom(
    custom: &dyn IdGenerator,
    random: &RefCell<RandomIds>,
    trace: TraceId,
) -> (TraceId, SpanId) {
    let mut span_id = generated(|| custom.new_span_id(), SpanId::INVALID);
    let mut trace_id = trace;
    if trace_id == TraceId::INVALID {
        trace_id = generated(|| custom.new_trace_id(), TraceId::INVALID);
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

/// Returns a generator's id, or `invalid` if it panics.
fn generated<I>(generate: impl FnOnce() -> I, invalid: I) -> I {
    panics::catch(generate).unwrap_or_else(|message| {
        static WARNING: LogLimit = LogLimit::new();
        WARNING.log(move |skipped| {
            tracing::error!(
                name: "IdGeneratorPanicked",
                skipped,
                message,
                "an id generator panicked: a random id takes the place; logged once a minute, with the number of panics skipped"
            );
        });
        invalid
    })
}

/// A thread's random numbers, seeded from the operating system at the first use, and again in a forked child.
#[derive(Debug, Default)]
pub(crate) struct RandomIds {
    source: Option<Xoshiro256PlusPlus>,
    /// The fork generation in which `source` was seeded.
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
        // The low half is never 0, so neither is the whole, and samplers that look at the low bits see random ones.
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
        // Without an entropy device, as in a bare container: the standard library's hash keys differ by process and by call,
        // which is enough for ids, since they are no secrets.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_differs_and_a_given_trace_is_kept() {
        let random = RefCell::new(RandomIds::new());
        let ids: Vec<_> = (0..3)
            .map(|_| IdSource::Random.next(&random, TraceId::INVALID))
            .collect();
        for (index, (trace_id, span_id)) in ids.iter().enumerate() {
            assert!(*trace_id != TraceId::INVALID && *span_id != SpanId::INVALID);
            let halves = u128::from_be_bytes(trace_id.to_bytes());
            let (high, low) = (halves >> 64, halves & u128::from(u64::MAX));
            assert!(high != 0 && low != 0 && high != low);
            for (other_trace, other_span) in &ids[..index] {
                assert!(trace_id != other_trace && span_id != other_span);
            }
        }
        let given = TraceId::from(7);
        assert_eq!(IdSource::Random.next(&random, given).0, given);
    }

    #[test]
    fn a_thread_is_seeded_once_and_again_in_another_process() {
        let of_generation = |generation| {
            let mut ids = RandomIds {
                source: Some(Xoshiro256PlusPlus::seed_from_u64(7)),
                generation,
            };
            [(); 3].map(|()| ids.next(TraceId::INVALID))
        };
        let current = fork::generation();
        assert_eq!(of_generation(current), of_generation(current));
        let another = current.wrapping_add(1);
        for (own, inherited) in of_generation(current).iter().zip(of_generation(another)) {
            assert!(own.0 != inherited.0 && own.1 != inherited.1);
        }
    }

    #[test]
    fn a_generator_that_panics_or_returns_no_id_is_replaced() {
        /// Ids that are returned, or a panic instead of each.
        #[derive(Debug)]
        struct Given(Option<(TraceId, SpanId)>);

        impl IdGenerator for Given {
            fn new_trace_id(&self) -> TraceId {
                self.0.expect("a trace id").0
            }

            fn new_span_id(&self) -> SpanId {
                self.0.expect("a span id").1
            }
        }

        let random = RefCell::new(RandomIds::new());
        let next = |given, trace| IdSource::Custom(Box::new(Given(given))).next(&random, trace);
        let (given_trace, given_span) = (TraceId::from(9), SpanId::from(5));
        let both = Some((given_trace, given_span));
        assert_eq!(next(both, TraceId::INVALID), (given_trace, given_span));
        assert_eq!(next(both, TraceId::from(3)).0, TraceId::from(3));
        let no_span = Some((given_trace, SpanId::INVALID));
        let (trace_id, span_id) = next(no_span, TraceId::INVALID);
        assert_eq!(trace_id, given_trace);
        assert_ne!(span_id, SpanId::INVALID);
        let no_trace = Some((TraceId::INVALID, given_span));
        let (trace_id, span_id) = next(no_trace, TraceId::INVALID);
        assert_ne!(trace_id, TraceId::INVALID);
        assert_eq!(span_id, given_span);
        let (trace_id, span_id) = next(None, TraceId::INVALID);
        assert!(trace_id != TraceId::INVALID && span_id != SpanId::INVALID);
        let (trace_id, span_id) = next(None, TraceId::from(3));
        assert_eq!(trace_id, TraceId::from(3));
        assert_ne!(span_id, SpanId::INVALID);
    }
}
