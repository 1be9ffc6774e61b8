use super::limits::{Limits, MAX_TIMEOUT};
use std::time::Duration;
use zerospan_transport::env::{self, Environment};
use zerospan_transport::{ConfigError, Signal};

/// Limits of a batch, of the queue before it, and of the memory that both may use.
///
/// The first four fields are the specification's, with its defaults and variables: `OTEL_BSP_*` for spans, `OTEL_BLRP_*` for
/// log records.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchConfig {
    /// The longest time that an item waits before it is sent: 5 s for spans, 1 s for log records. `…SCHEDULE_DELAY`.
    pub schedule_delay: Duration,
    /// The longest time for the export of one request, retries included: 30 s. The timeout of the transport, 10 s, applies
    /// as well. `…EXPORT_TIMEOUT`.
    pub export_timeout: Duration,
    /// Max items that wait to be sent, in addition to those in their threads' chunks: 2048. `…MAX_QUEUE_SIZE`.
    pub max_queue_size: usize,
    /// Max items in one request: 512. `…MAX_EXPORT_BATCH_SIZE`. When as many are queued, a request is sent; up to a tenth of
    /// a second later if another was sent just before and the queue is less than half full.
    pub max_export_batch_size: usize,
    /// Max bytes in one request, before compression: 4 MiB less 64 KiB, since a gRPC receiver accepts 4 MiB by default,
    /// framing included.
    pub max_request_bytes: usize,
    /// Max bytes of memory in chunks and in the request: 32 MiB.
    pub max_memory_bytes: usize,
    /// Bytes that a thread collects before it hands them over: 64 KiB.
    pub chunk_bytes: usize,
}

/// The defaults for traces.
impl Default for BatchConfig {
    fn default() -> Self {
        Self::for_signal(Signal::Traces)
    }
}

impl BatchConfig {
    /// Returns the defaults for `signal`.
    pub fn for_signal(signal: Signal) -> Self {
        let defaults = signal.batch_defaults();
        Self {
            schedule_delay: defaults.schedule_delay,
            export_timeout: defaults.export_timeout,
            max_queue_size: defaults.max_queue_size,
            max_export_batch_size: defaults.max_export_batch_size,
            max_request_bytes: (4 << 20) - (64 << 10),
            max_memory_bytes: 32 << 20,
            chunk_bytes: 64 << 10,
        }
    }

    /// Reads the environment for traces: `OTEL_BSP_*`.
    ///
    /// A value that cannot be used, or a batch larger than the queue, is logged once, through `tracing`, and ignored.
    pub fn from_env() -> Self {
        Self::from_env_for(Signal::Traces)
    }

    /// Like [`from_env`](Self::from_env), for `signal`: `OTEL_BLRP_*` for logs.
    pub fn from_env_for(signal: Signal) -> Self {
        env::from_process(|environment| Self::read(signal, environment))
    }

    /// Like [`from_env`](Self::from_env), with the variables that `lookup` finds. Also returns what was ignored.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> (Self, Vec<ConfigError>) {
        Self::from_vars_for(Signal::Traces, lookup)
    }

    /// Like [`from_vars`](Self::from_vars), for `signal`.
    pub fn from_vars_for(
        signal: Signal,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> (Self, Vec<ConfigError>) {
        env::from_vars(lookup, |environment| Self::read(signal, environment))
    }

    fn read(signal: Signal, environment: &mut Environment<'_>) -> Self {
        let mut config = Self::for_signal(signal);
        let variable = |name| format!("{}{name}", signal.batch_variable_prefix());
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        if let Some(millis) = environment.number(&variable("SCHEDULE_DELAY"), 0) {
            config.schedule_delay = Duration::from_millis(millis);
        }
        if let Some(timeout) = environment.parse(&variable("EXPORT_TIMEOUT"), env::millis) {
            config.export_timeout = timeout;
        }
        let queue_variable = variable("MAX_QUEUE_SIZE");
        if let Some(items) = environment.number(&queue_variable, 1) {
            config.max_queue_size = size(items);
        }
        let batch_variable = variable("MAX_EXPORT_BATCH_SIZE");
        config.max_export_batch_size = config.max_export_batch_size.min(config.max_queue_size);
        if let Some(items) = environment.number(&batch_variable, 1).map(size) {
            if items <= config.max_queue_size {
                config.max_export_batch_size = items;
            } else {
                let max = config.max_queue_size;
                let accepted = format!("1 to {queue_variable}, which is {max}");
                environment.ignore(ConfigError::new(batch_variable, items, accepted));
            }
        }
        config
    }

    /// Checks the settings against one another and derives the limits from them.
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
        let min = self.max_request_bytes.saturating_add(4 * self.chunk_bytes);
        if self.max_memory_bytes < min {
            return Err(ConfigError::new(
                "max_memory_bytes",
                self.max_memory_bytes,
                format!("at least {min} bytes: a request and four chunks"),
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
            chunk_items: batch,
            chunks_bytes: self.max_memory_bytes - self.max_request_bytes,
            queue_items: self.max_queue_size,
            request_items: batch,
            request_bytes: self.max_request_bytes,
            item_bytes: self.max_request_bytes - (1 << 10),
            schedule_delay: self.schedule_delay.min(MAX_TIMEOUT),
            timeout: timeout
                .unwrap_or(MAX_TIMEOUT)
                .min(self.export_timeout)
                .min(MAX_TIMEOUT),
            drop_timeout: drop_timeout.min(MAX_TIMEOUT),
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
        for (signal, variable) in [
            (Signal::Traces, "OTEL_BSP_MAX_QUEUE_SIZE"),
            (Signal::Logs, "OTEL_BLRP_MAX_QUEUE_SIZE"),
        ] {
            let mut environment = Environment::new(&lookup);
            let config = BatchConfig::read(signal, &mut environment);
            assert_eq!(config, BatchConfig::for_signal(signal));
            let mut errors = environment.ignored().iter();
            let error = errors.find(|error| error.setting() == variable);
            assert_eq!(error.map(ConfigError::value), Some("x\u{fffd}"));
        }
    }
}
