use std::fmt;
use zerospan_core::sync::OnceBox;
use zerospan_logs::{Logger, LoggerProvider};

/// The number of targets that have a logger: a power of two. Those of `tracing` are as many as a program has modules, and those
/// of `log` may be any text.
const PLACES: usize = 1024;

/// The number of places in which a target may be.
const PROBES: usize = 16;

/// The length of the longest target that has a logger.
const MAX_TARGET_BYTES: usize = 256;

/// A logger for each target, found without a lock. Bounded: later targets have none.
pub(crate) struct Loggers {
    provider: LoggerProvider,
    places: Box<[Place]>,
}

type Place = OnceBox<(Box<str>, Logger)>;

impl Loggers {
    pub(crate) fn new(provider: LoggerProvider) -> Self {
        Self {
            provider,
            places: (0..PLACES).map(|_| Place::new()).collect(),
        }
    }

    /// Returns the logger whose scope is named `target`, or `None` if there are too many. Allocates for a target that is new.
    #[inline]
    pub(crate) fn get(&self, target: &str) -> Option<&Logger> {
        if target.len() > MAX_TARGET_BYTES {
            return None;
        }
        let home = home(target);
        for probe in 0..PROBES {
            let place = self.places.get((home + probe) & (PLACES - 1))?;
            let (found, logger) = match place.get() {
                Some(taken) => taken,
                None => place.get_or_init(|| (target.into(), self.create(target))),
            };
            if **found == *target {
                return Some(logger);
            }
        }
        None
    }

    /// Returns a new logger whose scope is named `target`.
    #[cold]
    pub(crate) fn create(&self, target: &str) -> Logger {
        self.provider.logger(target.to_owned())
    }
}

/// Returns the first place of a target.
#[inline]
fn home(target: &str) -> usize {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let hash = target.as_bytes().chunks(8).fold(0, |hash: u64, chunk| {
        let mut word = [0; 8];
        for (to, from) in word.iter_mut().zip(chunk) {
            *to = *from;
        }
        (hash.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(FACTOR)
    });
    // The highest bits depend on every byte of the last word.
    (hash >> (u64::BITS - PLACES.ilog2())) as usize
}

impl fmt::Debug for Loggers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loggers")
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn each_target_has_one_logger_and_any_number_of_targets_takes_bounded_memory() {
        let loggers = Loggers::new(LoggerProvider::default());
        let mut known = 0;
        for number in 0..10 * PLACES {
            let target = format!("app::module::{number}");
            if let Some(logger) = loggers.get(&target) {
                known += 1;
                assert_eq!(logger.instrumentation_scope().name(), target);
                let again = loggers.get(&target).map(std::ptr::from_ref);
                assert_eq!(again, Some(std::ptr::from_ref(logger)));
            }
        }
        assert!(known > PLACES / 2 && known <= PLACES, "{known}");
        assert!(loggers.get(&"x".repeat(MAX_TARGET_BYTES + 1)).is_none());
    }

    #[test]
    fn the_longest_target_and_the_empty_one_have_loggers() {
        let loggers = Loggers::new(LoggerProvider::default());
        for target in ["x".repeat(MAX_TARGET_BYTES), String::new()] {
            let logger = loggers.get(&target).expect("there is room");
            assert_eq!(logger.instrumentation_scope().name(), target);
        }
        assert!(format!("{loggers:?}").starts_with("Loggers { provider: LoggerProvider"));
    }

    #[test]
    fn targets_are_spread_over_the_places() {
        let homes = |targets: &mut dyn Iterator<Item = String>| {
            let homes: std::collections::HashSet<usize> =
                targets.map(|target| home(&target)).collect();
            assert!(homes.iter().all(|place| *place < PLACES));
            homes.len()
        };
        assert!(homes(&mut (0..200).map(|number| format!("app::module::{number}"))) > 150);
        assert!(homes(&mut ('a'..='z').map(String::from)) > 20);
        // Texts that differ in the order of their words alone.
        assert_ne!(home("8 bytes.8_bytes."), home("8_bytes.8 bytes."));
    }
}
