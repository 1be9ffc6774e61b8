use opentelemetry::KeyValue;
use std::iter::FusedIterator;

macro_rules! into_iter {
    ($(#[$attribute:meta])* $name:ident($inner:ty)) => {
        $(#[$attribute])*
        #[derive(Debug)]
        pub struct $name<const N: usize>(pub(crate) $inner);

        impl<const N: usize> Iterator for $name<N> {
            type Item = KeyValue;

            #[inline]
            fn next(&mut self) -> Option<KeyValue> {
                self.0.next()
            }

            #[inline]
            fn size_hint(&self) -> (usize, Option<usize>) {
                self.0.size_hint()
            }
        }

        impl<const N: usize> DoubleEndedIterator for $name<N> {
            #[inline]
            fn next_back(&mut self) -> Option<KeyValue> {
                self.0.next_back()
            }
        }

        impl<const N: usize> ExactSizeIterator for $name<N> {}

        impl<const N: usize> FusedIterator for $name<N> {}
    };
}

into_iter! {
    /// Moves the attributes out of a [`StackAttributes`](crate::StackAttributes), in the order of the pushes.
    StackIntoIter(smallvec::IntoIter<[KeyValue; N]>)
}

into_iter! {
    /// Moves the attributes out of a [`FixedAttributes`](crate::FixedAttributes), in the order of the pushes.
    FixedIntoIter(arrayvec::IntoIter<KeyValue, N>)
}
