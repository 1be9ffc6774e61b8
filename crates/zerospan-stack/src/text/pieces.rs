use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Write};
use std::sync::Arc;

/// Text in pieces, written in order into a buffer, without a `String` in between.
///
/// A piece is a string, a character, a boolean, an integer, a float, an IP or socket address, or a tuple of up to eight pieces.
/// Numbers and addresses use dedicated formatters, several times as fast as `core::fmt`; for other types that are `Display` use
/// [`format_args!`], which is a piece too. A type that writes itself into a buffer, as a UUID of the crate `uuid` does, is a piece
/// as the string that it returns.
///
/// The trait is sealed: an implementation that hides a write error would pass off a truncated text as a whole one.
///
/// # Examples
///
/// ```
/// use zerospan_stack::Text;
///
/// let mut line = String::new();
/// ("GET /users/", 42, '/', format_args!("{:04x}", 0xbee)).write_to(&mut line)?;
/// assert_eq!(line, "GET /users/42/0bee");
/// # Ok::<(), zerospan_stack::TextError>(())
/// ```
pub trait Text: Sealed {
    /// Appends the text to `out`. Allocates only what `out` allocates.
    ///
    /// # Errors
    ///
    /// [`TextError`] at the first piece that could not be written; the pieces before it stay.
    fn write_to<W: Write>(&self, out: &mut W) -> Result<(), TextError>;
}

/// The reason that a [`Text`] was not written completely.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextError {
    /// The output returned an error, as a full inline string does.
    Output,
    /// A `Display` implementation in the text returned an error that its formatter did not.
    Display,
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Output => "the output did not accept the whole text: write to a larger one",
            Self::Display => {
                "a Display implementation returned an error: it must return only errors of its formatter"
            }
        })
    }
}

impl Error for TextError {}

mod sealed {
    pub trait Sealed {}
}
pub(crate) use sealed::Sealed;

// Always inlined: only then is the length of a literal known, and a copy of unknown length is a call that costs more than
// the rest of the piece.
#[inline(always)]
fn write<W: Write>(out: &mut W, text: &str) -> Result<(), TextError> {
    out.write_str(text).map_err(|fmt::Error| TextError::Output)
}

#[inline(always)]
fn write_char<W: Write>(out: &mut W, character: char) -> Result<(), TextError> {
    out.write_char(character)
        .map_err(|fmt::Error| TextError::Output)
}

impl Sealed for str {}
impl Text for str {
    #[inline(always)]
    fn write_to<W: Write>(&self, out: &mut W) -> Result<(), TextError> {
        write(out, self)
    }
}

impl Sealed for char {}
impl Text for char {
    #[inline(always)]
    fn write_to<W: Write>(&self, out: &mut W) -> Result<(), TextError> {
        write_char(out, *self)
    }
}

impl Sealed for bool {}
/// Writes `true` or `false`.
impl Text for bool {
    #[inline(always)]
    fn write_to<W: Write>(&self, out: &mut W) -> Result<(), TextError> {
        write(out, if *self { "true" } else { "false" })
    }
}

impl Sealed for fmt::Arguments<'_> {}
/// Formats with `core::fmt`, for every type that is `Display`, and for widths and bases.
impl Text for fmt::Arguments<'_> {
    #[inline(always)]
    fn write_to<W: Write>(&self, out: &mut W) -> Result<(), TextError> {
        let mut latch = ErrorLatch { out, failed: false };
        match latch.write_fmt(*self) {
            _ if latch.failed => Err(TextError::Output),
            Ok(()) => Ok(()),
            Err(fmt::Error) => Err(TextError::Display),
        }
    }
}

/// Records a write error that a `Display` may swallow.
struct ErrorLatch<'a, W> {
    out: &'a mut W,
    failed: bool,
}

impl<W: Write> Write for ErrorLatch<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let result = self.out.write_str(text);
        self.failed |= result.is_err();
        result
    }
}

macro_rules! strings {
    ($($string:ty),+) => {$(
        impl Sealed for $string {}
        impl Text for $string {
            #[inline(always)]
            fn write_to<W: Write>(&self, out: &mut W) -> Result<(), TextError> {
                write(out, self)
            }
        }
    )+};
}

