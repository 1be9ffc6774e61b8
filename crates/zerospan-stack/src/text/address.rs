//! Addresses, as `Display` formats them, at a fraction of its time.

use super::pieces::{Sealed, Text, TextError};
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::ops::Range;

impl Sealed for Ipv4Addr {}
/// Writes four numbers: `192.0.2.1`.
impl Text for Ipv4Addr {
    #[inline]
    fn write_to<W: Write>(&self, out: &mut W) -> Result<(), TextError> {
        let mut text = Ascii::<15>::new();
        text.push_octets(*self);
        text.as_str().write_to(out)
    }
}

impl Sealed for Ipv6Addr {}
/// Writes the text of [RFC 5952](https://www.rfc-editor.org/rfc/rfc5952): `2001:db8::1`, `::ffff:192.0.2.1`.
impl Text for Ipv6Addr {
    #[inline]
    fn write_to<W: Write>(&self, out: &mut W) -> Result<(), TextError> {
        let mut text = Ascii::<39>::new();
        text.push_segments(*self);
        text.as_str().write_to(out)
    }
}

impl Sealed for IpAddr {}
/// Writes the address of either version.
impl Text for IpAddr {
    #[inline]
    fn write_to<W: Write>(&self, out: &mut W) -> Result<(), TextError> {
        match self {
            Self::V4(address) => address.write_to(out),
            Self::V6(address) => address.write_to(out),
        }
    }
}

impl Sealed for SocketAddrV4 {}
/// Writes address and port: `192.0.2.1:443`.
impl Text for SocketAddrV4 {
    #[inline]
    fn write_to<W: Write>(&self, out: &mut W) -> Result<(), TextError> {
        (self.ip(), ':', self.port()).write_to(out)
    }
}

impl Sealed for SocketAddrV6 {}
/// Writes address, scope if it has one, and port: `[fe80::1%2]:443`.
impl Text for SocketAddrV6 {
    #[inline]
    fn write_to<W: Write>(&self, out: &mut W) -> Result<(), TextError> {
        ('[', self.ip()).write_to(out)?;
        if self.scope_id() != 0 {
            ('%', self.scope_id()).write_to(out)?;
        }
        ("]:", self.port()).write_to(out)
    }
}

impl Sealed for SocketAddr {}
/// Writes the address of either version, and the port.
impl Text for SocketAddr {
    #[inline]
    fn write_to<W: Write>(&self, out: &mut W) -> Result<(), TextError> {
        match self {
            Self::V4(address) => address.write_to(out),
            Self::V6(address) => address.write_to(out),
        }
    }
}

/// The text of an address. Written at once: an output that keeps its length in memory takes as long for a digit as for a text.
struct Ascii<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Ascii<N> {
    fn new() -> Self {
        Self {
            bytes: [0; N],
            len: 0,
        }
    }

    fn as_str(&self) -> &str {
        let text = self.bytes.get(..self.len).unwrap_or_default();
        std::str::from_utf8(text).unwrap_or_default()
    }

    /// Appends a byte, of which there are never more than `N`.
    #[inline]
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
    }

    fn push_octets(&mut self, address: Ipv4Addr) {
        for (index, octet) in address.octets().into_iter().enumerate() {
            if index > 0 {
                self.push(b'.');
            }
            if octet >= 100 {
                self.push(b'0' + octet / 100);
            }
            if octet >= 10 {
                self.push(b'0' + octet / 10 % 10);
            }
            self.push(b'0' + octet % 10);
        }
    }

    fn push_segments(&mut self, address: Ipv6Addr) {
        let mapped = address.to_ipv4_mapped();
        let segments = address.segments();
        let zeros = longest_zeros(&segments);
        let digits = if mapped.is_some() { 6 } else { 8 };
        for (index, segment) in segments.into_iter().enumerate().take(digits) {
            if zeros.contains(&index) {
                if index == zeros.start {
                    self.push(b':');
                }
                continue;
            }
            if index > 0 {
                self.push(b':');
            }
            self.push_hex(segment);
        }
        if let Some(mapped) = mapped {
            self.push(b':');
            self.push_octets(mapped);
        } else if zeros.end == digits {
            self.push(b':');
        }
    }

    #[inline]
    fn push_hex(&mut self, number: u16) {
        let digits = number.checked_ilog2().unwrap_or(0) / 4 + 1;
        for place in (0..digits).rev() {
            let digit = (number >> (4 * place)) as u8 & 0xf;
            self.push(if digit < 10 {
                b'0' + digit
            } else {
                b'a' - 10 + digit
            });
        }
    }
}

/// Returns the first of the longest runs of zeros; an empty one if none has two.
fn longest_zeros(segments: &[u16; 8]) -> Range<usize> {
    let (mut longest, mut start) = (0..0, 0);
    for (index, segment) in segments.iter().enumerate() {
        if *segment != 0 {
            start = index + 1;
        } else if index + 1 - start > longest.len().max(1) {
            longest = start..index + 1;
        }
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(text: impl Text) -> String {
        let mut out = String::new();
        assert_eq!(text.write_to(&mut out), Ok(()));
        out
    }

    /// Segments of which many are zero, and some are those of a mapped address.
    fn segments() -> impl Strategy<Value = [u16; 8]> {
        prop_oneof![
            any::<[u16; 8]>(),
            proptest::array::uniform8(prop_oneof![3 => Just(0), 1 => Just(1), 1 => any::<u16>()]),
            any::<[u16; 2]>().prop_map(|[a, b]| [0, 0, 0, 0, 0, 0xffff, a, b]),
        ]
    }

    proptest! {
        #[test]
        fn addresses_read_as_display_formats_them(
            octets: [u8; 4], segments in segments(), port: u16, scope in 0_u32..3,
        ) {
            let (four, six) = (Ipv4Addr::from(octets), Ipv6Addr::from(segments));
            prop_assert_eq!(text(IpAddr::V4(four)), four.to_string());
            prop_assert_eq!(text(IpAddr::V6(six)), six.to_string());
            let four = SocketAddr::from((four, port));
            prop_assert_eq!(text(four), four.to_string());
            let six = SocketAddr::V6(SocketAddrV6::new(six, port, 0, scope));
            prop_assert_eq!(text(six), six.to_string());
        }
    }
}
