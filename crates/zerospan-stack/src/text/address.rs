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
        let mut text = Ascii::<16>::new();
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
        for octet in address.octets() {
            let (digits, len) = decimal(octet);
            self.push_some(digits, len + 1);
        }
        // The last dot.
        self.len = self.len.saturating_sub(1);
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
            let (digits, len) = hex(segment);
            self.push_some(digits, len);
        }
        if let Some(mapped) = mapped {
            self.push(b':');
            self.push_octets(mapped);
        } else if zeros.end == digits {
            self.push(b':');
        }
    }

    /// Appends the first `len` of four bytes. The longest text has room for four where its last ones begin.
    #[inline]
    fn push_some(&mut self, bytes: [u8; 4], len: usize) {
        if let Some(places) = self.bytes.get_mut(self.len..self.len + 4) {
            places.copy_from_slice(&bytes);
            self.len += len;
        }
    }
}

/// Returns the decimal digits of a number, a dot after them, and how many digits there are.
#[inline]
fn decimal(number: u8) -> ([u8; 4], usize) {
    let number = u32::from(number);
    let (tens, ones) = (number / 10, number % 10);
    let digits = (tens / 10) | ((tens % 10) << 8) | (ones << 16);
    let zeros = u32::from(number < 100) + u32::from(number < 10);
    let text = (digits + u32::from_le_bytes(*b"000.")) >> (8 * zeros);
    (text.to_le_bytes(), 3 - zeros as usize)
}

/// Returns the hexadecimal digits of a number, and how many of them count.
#[inline]
fn hex(number: u16) -> ([u8; 4], usize) {
    let number = u32::from(number);
    // A digit in each byte, the highest first.
    let values =
        (number >> 12) | (number & 0x0f00) | ((number & 0x00f0) << 12) | ((number & 0x000f) << 24);
    let is_letter = ((values + 0x0606_0606) >> 4) & 0x0101_0101;
    let digits = values + 0x3030_3030 + is_letter * u32::from(b'a' - 10 - b'0');
    let zeros = (number as u16 | 1).leading_zeros() / 4;
    ((digits >> (8 * zeros)).to_le_bytes(), 4 - zeros as usize)
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

    #[test]
    fn every_number_has_the_digits_that_display_formats() {
        for number in 0..=u16::MAX {
            let (digits, len) = hex(number);
            assert_eq!(&digits[..len], format!("{number:x}").as_bytes());
        }
        for number in 0..=u8::MAX {
            let (digits, len) = decimal(number);
            assert_eq!(&digits[..=len], format!("{number}.").as_bytes());
        }
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
