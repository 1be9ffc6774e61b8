use super::limits::{Limits, MAX_TIMEOUT};
use std::time::Duration;
use zerospan_transport::env::{self, Environment};
use zerospan_transport::{ConfigError, Signal};

/// Limits of a batch, of the queue before it, and of the memory that both may use.
///
/// The first four fields are the specification's, with its variables: `OTEL_BSP_*` for spans, `OTEL_BLRP_*` for log records. Its
/// numbers of items, a queue of 2048 and a batch of 512, are not the defaults: bytes are counted unless a number is set.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchConfig {
    /// The longest time that an item waits before it is sent: 5 s for spans, 1 s for log records. `…SCHEDULE_DELAY`.
    pub schedule_delay: Duration,
    /// The longest time for the export of one request, retries included: 30 s. The timeout of the transport, 10 s, applies
    /// as well. `…EXPORT_TIMEOUT`.
    pub export_timeout: Duration,
    /// Max items that wait to be sent, in addition to those in their threads' chunks. `None`, the default, lets as many wait
    /// as fit into [`max_memory_bytes`](Self::max_memory_bytes). `…MAX_QUEUE_SIZE`.
    pub max_queue_size: Option<usize>,
    /// Max items in one request, which is sent when as many are queued. `None`, the default, counts
    /// [bytes](Self::batch_bytes) instead; with a `max_queue_size` it stands for the specification's 512, or for the queue's
    /// size if that is smaller. `…MAX_EXPORT_BATCH_SIZE`.
    pub max_export_batch_size: Option<usize>,
    /// Bytes that fill a request where no number of items does: 512 KiB. It is sent when as many are queued, and ends with the
    /// chunk that reaches them.
    pub batch_bytes: usize,
    /// Max bytes in one request, before compression: 4 MiB less 64 KiB, since a gRPC receiver accepts 4 MiB by default,
    /// framing included.
    pub max_request_bytes: usize,
    /// Max bytes of memory: 32 MiB. Chunks have this less [`max_request_bytes`](Self::max_request_bytes), which are left for the
    /// copy of a request that compression and gRPC make.
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
            max_queue_size: None,
            max_export_batch_size: None,
            batch_bytes: 512 << 10,
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
            config.max_queue_size = Some(size(items));
        }
        let batch_variable = variable("MAX_EXPORT_BATCH_SIZE");
        if let Some(items) = environment.number(&batch_variable, 1).map(size) {
            match config.max_queue_size {
                Some(max) if items > max => {
                    let accepted = format!("1 to {queue_variable}, which is {max}");
                    environment.ignore(ConfigError::new(batch_variable, items, accepted));
                }
                _ => config.max_export_batch_size = Some(items),
            }
        }
        config
    }

    /// Returns the max items in one request: `usize::MAX` if bytes are counted.
    fn request_items(&self) -> usize {
        let default = Signal::Traces.batch_defaults().max_export_batch_size;
        let of_queue = self.max_queue_size.map(|queue| queue.min(default));
        self.max_export_batch_size
            .or(of_queue)
            .unwrap_or(usize::MAX)
    }

    /// Checks the settings against one another and derives the limits from them.
    pub(crate) fn limits(
        &self,
        timeout: Option<Duration>,
        drop_timeout: Duration,
    ) -> Result<Limits, ConfigError> {
        if self.max_queue_size == Some(0) {
            return Err(ConfigError::new(
                "max_queue_size",
                0,
                "1 or more, or `None`",
            ));
        }
        let queue_items = self.max_queue_size.unwrap_or(usize::MAX);
        let request_items = self.request_items();
        if let Some(items) = self.max_export_batch_size
            && (items == 0 || items > queue_items)
        {
            let accepted = match self.max_queue_size {
                Some(max) => format!("1 to max_queue_size, which is {max}"),
                None => "1 or more, or `None`".to_owned(),
            };
            return Err(ConfigError::new("max_export_batch_size", items, accepted));
        }
        if self.batch_bytes < 1 << 10 {
            return Err(ConfigError::new(
                "batch_bytes",
                self.batch_bytes,
                "at least 1024 bytes",
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
        let chunks_bytes = self.max_memory_bytes - self.max_request_bytes;
        let batch_bytes = match request_items {
            usize::MAX => self.batch_bytes,
            _ => usize::MAX,
        };
        Ok(Limits {
            chunk_bytes: self.chunk_bytes,
            chunk_full_at: self.chunk_bytes - self.chunk_bytes / 8,
            chunk_items: request_items,
            chunks_bytes,
            queue_items,
            request_items,
            // The worker starts to send before the memory is used up, although chunks are not filled to the brim.
            batch_bytes: batch_bytes
                .min(self.max_request_bytes)
                .min(chunks_bytes / 4),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(config: &BatchConfig) -> Result<Limits, ConfigError> {
        config.limits(None, Duration::from_secs(5))
    }

    #[test]
    fn the_defaults_count_bytes() {
        let config = BatchConfig::default();
        assert_eq!(config, BatchConfig::from_vars(|_| None).0);
        let limits = limits(&config).expect("the defaults are in order");
        assert_eq!(limits.chunk_bytes, 65_536);
        assert_eq!(limits.chunk_full_at, 57_344);
        assert_eq!(limits.chunks_bytes, 28 * (1 << 20) + 65_536);
        assert_eq!(limits.batch_bytes, 524_288);
        assert_eq!(limits.request_bytes, 4 * (1 << 20) - 65_536);
        assert_eq!(limits.item_bytes, limits.request_bytes - 1024);
        assert_eq!(limits.queue_items, usize::MAX);
        assert_eq!(
            (limits.request_items, limits.chunk_items),
            (usize::MAX, usize::MAX)
        );
        assert_eq!(limits.max_queue_items(), None);
        assert_eq!(limits.schedule_delay, Duration::from_secs(5));
        assert_eq!(limits.timeout, Duration::from_secs(30));
        assert_eq!(limits.drop_timeout, Duration::from_secs(5));
    }

    #[test]
    fn a_number_of_items_replaces_the_bytes_of_a_batch() {
        let of = |max_queue_size, max_export_batch_size| {
            let config = BatchConfig {
                max_queue_size,
                max_export_batch_size,
                ..BatchConfig::default()
            };
            let limits = limits(&config).expect("they are in order");
            let request = limits.request_bytes;
            assert_eq!(limits.chunk_items, limits.request_items);
            (
                limits.max_queue_items(),
                limits.request_items,
                limits.batch_bytes == request,
            )
        };
        assert_eq!(of(Some(2048), None), (Some(2048), 512, true));
        assert_eq!(of(Some(100), None), (Some(100), 100, true));
        assert_eq!(of(Some(100), Some(100)), (Some(100), 100, true));
        assert_eq!(of(None, Some(1)), (None, 1, true));
        assert_eq!(of(None, None), (None, usize::MAX, false));
    }

    #[test]
    fn a_batch_takes_at_most_a_quarter_of_the_memory() {
        let config = BatchConfig {
            max_request_bytes: 4096,
            chunk_bytes: 1024,
            max_memory_bytes: 4096 + 4 * 1024,
            ..BatchConfig::default()
        };
        let limits = limits(&config).expect("they are in order");
        assert_eq!((limits.chunks_bytes, limits.batch_bytes), (4096, 1024));
        assert_eq!((limits.chunk_full_at, limits.item_bytes), (896, 3072));
    }

    #[test]
    fn each_setting_is_accepted_up_to_its_bounds_and_not_beyond() {
        let check =
            |change: fn(&mut BatchConfig, usize), setting: &str, values: [(usize, bool); 2]| {
                for (value, accepted) in values {
                    let mut config = BatchConfig {
                        max_memory_bytes: 2 << 30,
                        ..BatchConfig::default()
                    };
                    change(&mut config, value);
                    let error = limits(&config).err();
                    assert_eq!(error.is_none(), accepted, "{setting}: {value}");
                    assert!(error.is_none_or(|error| error.setting() == setting));
                }
            };
        check(
            |c, v| c.max_queue_size = Some(v),
            "max_queue_size",
            [(1, true), (0, false)],
        );
        let batch = |c: &mut BatchConfig, v| {
            c.max_queue_size = Some(10);
            c.max_export_batch_size = Some(v);
        };
        check(batch, "max_export_batch_size", [(10, true), (11, false)]);
        check(batch, "max_export_batch_size", [(1, true), (0, false)]);
        check(
            |c, v| c.batch_bytes = v,
            "batch_bytes",
            [(1024, true), (1023, false)],
        );
        check(
            |c, v| c.chunk_bytes = v,
            "chunk_bytes",
            [(1024, true), (1023, false)],
        );
        check(
            |c, v| c.chunk_bytes = v,
            "chunk_bytes",
            [(1_048_576, true), (1_048_577, false)],
        );
        let request = |c: &mut BatchConfig, v| c.max_request_bytes = v;
        check(request, "max_request_bytes", [(4096, true), (4095, false)]);
        check(
            request,
            "max_request_bytes",
            [(1 << 30, true), ((1 << 30) + 1, false)],
        );
        let memory = |c: &mut BatchConfig, v| {
            c.max_request_bytes = 4096;
            c.chunk_bytes = 1024;
            c.max_memory_bytes = v;
        };
        check(memory, "max_memory_bytes", [(8192, true), (8191, false)]);
    }

    #[test]
    fn a_timeout_of_zero_is_an_error_and_the_shorter_one_counts() {
        let config = BatchConfig::default();
        let timeout = |seconds| {
            let timeout = Some(Duration::from_secs(seconds));
            config
                .limits(timeout, Duration::MAX)
                .map(|limits| limits.timeout)
        };
        assert_eq!(
            timeout(0).map_err(|error| error.setting().to_owned()),
            Err("timeout".to_owned())
        );
        assert_eq!(timeout(10), Ok(Duration::from_secs(10)));
        assert_eq!(timeout(100), Ok(Duration::from_secs(30)));
        let never = BatchConfig {
            export_timeout: Duration::MAX,
            schedule_delay: Duration::MAX,
            ..config
        };
        let limits = never
            .limits(None, Duration::MAX)
            .expect("they are in order");
        let year = Duration::from_secs(31_536_000);
        assert_eq!(
            [limits.timeout, limits.schedule_delay, limits.drop_timeout],
            [year; 3]
        );
        let at_once = BatchConfig {
            export_timeout: Duration::ZERO,
            ..config
        };
        assert!(at_once.limits(None, Duration::ZERO).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_batch_variable_that_is_not_unicode_is_named_and_ignored() {
        use std::ffi::OsString;
        use std::os::unix::ffi::OsStringExt;

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
