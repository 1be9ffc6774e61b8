use super::protocol::Protocol;
use crate::error::ConfigError;
use crate::signal::Signal;
use crate::target::{Target, is_loopback, port_text};
use std::fmt;
use uri::Uri;

/// The destination of requests.
#[derive(Clone, Debug)]
#[cfg_attr(not(all(feature = "http", feature = "grpc")), allow(dead_code))]
pub(super) enum Destination {
    /// The URL of OTLP/HTTP.
    Url(Uri),
    /// The server of OTLP/gRPC.
    Server(Target),
}

impl Destination {
    /// Reports whether requests travel over TLS.
    pub(super) fn is_secure(&self) -> bool {
        match self {
            Self::Url(uri) => uri.scheme_str() == Some("https"),
            Self::Server(target) => target.secure,
        }
    }

    /// Reports whether requests stay on this host.
    pub(super) fn is_local(&self) -> bool {
        match self {
            Self::Url(uri) => is_loopback(uri.host().unwrap_or_default()),
            Self::Server(target) => target.is_local(),
        }
    }

    /// Returns the name of the host.
    pub(super) fn host(&self) -> &str {
        match self {
            Self::Url(uri) => uri.host().unwrap_or_default(),
            Self::Server(target) => target.host(),
        }
    }
}

/// Prints no query: it may hold a key.
impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(uri) => {
                let text = uri.to_string();
                f.write_str(text.split('?').next().unwrap_or_default())
            }
            Self::Server(target) => target.fmt(f),
        }
    }
}

/// The URL of a collector, or its name for gRPC, not checked.
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
            |letter: char| letter.is_ascii_alphanumeric() || "-._~:/[]%,".contains(letter);
        match url {
            _ if url.contains('@') => "a URL with an @",
            _ if url.chars().all(is_of_urls) => url,
            _ => "a text that is not a URL",
        }
    }

    /// Creates the specification's default.
    pub(super) fn default_of(protocol: Protocol) -> Self {
        let url = match protocol {
            Protocol::HttpProtobuf => "http://localhost:4318",
            Protocol::Grpc => "http://localhost:4317",
        };
        Self::base("endpoint", url.to_owned())
    }

    /// Checks the endpoint and returns what requests of `signal` are sent to. `insecure` decides about TLS where the
    /// endpoint has no scheme that does.
    pub(super) fn destination(
        &self,
        protocol: Protocol,
        signal: Signal,
        insecure: Option<bool>,
    ) -> Result<Destination, ConfigError> {
        let destination = match protocol {
            Protocol::HttpProtobuf => Destination::Url(self.url(protocol, signal)?),
            Protocol::Grpc => Destination::Server(self.server(signal, insecure)?),
        };
        if destination.is_secure() && cfg!(not(feature = "tls")) {
            return Err(self.unusable(
                protocol,
                signal,
                "TLS needs the feature `tls` of zerospan or zerospan-transport",
            ));
        }
        Ok(destination)
    }

    fn server(&self, signal: Signal, insecure: Option<bool>) -> Result<Target, ConfigError> {
        let text = self.url.trim();
        let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
        let unusable = |why: &str| self.unusable(Protocol::Grpc, signal, why);
        if scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https") {
            let uri = self.url(Protocol::Grpc, signal)?;
            return Target::of_url(&uri).ok_or_else(|| unusable("it must name a host"));
        }
        Target::parse(text, insecure).map_err(unusable)
    }

    /// Checks the URL, and appends the signal's path for HTTP.
    fn url(&self, protocol: Protocol, signal: Signal) -> Result<Uri, ConfigError> {
        let unusable = |why: &str| self.unusable(protocol, signal, why);
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
        if port_text(authority).is_some() && authority.port_u16().is_none_or(|port| port == 0) {
            return Err(unusable("its port must be 1 to 65535"));
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

    fn unusable(&self, protocol: Protocol, signal: Signal, why: &str) -> ConfigError {
        let accepted = match protocol {
            Protocol::HttpProtobuf => {
                format!(
                    "a URL such as http://localhost:4318/{} ({why})",
                    signal.path()
                )
            }
            Protocol::Grpc => format!(
                "a URL such as http://localhost:4317, or a name of gRPC such as host:4317 or \
                 unix:///run/otel.sock ({why})"
            ),
        };
        ConfigError::new(&self.setting, self.shown(), accepted)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shown())
    }
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    #[test]
    fn a_message_shows_a_url_without_what_may_be_a_secret_and_says_why() {
        for (url, shown) in [
            (" http://host:4318/a%20b ", "http://host:4318/a%20b"),
            ("https://[::1]:4317/?token=1", "https://[::1]:4317/"),
            ("http://user:password@host", "a URL with an @"),
            ("a key of {mine}", "a text that is not a URL"),
        ] {
            let endpoint = Endpoint::base("endpoint", url.to_owned());
            assert_eq!(endpoint.shown(), shown);
        }
    }
}
