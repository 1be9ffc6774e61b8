use std::sync::OnceLock;
use zerospan_core::{EncodingCache, EncodingFormat};

/// Keeps the first encoding it is asked for.
#[derive(Debug, Default)]
pub(crate) struct OneEncoding(OnceLock<(EncodingFormat, Box<[u8]>)>);

impl OneEncoding {
    pub(crate) const fn new() -> Self {
        Self(OnceLock::new())
    }
}

/// `encode` runs outside the lock, so it may look at the set it encodes, and may panic: nothing is kept then. Threads that
/// ask for the first time at once may each run theirs; one outcome is kept, and all of them return it.
impl EncodingCache for OneEncoding {
    fn encoding(
        &self,
        format: EncodingFormat,
        encode: &mut dyn FnMut(&mut Vec<u8>),
    ) -> Option<&[u8]> {
        let (kept, bytes) = match self.0.get() {
            Some(encoding) => encoding,
            None => {
                let mut bytes = Vec::new();
                encode(&mut bytes);
                self.0.get_or_init(|| (format, bytes.into_boxed_slice()))
            }
        };
        (*kept == format).then_some(bytes)
    }
}
