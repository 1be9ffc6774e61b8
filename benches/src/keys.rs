//! Keys of attributes.

use zerospan_trace::StaticKey;

macro_rules! keys {
    ($($digit:literal)+) => {
        [$(
            StaticKey::new(concat!("attribute.key.", $digit, "0")),
            StaticKey::new(concat!("attribute.key.", $digit, "1")),
            StaticKey::new(concat!("attribute.key.", $digit, "2")),
            StaticKey::new(concat!("attribute.key.", $digit, "3")),
            StaticKey::new(concat!("attribute.key.", $digit, "4")),
            StaticKey::new(concat!("attribute.key.", $digit, "5")),
            StaticKey::new(concat!("attribute.key.", $digit, "6")),
            StaticKey::new(concat!("attribute.key.", $digit, "7")),
        )+]
    };
}

/// As many keys as the default limit of attributes, all of one length.
pub static KEYS: [StaticKey; 128] = keys!(
    "0" "1" "2" "3" "4" "5" "6" "7" "8" "9" "a" "b" "c" "d" "e" "f"
);
