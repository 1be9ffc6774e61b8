//! Constant keys, as many as a span takes by default.

use zerospan_trace::StaticKey;

macro_rules! keys {
    ($($tens:literal)+) => {
        [$(
            StaticKey::new(concat!("attribute.key.", $tens, "0")),
            StaticKey::new(concat!("attribute.key.", $tens, "1")),
            StaticKey::new(concat!("attribute.key.", $tens, "2")),
            StaticKey::new(concat!("attribute.key.", $tens, "3")),
            StaticKey::new(concat!("attribute.key.", $tens, "4")),
            StaticKey::new(concat!("attribute.key.", $tens, "5")),
            StaticKey::new(concat!("attribute.key.", $tens, "6")),
            StaticKey::new(concat!("attribute.key.", $tens, "7")),
        )+]
    };
}

/// All of one length.
pub(crate) static KEYS: [StaticKey; 128] = keys!(
    "0" "1" "2" "3" "4" "5" "6" "7" "8" "9" "a" "b" "c" "d" "e" "f"
);
