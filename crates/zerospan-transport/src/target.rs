use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use uri::Uri;
use uri::uri::{Authority, Scheme};

/// The server of gRPC requests, in any of the forms that an endpoint may have.
///
/// Besides URLs these are the names of gRPC, <https://github.com/grpc/grpc/blob/master/doc/naming.md>.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "grpc"), allow(dead_code))]
pub(crate) struct Target {
    /// Set for a connection over TLS.
    pub(crate) secure: bool,
    /// The name of the server in requests, and in its certificate.
    authority: Authority,
    pub(crate) peer: Peer,
}

/// The destination of connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// A name or an address, and a port.
    Name(String, u16),
    /// Several addresses, in the order in which they are tried.
    Addresses(Vec<SocketAddr>),
    /// A socket in the file system or, after a leading NUL, in Linux's abstract namespace.
    Unix(PathBuf),
}

/// The port of a name without a scheme and a port.
const DEFAULT_PORT: u16 = 4317;

impl Target {
    /// Creates the target of a URL with `http` or `https`, which is checked.
    pub(crate) fn of_url(uri: &Uri) -> Option<Self> {
        let authority = uri.authority()?.clone();
        let secure = uri.scheme() == Some(&Scheme::HTTPS);
        let port = authority
            .port_u16()
            .unwrap_or(if secure { 443 } else { 80 });
        let peer = Peer::Name(unbracketed(authority.host()).to_owned(), port);
        Some(Self {
            secure,
            authority,
            peer,
        })
    }

    /// Parses an endpoint without `http` and `https`. Without a word about TLS in `insecure` it is used, but not on this
    /// machine.
    pub(crate) fn parse(endpoint: &str, insecure: Option<bool>) -> Result<Self, &'static str> {
        let (scheme, rest) = match endpoint.split_once(':') {
            Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
            None => (String::new(), endpoint),
        };
        let secure = |is_local: bool| !insecure.unwrap_or(is_local);
        match scheme.as_str() {
            "unix" => {
                let path = match rest.strip_prefix("//") {
                    Some(path) if !path.starts_with('/') => {
                        return Err("after unix:// an absolute path must follow");
                    }
                    Some(path) => path,
                    None => rest,
                };
                unix(path.to_owned(), secure(true))
            }
            "unix-abstract" => unix(format!("\0{rest}"), secure(true)),
            "ipv4" | "ipv6" => {
                let addresses = rest
                    .split(',')
                    .map(|address| numeric(address, scheme == "ipv6"))
                    .collect::<Option<Vec<_>>>()
                    .ok_or("it must list addresses of that family, separated by commas")?;
                let is_local = addresses.iter().all(|address| address.ip().is_loopback());
                let authority = addresses[0].to_string();
                Ok(Self {
                    secure: secure(is_local),
                    authority: authority.parse().map_err(|_| "this is no address")?,
                    peer: Peer::Addresses(addresses),
                })
            }
            "dns" => match rest.strip_prefix("//") {
                None => name(rest, secure),
                Some(rest) => match rest.split_once('/') {
                    Some(("", host)) => name(host, secure),
                    _ => Err("it cannot name a DNS server: dns:///host:port"),
                },
            },
            _ if rest.starts_with("//") => Err("this scheme is not known"),
            _ => name(endpoint, secure),
        }
    }

    /// Reports whether requests stay on this host.
    pub(crate) fn is_local(&self) -> bool {
        match &self.peer {
            Peer::Name(name, _) => is_loopback(name),
            Peer::Addresses(addresses) => {
                addresses.iter().all(|address| address.ip().is_loopback())
            }
            Peer::Unix(_) => true,
        }
    }

    /// Returns the server's name, without brackets around an address.
    pub(crate) fn host(&self) -> &str {
        unbracketed(self.authority.host())
    }

    /// Returns the URI of requests, without a method.
    #[cfg(feature = "grpc")]
    pub(crate) fn uri(&self) -> Result<Uri, uri::Error> {
        let scheme = match self.secure {
            true => Scheme::HTTPS,
            false => Scheme::HTTP,
        };
        Uri::builder()
            .scheme(scheme)
            .authority(self.authority.clone())
            .path_and_query("/")
            .build()
    }
}

fn unix(path: String, secure: bool) -> Result<Target, &'static str> {
    if cfg!(not(unix))
        || (path.starts_with('\0') && cfg!(not(any(target_os = "linux", target_os = "android"))))
    {
        return Err("this system has no such sockets");
    }
    if path.trim_start_matches('\0').is_empty() || path[1..].contains('\0') {
        return Err("it must name a socket");
    }
    Ok(Target {
        secure,
        authority: Authority::from_static("localhost"),
        peer: Peer::Unix(PathBuf::from(path)),
    })
}

/// Parses `host` or `host:port`.
fn name(text: &str, secure: impl Fn(bool) -> bool) -> Result<Target, &'static str> {
    if text.contains(['/', '?', '#']) {
        return Err("without a scheme it must be host:port");
    }
    if text.contains('@') {
        return Err("credentials are sent in a header");
    }
    let authority: Authority = text.parse().map_err(|_| "it must be host:port")?;
    let host = unbracketed(authority.host());
    if host.is_empty() {
        return Err("it must name a host");
    }
    let port = match port_text(&authority) {
        None => DEFAULT_PORT,
        Some(_) => authority
            .port_u16()
            .filter(|&port| port > 0)
            .ok_or("its port must be 1 to 65535")?,
    };
    Ok(Target {
        secure: secure(is_loopback(host)),
        peer: Peer::Name(host.to_owned(), port),
        authority,
    })
}

