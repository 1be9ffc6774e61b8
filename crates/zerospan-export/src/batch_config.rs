use crate::ConfigError;
use crate::limits::Limits;
use std::time::Duration;
use zerospan_transport::env::{self, Environment};

/// How spans are gathered into requests, and what they may cost meanwhile.
///
/// The first four are the specification's, with its defaults: `OTEL_BSP_SCHEDULE_DELAY`, `OTEL_BSP_EXPORT_TIMEOUT`,
/// `OTEL_BSP_MAX_QUEUE_SIZE` and `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchConfig {
    /// How long a span waits at most before it is sent. 5 s.
    pub schedule_delay: Duration,
    /// How long the export of one request may take, retries included. 30 s; the transport's own timeout, 10 s, also holds.
    pub export_timeout: Duration,
    /// How many spans may wait to be sent, beside those in their threads' chunks: 2048.
    pub max_queue_size: usize,
    /// How many spans a request has at most: 512. So many are sent when they are there, or up to a tenth of a second later
    /// where they come right behind another request and the queue is less than half full.
    pub max_export_batch_size: usize,
    /// How many bytes a request has at most, before compression: 4 MiB less 64 KiB, since a gRPC receiver takes 4 MiB by
    /// default, framing included.
    pub max_request_bytes: usize,
    /// How many bytes of memory the pipeline holds at most, in chunks and in the request: 32 MiB.
    pub max_memory_bytes: usize,
    /// How many bytes a thread collects before it hands them over: 64 KiB.
    pub chunk_bytes: usize,
}

/// A year: no process waits longer, and no point in time is out of reach.
pub(crate) const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 3600);

impl Default for BatchConfig {
    fn default() -> Self {
        Self {
            schedule_delay: Duration::from_secs(5),
            export_timeout: Duration::from_secs(30),
            max_queue_size: 2048,
            max_export_batch_size: 512,
            max_request_bytes: (4 << 20) - (64 << 10),
            max_memory_bytes: 32 << 20,
            chunk_bytes: 64 << 10,
        }
    }
}

impl BatchConfig {
    /// What the environment says in `OTEL_BSP_*`. A batch that is larger than the queue, or a value that cannot be used, is
    /// reported once, through `tracing`, and ignored.
    pub fn from_env() -> Self {
        env::from_process(Self::read)
    }

    /// Like [`from_env`](Self::from_env), with the variables that `lookup` knows. Gives what was ignored, too.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> (Self, Vec<ConfigError>) {
        env::from_vars(lookup, Self::read)
    }

    fn read(environment: &mut Environment<'_>) -> Self {
        let mut config = Self::default();
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        if let Some(millis) = environment.number("OTEL_BSP_SCHEDULE_DELAY", 0) {
            config.schedule_delay = Duration::from_millis(millis);
        }
        if let Some(timeout) = environment.parse("OTEL_BSP_EXPORT_TIMEOUT", env::millis) {
            config.export_timeout = timeout;
        }
        if let Some(spans) = environment.number("OTEL_BSP_MAX_QUEUE_SIZE", 1) {
            config.max_queue_size = size(spans);
        }
        let name = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE";
        config.max_export_batch_size = config.max_export_batch_size.min(config.max_queue_size);
        if let Some(spans) = environment.number(name, 1).map(size) {
            if spans <= config.max_queue_size {
                config.max_export_batch_size = spans;
            } else {
                let max = config.max_queue_size;
                let accepted = format!("1 to OTEL_BSP_MAX_QUEUE_SIZE, which is {max}");
                environment.ignore(ConfigError::new(name, spans, accepted));
            }
        }
        config
    }

    /// Checks the settings against one another.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the setting that does not fit and what would.
    pub(crate) fn limits(
        &self,
        timeout: Option<Duration>,
        drop_timeout: Duration,
    ) -> Result<Limits, ConfigError> {
        let batch = self.max_export_batch_size;
        if batch == 0 || batch > self.max_queue_size {
            return Err(ConfigError::new(
                "max_export_batch_size",
                batch,
                format!("1 to max_queue_size, which is {}", self.max_queue_size),
            ));
        }
        if !(1 << 10..=1 << 20).contains(&self.chunk_bytes) {
            return Err(ConfigError::new(
                "chunk_bytes",
                self.chunk_bytes,
                "1024 to 1048576 bytes",
            ));
        }
        if !(4 << 10..=1 << 30).contains(&self.max_request_bytes) {
            return Err(ConfigError::new(
                "max_request_bytes",
                self.max_request_bytes,
                "4096 to 1073741824 bytes",
            ));
        }
        let least = self.max_request_bytes.saturating_add(4 * self.chunk_bytes);
        if self.max_memory_bytes < least {
            return Err(ConfigError::new(
                "max_memory_bytes",
                self.max_memory_bytes,
                format!("at least {least} bytes: a request and four chunks"),
            ));
        }
        for (setting, value) in [
            ("export_timeout", Some(self.export_timeout)),
            ("timeout", timeout),
        ] {
            if value == Some(Duration::ZERO) {
                return Err(ConfigError::new(setting, "0", "a time of at least 1 ms"));
            }
        }
        Ok(Limits {
            chunk_bytes: self.chunk_bytes,
            chunk_full_at: self.chunk_bytes - self.chunk_bytes / 8,
            chunk_spans: batch,
            chunks_bytes: self.max_memory_bytes - self.max_request_bytes,
            queue_spans: self.max_queue_size,
            batch_spans: batch,
            request_bytes: self.max_request_bytes,
            span_bytes: self.max_request_bytes - (1 << 10),
            schedule_delay: self.schedule_delay.min(FOR_EVER),
            timeout: timeout
                .unwrap_or(FOR_EVER)
                .min(self.export_timeout)
                .min(FOR_EVER),
            drop_timeout: drop_timeout.min(FOR_EVER),
        })
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    #[test]
    fn a_batch_variable_that_is_not_unicode_is_named_and_ignored() {
        let lookup = |_: &str| Some(OsString::from_vec(b"x\xff".to_vec()));
        let mut environment = Environment::new(&lookup);
        assert_eq!(BatchConfig::read(&mut environment), BatchConfig::default());
        let mut errors = environment.ignored().iter();
        let error = errors.find(|error| error.setting() == "OTEL_BSP_MAX_QUEUE_SIZE");
        assert_eq!(error.map(ConfigError::value), Some("x\u{fffd}"));
    }
}
