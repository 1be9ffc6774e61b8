use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The nanoseconds from 1970 to `time`, as every time in OTLP is written: 0 before 1970, and `u64::MAX` after the year
/// 2554, where the official transform wraps around to 1970.
///
/// Does not allocate.
#[inline]
pub fn unix_nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    since
        .as_secs()
        .checked_mul(1_000_000_000)
        .and_then(|nanos| nanos.checked_add(since.subsec_nanos().into()))
        .unwrap_or(u64::MAX)
}
