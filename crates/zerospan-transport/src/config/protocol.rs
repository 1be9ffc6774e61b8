use crate::error::ConfigError;
use std::fmt;

/// The protocol that requests are sent with.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `http/protobuf`: OTLP/HTTP with binary protobuf. Needs the feature `http`.
    HttpProtobuf,
    /// `grpc`: OTLP/gRPC. Needs the feature `grpc`.
    Grpc,
}

/// The compression of requests.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// `none`.
    #[default]
    None,
    /// `gzip`. Needs the feature `gzip`.
    Gzip,
}

impl Protocol {
    /// Parses the value of `OTEL_EXPORTER_OTLP_PROTOCOL`.
    pub(super) fn parse(setting: &str, value: &str) -> Result<Self, ConfigError> {
        // Values of enumerations are case-insensitive.
        match value.to_ascii_lowercase().as_str() {
            "grpc" => Ok(Self::Grpc),
            "http/protobuf" => Ok(Self::HttpProtobuf),
            _ => Err(ConfigError::new(setting, value, "grpc or http/protobuf")),
        }
    }

    /// Returns `true` if this build has the protocol.
    pub const fn is_built(self) -> bool {
        match self {
            Self::HttpProtobuf => cfg!(feature = "http"),
            Self::Grpc => cfg!(feature = "grpc"),
        }
    }

    /// Checks that this build has the protocol.
    pub(super) fn check(self, setting: &str) -> Result<(), ConfigError> {
        if self.is_built() {
            return Ok(());
        }
        let feature = match self {
            Self::HttpProtobuf => "http",
            Self::Grpc => "grpc",
        };
        let accepted = format!(
            "another protocol, or turn on the feature `{feature}` of zerospan or zerospan-transport"
        );
        Err(ConfigError::new(setting, self, accepted))
    }
}

impl Compression {
    /// Parses the value of `OTEL_EXPORTER_OTLP_COMPRESSION`.
    pub(super) fn parse(setting: &str, value: &str) -> Result<Self, ConfigError> {
        let compression = match value.to_ascii_lowercase().as_str() {
            "none" => Self::None,
            "gzip" => Self::Gzip,
            _ => return Err(ConfigError::new(setting, value, "gzip or none")),
        };
        compression.check(setting)?;
        Ok(compression)
    }

    /// Checks that this build has the compression.
    pub(super) fn check(self, setting: &str) -> Result<(), ConfigError> {
        if self == Self::Gzip && cfg!(not(feature = "gzip")) {
            let accepted = "none, or turn on the feature `gzip` of zerospan or zerospan-transport";
            return Err(ConfigError::new(setting, self, accepted));
        }
        Ok(())
    }
}

/// The default: `http/protobuf`, unless only gRPC is built in.
impl Default for Protocol {
    fn default() -> Self {
        match cfg!(feature = "http") || cfg!(not(feature = "grpc")) {
            true => Self::HttpProtobuf,
            false => Self::Grpc,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HttpProtobuf => "http/protobuf",
            Self::Grpc => "grpc",
        })
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Gzip => "gzip",
        })
    }
}
