use super::Protocol;
use crate::ConfigError;
use std::fmt;
use uri::Uri;

/// The URL of a collector, not yet checked.
#[derive(Clone)]
pub(crate) struct Endpoint {
    setting: &'static str,
    url: String,
    /// Whether `/v1/traces` belongs behind its path.
    is_base: bool,
}

impl Endpoint {
    /// A URL that is used as it is.
    pub(crate) fn as_it_stands(setting: &'static str, url: String) -> Self {
        Self {
            setting,
            url,
            is_base: false,
        }
    }

    /// A URL for all signals, behind which the signal's path comes.
    pub(crate) fn base(setting: &'static str, url: String) -> Self {
        Self {
            setting,
            url,
            is_base: true,
        }
    }

    /// The URL, unless there may be a password in it: what stands before an `@`, even where the URL is none.
    fn shown(&self) -> &str {
        match self.url.contains('@') {
            true => "a URL with an @",
            false => &self.url,
        }
    }

    pub(crate) fn default_uri(protocol: Protocol) -> Uri {
        match protocol {
            Protocol::HttpProtobuf => Uri::from_static("http://localhost:4318/v1/traces"),
            Protocol::Grpc => Uri::from_static("http://localhost:4317"),
        }
    }

    /// The checked URL that requests go to.
    pub(crate) fn uri(&self, protocol: Protocol) -> Result<Uri, ConfigError> {
        let unusable = |why: &str| {
            ConfigError::new(
                self.setting,
                self.shown(),
                format!("a URL such as {} ({why})", Self::default_uri(protocol)),
            )
        };
        let url = self.url.trim();
        let uri: Uri = url.parse().map_err(|_| unusable("this is no URL"))?;
        let authority = match (uri.scheme_str(), uri.authority()) {
            (Some("http" | "https"), Some(authority)) => authority,
            _ => return Err(unusable("it begins with http:// or https://")),
        };
        if authority.host().is_empty() {
            return Err(unusable("it names a host"));
        }
        if authority.as_str().contains('@') {
            return Err(ConfigError::new(
                self.setting,
                "a URL with credentials",
                "one without: they belong into a header",
            ));
        }
        let after_host = authority.as_str().rsplit(']').next().unwrap_or_default();
        if after_host.contains(':') && authority.port_u16().is_none_or(|port| port == 0) {
            return Err(unusable("its port is 1 to 65535"));
        }
        if uri.scheme_str() == Some("https") && cfg!(not(feature = "tls")) {
            return Err(unusable("https takes the feature `tls` of zerospan-export"));
        }
        if protocol == Protocol::Grpc || !self.is_base {
            return Ok(uri);
        }
        let path = uri.path().trim_end_matches('/');
        let query = uri.query().map(|query| format!("?{query}"));
        let path = format!("{path}/v1/traces{}", query.unwrap_or_default());
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(path.parse().map_err(|_| unusable("its path is none"))?);
        Uri::from_parts(parts).map_err(|_| unusable("this is no URL"))
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shown())
    }
}
