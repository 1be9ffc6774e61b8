use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

/// One piece of a text: a string, a number, a boolean or a character.
///
/// Numbers are written without `core::fmt`: integers as `Display` writes them, floats as the shortest decimal that reads
/// back to the same float: `0.5`, `1.0`, `1e+16`, `1e-7`, `inf`, `NaN`. `Display` writes some floats otherwise (`1` for `1.0`);
/// where its text is asked for, [`format`](crate::SpanAttributeArena::format) writes it.
pub trait Text {
    /// Lends the piece as text to `then`. Does not allocate.
    fn with_text<R>(&self, then: impl FnOnce(&str) -> R) -> R;
}

/// The pieces of a text: a tuple of up to eight, each a [`Text`], or a slice of strings.
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
pub trait Parts {
    /// Lends the pieces, in order, to `then`. Does not allocate.
    fn with_parts<R>(&self, then: impl FnOnce(&[&str]) -> R) -> R;
}

impl Text for str {
    #[inline]
    fn with_text<R>(&self, then: impl FnOnce(&str) -> R) -> R {
        then(self)
    }
}

impl<T: Text + ?Sized> Text for &T {
    #[inline]
    fn with_text<R>(&self, then: impl FnOnce(&str) -> R) -> R {
        (**self).with_text(then)
    }
}

macro_rules! strings {
    ($($string:ty),+) => {$(
        impl Text for $string {
            #[inline]
            fn with_text<R>(&self, then: impl FnOnce(&str) -> R) -> R {
                then(self)
            }
        }
    )+};
}

strings!(String, Box<str>, Rc<str>, Arc<str>, Cow<'_, str>);

impl Text for bool {
    #[inline]
    fn with_text<R>(&self, then: impl FnOnce(&str) -> R) -> R {
        then(if *self { "true" } else { "false" })
    }
}

impl Text for char {
    #[inline]
    fn with_text<R>(&self, then: impl FnOnce(&str) -> R) -> R {
        then(self.encode_utf8(&mut [0; 4]))
    }
}

macro_rules! numbers {
    ($($number:ty),+ => $buffer:ty) => {$(
        impl Text for $number {
            #[inline]
            fn with_text<R>(&self, then: impl FnOnce(&str) -> R) -> R {
                then(<$buffer>::new().format(*self))
            }
        }
    )+};
}

numbers!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize => itoa::Buffer);
numbers!(f32, f64 => zmij::Buffer);

impl Parts for [&str] {
    #[inline]
    fn with_parts<R>(&self, then: impl FnOnce(&[&str]) -> R) -> R {
        then(self)
    }
}

impl<const N: usize> Parts for [&str; N] {
    #[inline]
    fn with_parts<R>(&self, then: impl FnOnce(&[&str]) -> R) -> R {
        then(self)
    }
}

impl<T: Parts + ?Sized> Parts for &T {
    #[inline]
    fn with_parts<R>(&self, then: impl FnOnce(&[&str]) -> R) -> R {
        (**self).with_parts(then)
    }
}

/// Lends each piece in turn, one closure within the other, and passes on all of them.
macro_rules! lend {
    ($then:ident; [$($lent:ident)*];) => { $then(&[$($lent),*]) };
    ($then:ident; [$($lent:ident)*]; $piece:ident $($rest:ident)*) => {
        $piece.with_text(|$piece| lend!($then; [$($lent)* $piece]; $($rest)*))
    };
}

macro_rules! tuples {
    ($(($($type:ident $piece:ident),+))+) => {$(
        impl<$($type: Text),+> Parts for ($($type,)+) {
            #[inline]
            fn with_parts<R>(&self, then: impl FnOnce(&[&str]) -> R) -> R {
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