strings!(String, Box<str>, Arc<str>, Cow<'_, str>);

/// Writes the last digit of `number`. Indices, counts and codes have few digits: written one by one, they need neither a
/// buffer nor a copy of unknown length.
#[inline(always)]
fn digit<W: Write>(out: &mut W, number: u16) -> Result<(), TextError> {
    write_char(out, char::from(b'0' + (number % 10) as u8))
}

/// Writes a number of two to four digits.
#[inline]
fn few_digits<W: Write>(out: &mut W, number: u16) -> Result<(), TextError> {
    if number >= 1000 {
        digit(out, number / 1000)?;
    }
    if number >= 100 {
        digit(out, number / 100)?;
    }
    digit(out, number / 10)?;
    digit(out, number)
}

macro_rules! integers {
    ($($integer:ty),+) => {$(
        impl Sealed for $integer {}
        /// Writes the number in decimal.
        impl Text for $integer {
            #[inline(always)]
            fn write_to<W: Write>(&self, out: &mut W) -> Result<(), TextError> {
                match u16::try_from(*self) {
                    Ok(small @ 0..=9) => digit(out, small),
                    Ok(small @ 10..=9999) => few_digits(out, small),
                    _ => write(out, itoa::Buffer::new().format(*self)),
                }
            }
        }
    )+};
}

integers!(
    i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize
);

macro_rules! floats {
    ($($float:ty),+) => {$(
        impl Sealed for $float {}
        /// Writes the shortest decimal that parses to the same float: `0.5`, `1e+300`, `NaN`, `inf`, `-inf`.
        impl Text for $float {
            #[inline(always)]
            fn write_to<W: Write>(&self, out: &mut W) -> Result<(), TextError> {
                write(out, zmij::Buffer::new().format(*self))
            }
        }
    )+};
}

floats!(f32, f64);

impl<T: Text + ?Sized> Sealed for &T {}
impl<T: Text + ?Sized> Text for &T {
    #[inline(always)]
    fn write_to<W: Write>(&self, out: &mut W) -> Result<(), TextError> {
        (**self).write_to(out)
    }
}

macro_rules! tuples {
    ($($($piece:ident)+;)+) => {$(
        impl<$($piece: Text),+> Sealed for ($($piece,)+) {}
        impl<$($piece: Text),+> Text for ($($piece,)+) {
            #[inline(always)]
            #[allow(non_snake_case, reason = "each piece has the name of its type parameter")]
            fn write_to<W: Write>(&self, out: &mut W) -> Result<(), TextError> {
                let ($($piece,)+) = self;
                $($piece.write_to(out)?;)+
                Ok(())
            }
        }
    )+};
}

tuples! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: impl Text) -> String {
        let mut out = String::new();
        assert_eq!(text.write_to(&mut out), Ok(()));
        out
    }

    #[test]
    fn numbers_read_as_display_formats_them() {
        for number in (-11..11_000).chain([65_535, 65_536, i64::MAX, i64::MIN]) {
            assert_eq!(text(number), number.to_string());
        }
        assert_eq!(text(u128::MAX), u128::MAX.to_string());
        assert_eq!(text((0.5, ' ', 1e300_f64)), "0.5 1e+300");
        assert_eq!(
            text((f64::NAN, ' ', f32::INFINITY, ' ', -f64::INFINITY)),
            "NaN inf -inf"
        );
    }

    #[test]
    fn pieces_are_written_in_order() {
        let owned = String::from("ü");
        assert_eq!(
            text((
                "a",
                &owned,
                'é',
                true,
                (Cow::Borrowed("["), 7_u8, "]"),
                format_args!("{:>3}", 5)
            )),
            "aüétrue[7]  5"
        );
    }

    #[test]
    fn a_display_that_fails_is_an_error_of_the_text() {
        struct Broken;
        impl fmt::Display for Broken {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                Err(fmt::Error)
            }
        }
        assert!(
            format_args!("{Broken}")
                .write_to(&mut String::new())
                .is_err()
        );
    }
}
