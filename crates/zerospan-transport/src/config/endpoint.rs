use super::protocol::Protocol;
use crate::error::ConfigError;
use crate::signal::Signal;
use std::fmt;
use uri::Uri;

/// The URL of a collector, not checked.
#[derive(Clone)]
pub(super) struct Endpoint {
    setting: String,
    url: String,
    /// Set if the signal's path is to be appended.
    is_base: bool,
}

impl Endpoint {
    /// Creates the endpoint of one signal: the URL is used as it is.
    pub(super) fn full(setting: impl Into<String>, url: String) -> Self {
        Self {
            setting: setting.into(),
            url,
            is_base: false,
        }
    }

    /// Creates the endpoint of all signals: the signal's path is appended to the URL.
    pub(super) fn base(setting: impl Into<String>, url: String) -> Self {
        Self {
            setting: setting.into(),
            url,
            is_base: true,
        }
    }

    /// Returns the URL for messages, without the parts that may hold a secret: user and password before an `@`, a query, or a
    /// text that is no URL at all.
    fn shown(&self) -> &str {
        let url = self.url.trim();
        let url = &url[..url.find('?').unwrap_or(url.len())];
        let is_of_urls =
            |letter: char| letter.is_ascii_alphanumeric() || "-._~:/[]%".contains(letter);
        match url {
            _ if url.contains('@') => "a URL with an @",
            _ if url.chars().all(is_of_urls) => url,
            _ => "a text that is not a URL",
        }
    }

    /// Returns the specification's default.
    pub(super) fn default_uri(protocol: Protocol, signal: Signal) -> Result<Uri, ConfigError> {
        let url = match protocol {
            Protocol::HttpProtobuf => "http://localhost:4318",
            Protocol::Grpc => "http://localhost:4317",
        };
        Self::base("endpoint", url.to_owned()).uri(protocol, signal)
    }

    /// Checks the URL and returns the one that requests of `signal` are sent to.
    pub(super) fn uri(&self, protocol: Protocol, signal: Signal) -> Result<Uri, ConfigError> {
        let example = match protocol {
            Protocol::HttpProtobuf => "http://localhost:4318/",
            Protocol::Grpc => "http://localhost:4317",
        };
        let path = match protocol {
            Protocol::HttpProtobuf => signal.path(),
            Protocol::Grpc => "",
        };
        let unusable = |why: &str| {
            let accepted = format!("a URL such as {example}{path} ({why})");
            ConfigError::new(&self.setting, self.shown(), accepted)
        };
        let url = self.url.trim();
        let uri: Uri = url.parse().map_err(|_| unusable("this is not a URL"))?;
        let authority = match (uri.scheme_str(), uri.authority()) {
            (Some("http" | "https"), Some(authority)) => authority,
            _ => return Err(unusable("it must begin with http:// or https://")),
        };
        if authority.host().is_empty() {
            return Err(unusable("it must name a host"));
        }
        if authority.as_str().contains('@') {
            return Err(ConfigError::new(
                &self.setting,
                "a URL with credentials",
                "a URL without them, and send them in a header",
            ));
        }
        let after_host = authority.as_str().rsplit(']').next().unwrap_or_default();
        if after_host.contains(':') && authority.port_u16().is_none_or(|port| port == 0) {
            return Err(unusable("its port must be 1 to 65535"));
        }
        if uri.scheme_str() == Some("https") && cfg!(not(feature = "tls")) {
            return Err(unusable(
                "https needs the feature `tls` of zerospan-transport",
            ));
        }
        if protocol == Protocol::Grpc || !self.is_base {
            return Ok(uri);
        }
        let path = uri.path().trim_end_matches('/');
        let query = uri.query().map(|query| format!("?{query}"));
        let path = format!("{path}/{}{}", signal.path(), query.unwrap_or_default());
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(
            path.parse()
                .map_err(|_| unusable("its path is not valid"))?,
        );
        Uri::from_parts(parts).map_err(|_| unusable("this is not a URL"))
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shown())
    }
}
