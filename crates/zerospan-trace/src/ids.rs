use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_sdk::trace::IdGenerator;
use rand::rngs::{SysRng, Xoshiro256PlusPlus};
use rand::{Rng, SeedableRng};
use std::hash::{BuildHasher, RandomState};
use zerospan_export::fork_generation;

/// Where span and trace ids come from.
#[derive(Debug, Default)]
pub(crate) enum Ids {
    /// Each thread's own generator.
    #[default]
    Random,
    /// A generator of the SDK's trait.
    Custom(Box<dyn IdGenerator>),
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

    #[inline]
    pub(crate) fn trace_id(&mut self) -> TraceId {
        loop {
            let (high, low) = (self.next(), self.next());
            let id = (u128::from(high) << 64) | u128::from(low);
            if id != 0 {
                return TraceId::from(id);
            }
        }
    }

    #[inline]
    pub(crate) fn span_id(&mut self) -> SpanId {
        loop {
            let id = self.next();
            if id != 0 {
                return SpanId::from(id);
            }
        }
    }

    #[inline]
    fn next(&mut self) -> u64 {
        let generation = fork_generation();
        match &mut self.source {
            Some(source) if self.generation == generation => source.next_u64(),
            source => {
                self.generation = generation;
                source.insert(seeded()).next_u64()
            }
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
