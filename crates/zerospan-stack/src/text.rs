use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Write};
use std::sync::Arc;

/// Text in pieces, written one behind the other where it is to stand, with no `String` in between.
///
/// A piece is a string, a character, a boolean, an integer, a float, or a tuple of up to eight pieces. Integers and floats
/// go through dedicated formatters, several times as fast as `core::fmt`; whatever else is `Display` goes through
/// [`format_args!`], which is a piece too. The trait is sealed: that an error is passed on is what keeps a truncated text from
/// being taken for a whole one.
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
    /// Writes the text behind what `out` holds. Allocates nothing itself.
    ///
    /// # Errors
    ///
    /// [`TextError`] at the first piece that could not be written; those before it stay.
    fn write_to<W: Write>(&self, out: &mut W) -> Result<(), TextError>;
}

/// Why a [`Text`] was not written to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextError {
    /// What it was written to returned an error: an inline string is full.
    Output,
    /// A `Display` implementation among the pieces returned an error of its own.
    Display,
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Output => "the text was not taken whole: choose something larger to write it to",
            Self::Display => {
                "a Display implementation returned an error: it must not, unless its formatter did"
            }
        })
    }
}

impl Error for TextError {}

mod sealed {
    /// Only this crate says what text is.
    pub trait Sealed {}
}
pub(crate) use sealed::Sealed;

// Pieces are inlined always: the length of a literal is known only then, and a copy of unknown length is a call that costs
// more than the rest of the piece.
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
/// `true` or `false`.
impl Text for bool {
    #[inline(always)]
    fn write_to<W: Write>(&self, out: &mut W) -> Result<(), TextError> {
        write(out, if *self { "true" } else { "false" })
    }
}

impl Sealed for fmt::Arguments<'_> {}
/// Through `core::fmt`, for whatever is `Display` or wants a width or a base.
impl Text for fmt::Arguments<'_> {
    #[inline(always)]
    fn write_to<W: Write>(&self, out: &mut W) -> Result<(), TextError> {
        let mut honest = Honest { out, failed: false };
        match honest.write_fmt(*self) {
            _ if honest.failed => Err(TextError::Output),
            Ok(()) => Ok(()),
            Err(fmt::Error) => Err(TextError::Display),
        }
    }
}

/// Remembers an error that a `Display` may swallow.
struct Honest<'a, W> {
    out: &'a mut W,
    failed: bool,
}

impl<W: Write> Write for Honest<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let outcome = self.out.write_str(text);
        self.failed |= outcome.is_err();
        outcome
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

/// The last digit of `number`. Indices, counts and codes have few digits: written one by one they need no buffer, and no
/// copy of a length that is not known.
#[inline(always)]
fn digit<W: Write>(out: &mut W, number: u16) -> Result<(), TextError> {
    write_char(out, char::from(b'0' + (number % 10) as u8))
}

/// Two to four digits.
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
        /// In decimal.
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
        /// In the shortest decimal form that reads back the same: `0.5`, `1e300`, `NaN`, `inf`, `-inf`.
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
            #[allow(non_snake_case, reason = "a type parameter names the piece it types")]
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
    fn numbers_read_as_display_writes_them() {
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
    fn pieces_stand_one_behind_the_other() {
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
    fn a_display_that_fails_fails_the_text() {
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