/// Reports whether a name or an address is this host's own.
pub(crate) fn is_loopback(host: &str) -> bool {
    match unbracketed(host).parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => {
            let host = host.trim_end_matches('.').to_ascii_lowercase();
            host == "localhost" || host.ends_with(".localhost")
        }
    }
}

/// Returns the text after the host's colon.
pub(crate) fn port_text(authority: &Authority) -> Option<&str> {
    let after_host = authority.as_str().rsplit([']', '@']).next()?;
    after_host.split_once(':').map(|(_, port)| port)
}

/// Parses `address` or `address:port`, of one family.
fn numeric(text: &str, is_ipv6: bool) -> Option<SocketAddr> {
    let address = text.parse().ok().or_else(|| {
        let ip: IpAddr = unbracketed(text).parse().ok()?;
        Some(SocketAddr::new(ip, DEFAULT_PORT))
    });
    address.filter(|address: &SocketAddr| address.is_ipv6() == is_ipv6 && address.port() > 0)
}

fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.peer, self.secure) {
            (Peer::Name(..), true) => write!(f, "https://{}", self.authority),
            (Peer::Name(..), false) => write!(f, "http://{}", self.authority),
            (peer, _) => peer.fmt(f),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name, port) => write!(f, "{name}:{port}"),
            Self::Addresses(addresses) => {
                let is_ipv6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
                f.write_str(if is_ipv6 { "ipv6:" } else { "ipv4:" })?;
                for (index, address) in addresses.iter().enumerate() {
                    let comma = if index > 0 { "," } else { "" };
                    write!(f, "{comma}{address}")?;
                }
                Ok(())
            }
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(endpoint: &str) -> String {
        match Target::parse(endpoint, None) {
            Ok(target) => format!("{} {} {}", target.peer, target.authority, target.secure),
            Err(why) => why.to_owned(),
        }
    }

    #[test]
    fn every_form_of_a_name_is_read() {
        for (endpoint, read) in [
            ("collector:4317", "collector:4317 collector:4317 true"),
            ("collector", "collector:4317 collector true"),
            ("localhost:1", "localhost:1 localhost:1 false"),
            ("127.0.0.1:1", "127.0.0.1:1 127.0.0.1:1 false"),
            ("[::1]:1", "::1:1 [::1]:1 false"),
            ("dns:collector:1", "collector:1 collector:1 true"),
            ("DNS:///collector:1", "collector:1 collector:1 true"),
            ("ipv4:127.0.0.1:1", "ipv4:127.0.0.1:1 127.0.0.1:1 false"),
            (
                "ipv4:10.0.0.1,10.0.0.2:5",
                "ipv4:10.0.0.1:4317,10.0.0.2:5 10.0.0.1:4317 true",
            ),
            ("ipv6:[::1]:1", "ipv6:[::1]:1 [::1]:1 false"),
        ] {
            assert_eq!(peer(endpoint), read, "{endpoint}");
        }
        assert!(
            peer("unix:/run/x.sock").starts_with("unix:/run/x.sock localhost false")
                || cfg!(not(unix))
        );
        assert_eq!(peer("unix:/run/x.sock"), peer("unix:///run/x.sock"));
    }

    #[test]
    fn a_url_without_a_port_has_that_of_its_scheme() {
        for (url, read) in [
            ("http://collector", "http://collector collector:80"),
            ("https://collector", "https://collector collector:443"),
            ("https://collector:1/x", "https://collector:1 collector:1"),
            ("http://[::1]/", "http://[::1] ::1:80"),
        ] {
            let target = Target::of_url(&url.parse().expect("a URL")).expect("a target");
            assert_eq!(format!("{target} {}", target.peer), read);
        }
    }

    #[test]
    fn loopback_addresses_and_sockets_are_local_if_all_are() {
        for (endpoint, is_local) in [
            ("localhost:1", true),
            ("127.0.0.1:1", true),
            ("[::1]:1", true),
            ("ipv4:127.0.0.1,127.0.0.2:5", true),
            ("ipv4:127.0.0.1,10.0.0.2:5", false),
            ("10.0.0.1:1", false),
            ("collector:1", false),
        ] {
            let target = Target::parse(endpoint, None).expect("a target");
            assert_eq!(target.is_local(), is_local, "{endpoint}");
        }
        let socket = Target::parse("unix:/run/x.sock", None);
        assert!(socket.is_ok_and(|target| target.is_local()) || cfg!(not(unix)));
    }

    #[test]
    fn a_scheme_that_is_not_known_is_named_as_the_reason() {
        for endpoint in ["ftp://collector:1", "ftp://collector", "http2://[::1]:1"] {
            assert_eq!(peer(endpoint), "this scheme is not known", "{endpoint}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for endpoint in [
            "",
            ":1",
            "a:b",
            "host:0",
            "host:70000",
            "host:1/path",
            "ftp://x",
            "dns://8.8.8.8/x",
            "unix:",
            "unix://x/y",
            "ipv4:",
            "ipv4:[::1]:1",
            "ipv4:x",
            "ipv6:127.0.0.1:1",
            "a b:1",
            "[::1",
            "unix:a\0b",
            "unix-abstract:",
        ] {
            assert!(Target::parse(endpoint, None).is_err(), "{endpoint}");
        }
    }

    #[test]
    fn a_word_about_tls_is_followed() {
        for endpoint in ["collector:1", "localhost:1", "unix:/x"] {
            for insecure in [true, false] {
                let Ok(target) = Target::parse(endpoint, Some(insecure)) else {
                    continue;
                };
                assert_eq!(target.secure, !insecure, "{endpoint}");
            }
        }
    }
}
