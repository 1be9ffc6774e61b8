use std::fmt;
use tracing_core::Metadata;
use zerospan_core::sync::OnceBox;

/// The number of places in which a callsite may be in a segment.
const PROBES: usize = 8;

/// The number of places in the first segment. Each later one is twice as large.
const FIRST_SEGMENT: usize = 256;

const MAX_SEGMENTS: usize = 24;

/// The callsites that a layer has seen, found by the address of their metadata without a lock.
///
/// Grows with the number of callsites in the program, and never shrinks: callsites are `'static`.
pub(crate) struct Callsites<C> {
    segments: [OnceBox<Box<[Place<C>]>>; MAX_SEGMENTS],
}

type Place<C> = OnceBox<(usize, C)>;

impl<C> Callsites<C> {
    pub(crate) fn new() -> Self {
        Self {
            segments: [const { OnceBox::new() }; MAX_SEGMENTS],
        }
    }

    /// Returns the callsite of `metadata`. Builds it if it is new.
    #[inline]
    pub(crate) fn get(
        &self,
        metadata: &'static Metadata<'static>,
        build: impl Fn() -> C,
    ) -> Option<&C> {
        let address = std::ptr::from_ref(metadata).addr();
        let first = self.segments.first()?.get();
        let place = first.and_then(|places| places.get(home(address, places.len())));
        if let Some((found, callsite)) = place.and_then(OnceBox::get)
            && *found == address
        {
            return Some(callsite);
        }
        self.get_slow(address, build)
    }

    #[inline(never)]
    fn get_slow(&self, address: usize, build: impl Fn() -> C) -> Option<&C> {
        let mut built = None;
        for (number, segment) in self.segments.iter().enumerate() {
            let places = segment.get_or_init(|| {
                let length = FIRST_SEGMENT << number;
                (0..length).map(|_| Place::new()).collect()
            });
            let home = home(address, places.len());
            for probe in 0..PROBES {
                let place = places.get((home + probe) & (places.len() - 1))?;
                if place.get().is_none() {
                    let callsite = built.take().unwrap_or_else(&build);
                    if let Err((_, back)) = place.set((address, callsite)) {
                        built = Some(back);
                    }
                }
                match place.get() {
                    Some((found, callsite)) if *found == address => return Some(callsite),
                    _ => {}
                }
            }
        }
        None
    }
}

/// Returns the first place of an address among `places`, a power of two.
#[inline]
fn home(address: usize, places: usize) -> usize {
    let hash = (address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (hash >> 40) as usize & (places - 1)
}

impl<C> fmt::Debug for Callsites<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callsites").finish_non_exhaustive()
    }
}
