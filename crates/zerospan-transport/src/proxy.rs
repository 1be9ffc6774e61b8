//! Proxies, as curl chooses them.

mod no_proxy;
mod variables;

pub(crate) use variables::ProxyVariables;

use std::fmt;
use uri::{HeaderValue, Uri};

/// An HTTP proxy.
#[derive(Clone)]
#[cfg_attr(not(feature = "http"), allow(dead_code))]
pub(crate) struct Proxy {
    /// Scheme, host and port.
    pub(crate) uri: Uri,
    /// User and password, percent-encoded, before an `@`; or nothing.
    user_info: String,
    /// The value of `Proxy-Authorization`.
    pub(crate) authorization: Option<HeaderValue>,
}

impl Proxy {
    /// Returns `true` if the connection to the proxy is over TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }

    /// Returns the proxy for requests over a tunnel.
    #[cfg(feature = "http")]
    pub(crate) fn for_ureq(&self) -> Result<ureq::Proxy, ureq::Error> {
        let (scheme, authority) = (self.uri.scheme_str(), self.uri.authority());
        ureq::Proxy::new(&format!(
            "{}://{}{}",
            scheme.unwrap_or("http"),
            self.user_info,
            authority.map_or("", |authority| authority.as_str()),
        ))
    }
}

/// Prints neither user nor password.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("uri", &self.uri)
            .finish_non_exhaustive()
    }
}

/// Encodes bytes as RFC 4648 does.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |index| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for letter in 0..4 {
            text.push(match letter <= group.len() {
                true => char::from(LETTERS[(bits >> (18 - 6 * letter) & 63) as usize]),
                false => '=',
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (plain, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
        assert_eq!(base64(&[0xff, 0xfe]), "//4=");
    }
}
