use zerospan_core::sync::OnceBox;
use zerospan_core::{EncodingCache, EncodingFormat};

/// Stores one encoding: the first.
#[derive(Debug, Default)]
pub(crate) struct OneEncoding(OnceBox<(EncodingFormat, Box<[u8]>)>);

impl OneEncoding {
    pub(crate) const fn new() -> Self {
        Self(OnceBox::new())
    }
}

/// There is no lock: `encode` may read the set that it encodes, and if it panics nothing is stored. Threads that
/// race for the first call may each run theirs; all of them return the one result that is stored.
impl EncodingCache for OneEncoding {
    fn encoding(
        &self,
        format: EncodingFormat,
        encode: &mut dyn FnMut(&mut Vec<u8>),
    ) -> Option<&[u8]> {
        let (stored, bytes) = match self.0.get() {
            Some(encoding) => encoding,
            None => {
                let mut bytes = Vec::new();
                encode(&mut bytes);
                self.0.get_or_init(|| (format, bytes.into_boxed_slice()))
            }
        };
        (*stored == format).then_some(bytes)
    }
}
