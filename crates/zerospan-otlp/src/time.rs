use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Returns the nanoseconds from the Unix epoch to `time`, as OTLP writes times.
///
/// Returns 0 before 1970, and `u64::MAX` after the year 2554, where the official transform wraps around to 1970. Does not
/// allocate.
#[inline]
pub fn unix_nanos(time: SystemTime) -> u64 {
    UnixTime::new().nanos(time)
}

/// A way to read several times: looks up once how they are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UnixTime {
    /// The seconds since the Unix epoch up to which a time is read from its fields; 0 if it never is.
    max_seconds: u64,
}

impl UnixTime {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        // In nanoseconds, times before this second fit into 64 bits.
        let max_seconds = if fields_are_unix_time() {
            u64::MAX / 1_000_000_000
        } else {
            0
        };
        Self { max_seconds }
    }

    /// Returns the same as [`unix_nanos`].
    #[inline(always)]
    pub(crate) fn nanos(self, time: SystemTime) -> u64 {
        let Fields { seconds, nanos, .. } = Fields::new(time);
        // As an unsigned number, a time before 1970 is huge.
        let seconds = seconds.unwrap_or_default() as u64;
        if seconds < self.max_seconds {
            return seconds * 1_000_000_000 + u64::from(nanos.unwrap_or_default());
        }
        measure(time)
    }
}

/// Returns the difference that the standard library computes: right on every platform, about 50 instructions.
#[cold]
#[inline(never)]
fn measure(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    since
        .as_secs()
        .saturating_mul(1_000_000_000)
        .saturating_add(since.subsec_nanos().into())
}

/// The numbers that a time passes to a hasher.
///
/// On Unix these are its fields: the seconds since the Unix epoch, rounded down, and the nanoseconds in that second. Reading them
/// takes no call. The standard library does not guarantee it, so [`fields_are_unix_time`] tests it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Fields {
    seconds: Option<i64>,
    nanos: Option<u32>,
    /// `true` if there were other numbers.
    has_more: bool,
}

impl Fields {
    #[inline(always)]
    fn new(time: SystemTime) -> Self {
        let mut fields = Self::default();
        time.hash(&mut fields);
        fields
    }
}

impl Hasher for Fields {
    #[inline(always)]
    fn write_i64(&mut self, seconds: i64) {
        self.has_more |= self.seconds.replace(seconds).is_some() || self.nanos.is_some();
    }

    #[inline(always)]
    fn write_u32(&mut self, nanos: u32) {
        self.has_more |= self.nanos.replace(nanos).is_some();
    }

    #[inline(always)]
    fn write(&mut self, _: &[u8]) {
        self.has_more = true;
    }

    #[inline(always)]
    fn finish(&self) -> u64 {
        0
    }
}

/// Returns `true` if [`Fields`] are the seconds and nanoseconds since the Unix epoch, on this platform and with this standard
/// library. Tests it once.
#[inline]
fn fields_are_unix_time() -> bool {
    // Not a `LazyLock`: a child that is forked during the test would wait for it.
    const UNKNOWN: u8 = 2;
    static KNOWN: AtomicU8 = AtomicU8::new(UNKNOWN);
    match KNOWN.load(Ordering::Relaxed) {
        UNKNOWN => {
            let are = test_fields();
            KNOWN.store(u8::from(are), Ordering::Relaxed);
            are
        }
        known => known == 1,
    }
}

#[cold]
fn test_fields() -> bool {
    let after = [
        (0, 0),
        (0, 999_999_999),
        (1, 1),
        (1_780_000_000, 123_456_789),
        (u64::MAX / 1_000_000_000, 709_551_615),
    ];
    let before = [
        ((-1, 999_999_999), 0, 1),
        ((-8, 500_000_000), 7, 500_000_000),
    ];
    let are = |time: Option<SystemTime>, seconds, nanos| {
        let expected = Fields {
            seconds: Some(seconds),
            nanos: Some(nanos),
            has_more: false,
        };
        time.is_some_and(|time| Fields::new(time) == expected)
    };
    let after = after.into_iter().all(|(seconds, nanos)| {
        let time = UNIX_EPOCH.checked_add(Duration::new(seconds, nanos));
        are(time, seconds as i64, nanos)
    });
    let before = before.into_iter().all(|(fields, seconds, nanos)| {
        let time = UNIX_EPOCH.checked_sub(Duration::new(seconds, nanos));
        are(time, fields.0, fields.1)
    });
    after && before
}

#[cfg(test)]
mod tests {
    use super::{fields_are_unix_time, measure, unix_nanos};
    use proptest::prelude::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn a_time_is_read_from_its_fields_on_unix() {
        assert_eq!(fields_are_unix_time(), cfg!(unix));
    }

    proptest! {
        #[test]
        fn fields_and_difference_are_the_same_number(
            seconds in any::<u64>(),
            shift in 0_u32..64,
            nanos in 0_u32..1_000_000_000,
            is_before in any::<bool>(),
        ) {
            let distance = Duration::new(seconds >> shift, nanos);
            let time = match is_before {
                true => UNIX_EPOCH.checked_sub(distance),
                false => UNIX_EPOCH.checked_add(distance),
            };
            if let Some(time) = time {
                prop_assert_eq!(unix_nanos(time), measure(time));
            }
        }
    }
}
