/// Declares a public getter for each field.
macro_rules! fields {
    ($($(#[$doc:meta])+ $field:ident: $kind:ty;)+) => {$(
        $(#[$doc])+
        #[inline]
        pub fn $field(&self) -> $kind {
            self.$field
        }
    )+};
}

pub(super) use fields;
