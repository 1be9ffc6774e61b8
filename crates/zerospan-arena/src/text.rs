use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

/// A piece of a text: a string, a number, a boolean or a character. Sealed.
///
/// Numbers are formatted without `core::fmt`: integers as `Display` formats them, floats as the shortest decimal that
/// parses to the same float: `0.5`, `1.0`, `1e+16`, `1e-7`, `inf`, `NaN`. `Display` formats some floats differently (`1` for
/// `1.0`); use [`format`](crate::SpanAttributeArena::format) for its text.
pub trait TextPiece: Sealed {
    /// Calls `then` with the piece as text. Does not allocate.
    #[doc(hidden)]
    fn with_str<R>(&self, then: impl FnOnce(&str) -> R) -> R;
}

/// The pieces of a text: a tuple of up to eight, each a [`TextPiece`], or a slice of strings. Sealed.
///
/// # Examples
///
/// ```
/// use zerospan_arena::SpanAttributeArena;
///
/// let arena = SpanAttributeArena::new();
/// assert_eq!(arena.concat(("shard_", 7, '/', 0.5)), "shard_7/0.5");
/// assert_eq!(arena.concat(&["a", "b"][..]), "ab");
/// ```
pub trait TextPieces: Sealed {
    /// Calls `then` with the pieces, in order. Does not allocate.
    #[doc(hidden)]
    fn with_pieces<R>(&self, then: impl FnOnce(&[&str]) -> R) -> R;
}

mod sealed {
    pub trait Sealed {}
}
use sealed::Sealed;

impl Sealed for str {}
impl TextPiece for str {
    #[inline]
    fn with_str<R>(&self, then: impl FnOnce(&str) -> R) -> R {
        then(self)
    }
}

impl<T: Sealed + ?Sized> Sealed for &T {}
impl<T: TextPiece + ?Sized> TextPiece for &T {
    #[inline]
    fn with_str<R>(&self, then: impl FnOnce(&str) -> R) -> R {
        (**self).with_str(then)
    }
}

macro_rules! strings {
    ($($string:ty),+) => {$(
        impl Sealed for $string {}
        impl TextPiece for $string {
            #[inline]
            fn with_str<R>(&self, then: impl FnOnce(&str) -> R) -> R {
                then(self)
            }
        }
    )+};
}

strings!(String, Box<str>, Rc<str>, Arc<str>, Cow<'_, str>);

impl Sealed for bool {}
impl TextPiece for bool {
    #[inline]
    fn with_str<R>(&self, then: impl FnOnce(&str) -> R) -> R {
        then(if *self { "true" } else { "false" })
    }
}

impl Sealed for char {}
impl TextPiece for char {
    #[inline]
    fn with_str<R>(&self, then: impl FnOnce(&str) -> R) -> R {
        then(self.encode_utf8(&mut [0; 4]))
    }
}

macro_rules! numbers {
    ($($number:ty),+ => $buffer:ty) => {$(
        impl Sealed for $number {}
        impl TextPiece for $number {
            #[inline]
            fn with_str<R>(&self, then: impl FnOnce(&str) -> R) -> R {
                then(<$buffer>::new().format(*self))
            }
        }
    )+};
}

numbers!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize => itoa::Buffer);
numbers!(f32, f64 => zmij::Buffer);

impl Sealed for [&str] {}
impl TextPieces for [&str] {
    #[inline]
    fn with_pieces<R>(&self, then: impl FnOnce(&[&str]) -> R) -> R {
        then(self)
    }
}

impl<const N: usize> Sealed for [&str; N] {}
impl<const N: usize> TextPieces for [&str; N] {
    #[inline]
    fn with_pieces<R>(&self, then: impl FnOnce(&[&str]) -> R) -> R {
        then(self)
    }
}

impl<T: TextPieces + ?Sized> TextPieces for &T {
    #[inline]
    fn with_pieces<R>(&self, then: impl FnOnce(&[&str]) -> R) -> R {
        (**self).with_pieces(then)
    }
}

/// Borrows the pieces in nested closures, and passes all of them to the innermost.
macro_rules! lend {
    ($then:ident; [$($lent:ident)*];) => { $then(&[$($lent),*]) };
    ($then:ident; [$($lent:ident)*]; $piece:ident $($rest:ident)*) => {
        $piece.with_str(|$piece| lend!($then; [$($lent)* $piece]; $($rest)*))
    };
}

macro_rules! tuples {
    ($(($($type:ident $piece:ident),+))+) => {$(
        impl<$($type: TextPiece),+> Sealed for ($($type,)+) {}
        impl<$($type: TextPiece),+> TextPieces for ($($type,)+) {
            #[inline]
            fn with_pieces<R>(&self, then: impl FnOnce(&[&str]) -> R) -> R {
                let ($($piece,)+) = self;
                lend!(then; []; $($piece)+)
            }
        }
    )+};
}

tuples! {
    (A a)
    (A a, B b)
    (A a, B b, C c)
    (A a, B b, C c, D d)
    (A a, B b, C c, D d, E e)
    (A a, B b, C c, D d, E e, F f)
    (A a, B b, C c, D d, E e, F f, G g)
    (A a, B b, C c, D d, E e, F f, G g, H h)
}
