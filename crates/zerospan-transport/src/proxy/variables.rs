use super::{Proxy, base64, no_proxy};
use crate::error::ConfigError;
use percent_encoding::percent_decode_str;
use std::ffi::OsString;
use std::fmt;
use uri::{HeaderValue, Uri};

/// The proxy variables of a process, read as curl reads them.
///
/// `http_proxy` in upper case is not read: where a server passes a request's headers in the environment, as CGI does, a client
/// sets it with a header `Proxy`.
#[derive(Clone, Default)]
pub(crate) struct ProxyVariables {
    http: Option<Variable>,
    https: Option<Variable>,
    except: String,
}

#[derive(Clone)]
struct Variable {
    name: &'static str,
    /// Not Unicode, or a URL that is not checked.
    value: Result<String, OsString>,
}

impl ProxyVariables {
    /// Reads the variables of this process.
    pub(crate) fn from_process() -> Self {
        Self::read(&|name| std::env::var_os(name))
    }

    /// Reads the variables that `lookup` finds.
    pub(crate) fn read(lookup: &dyn Fn(&str) -> Option<OsString>) -> Self {
        let first = |names: &[&'static str]| {
            names.iter().find_map(|&name| {
                let value = lookup(name).filter(|value| !value.is_empty())?;
                let value = value.into_string();
                Some(Variable { name, value })
            })
        };
        let all = ["all_proxy", "ALL_PROXY"];
        Self {
            http: first(&["http_proxy"]).or_else(|| first(&all)),
            https: first(&["https_proxy", "HTTPS_PROXY"]).or_else(|| first(&all)),
            except: first(&["no_proxy", "NO_PROXY"])
                .and_then(|variable| variable.value.ok())
                .unwrap_or_default(),
        }
    }

    /// Returns the proxy for requests to `target`.
    ///
    /// # Errors
    ///
    /// A proxy that cannot be used: nothing may be sent around it.
    pub(crate) fn proxy_for(&self, target: &Uri) -> Result<Option<Proxy>, ConfigError> {
        let variable = match target.scheme_str() {
            Some("https") => &self.https,
            _ => &self.http,
        };
        let host = target.host().unwrap_or_default();
        match variable {
            Some(variable) if !no_proxy::names(&self.except, host) => variable.proxy().map(Some),
            _ => Ok(None),
        }
    }
}

impl Variable {
    fn proxy(&self) -> Result<Proxy, ConfigError> {
        let unusable = |shown: &str, why: &str| {
            let accepted = format!("the URL of an HTTP proxy, such as http://proxy:3128 ({why})");
            ConfigError::new(self.name, shown, accepted)
        };
        let malformed = |why| unusable("a URL that is not shown", why);
        let text = self
            .value
            .as_deref()
            .map_err(|_| malformed("it is not Unicode"))?;
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let scheme = scheme.to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "http" => 1080,
            "https" if cfg!(feature = "tls") => 443,
            "https" => {
                return Err(unusable(
                    "https://...",
                    "https needs the feature `tls` of zerospan or zerospan-transport",
                ));
            }
            other if other.starts_with("socks") => {
                return Err(unusable(
                    &format!("{other}://..."),
                    "SOCKS is not supported",
                ));
            }
            _ => return Err(malformed("its scheme is not known")),
        };
        let rest = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (user_info, authority) = match rest.rsplit_once('@') {
            Some((user_info, authority)) => (format!("{user_info}@"), authority),
            None => (String::new(), rest),
        };
        let uri: Uri = format!("{scheme}://{authority}/")
            .parse()
            .map_err(|_| malformed("this is not a URL"))?;
        let host = uri.host().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| malformed("it must name a host"))?;
        let port_text = authority.rsplit(']').next().unwrap_or_default();
        let port = match (uri.port_u16(), port_text.contains(':')) {
            (Some(port), _) if port > 0 => port,
            (None, false) => default_port,
            _ => return Err(malformed("its port must be 1 to 65535")),
        };
        let uri = format!("{scheme}://{host}:{port}/")
            .parse()
            .map_err(|_| malformed("this is not a URL"))?;
        let authorization = match user_info.is_empty() {
            true => None,
            false => Some(basic(user_info.trim_end_matches('@'))),
        };
        Ok(Proxy {
            uri,
            user_info,
            authorization,
        })
    }
}

/// Returns the value of `Proxy-Authorization` for a percent-encoded user and password.
fn basic(user_info: &str) -> HeaderValue {
    let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
    let mut plain: Vec<u8> = percent_decode_str(user).collect();
    plain.push(b':');
    plain.extend(percent_decode_str(password));
    let text = format!("Basic {}", base64(&plain));
    let mut value = HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

/// Prints no URL: it may contain a password.
impl fmt::Debug for ProxyVariables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |variable: &Option<Variable>| variable.as_ref().map(|variable| variable.name);
        f.debug_struct("ProxyVariables")
            .field("http", &name(&self.http))
            .field("https", &name(&self.https))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(variables: &[(&str, &str)], target: &str) -> Result<Option<Proxy>, ConfigError> {
        let lookup = |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| OsString::from(value))
        };
        ProxyVariables::read(&lookup).proxy_for(&target.parse().expect("a URL"))
    }

    fn uri(variables: &[(&str, &str)], target: &str) -> String {
        let proxy = chosen(variables, target).expect("usable");
        proxy.map_or_else(String::new, |proxy| proxy.uri.to_string())
    }

    #[test]
    fn the_variables_are_those_of_curl() {
        let (http, https) = ("http://127.0.0.1:4318/", "https://collector/");
        for (name, of_http, of_https) in [
            ("http_proxy", true, false),
            ("HTTP_PROXY", false, false),
            ("https_proxy", false, true),
            ("HTTPS_PROXY", false, true),
            ("all_proxy", true, true),
            ("ALL_PROXY", true, true),
        ] {
            let variables = [(name, "proxy:3128")];
            assert_eq!(!uri(&variables, http).is_empty(), of_http, "{name}");
            assert_eq!(!uri(&variables, https).is_empty(), of_https, "{name}");
        }
        // Lower case wins, the scheme's variable wins, and an empty one is unset.
        let both = [
            ("https_proxy", "low"),
            ("HTTPS_PROXY", "up"),
            ("all_proxy", "all"),
        ];
        assert_eq!(uri(&both, https), "http://low:1080/");
        assert_eq!(uri(&both, http), "http://all:1080/");
        assert_eq!(
            uri(&[("https_proxy", ""), ("HTTPS_PROXY", "up")], https),
            "http://up:1080/"
        );
        let except = [("all_proxy", "all"), ("NO_PROXY", "localhost, 127.0.0.1")];
        assert_eq!(uri(&except, http), "");
        assert_eq!(uri(&except, https), "http://all:1080/");
        let lower = [("all_proxy", "all"), ("NO_PROXY", "*"), ("no_proxy", "x")];
        assert_eq!(uri(&lower, https), "http://all:1080/");
    }

    #[test]
    fn a_url_has_defaults_and_credentials() {
        let of = |url| {
            chosen(&[("all_proxy", url)], "http://x/")
                .expect("usable")
                .expect("one")
        };
        assert_eq!(of("http://proxy").uri, "http://proxy:1080/");
        assert_eq!(of("HTTP://proxy:3128/").uri, "http://proxy:3128/");
        assert_eq!(of("[::1]:8080").uri, "http://[::1]:8080/");
        assert_eq!(of("http://proxy").authorization, None);
        let proxy = of("http://us%40er:p%3Aw@proxy:3128");
        assert_eq!(proxy.uri, "http://proxy:3128/");
        assert_eq!(
            proxy.authorization.as_ref().expect("given"),
            "Basic dXNAZXI6cDp3"
        );
        assert!(!format!("{proxy:?}").contains("er:"), "{proxy:?}");
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_an_error_without_its_password() {
        for url in [
            "socks5://user:hunter2@proxy",
            "ftp://user:hunter2@proxy",
            "http://user:hunter2@:80",
            "http://user:hunter2@proxy:0",
            "http://user:hunter2@proxy:99999",
            "http://user:hunter2@pro xy",
        ] {
            let error = chosen(&[("all_proxy", url)], "http://x/").expect_err(url);
            assert_eq!(error.setting(), "all_proxy");
            assert!(!format!("{error:?}").contains("hunter2"), "{error}");
            // It is not used where another applies, or none.
            assert!(chosen(&[("all_proxy", url), ("no_proxy", "x")], "http://x/").is_ok());
        }
    }
}
