use std::fmt;
use std::io::{self, Read};

/// The encoded message of a [`Request`](crate::Request), in one piece or in several that follow each other.
///
/// The pipeline's requests lie in the memory that items were recorded into, between the few bytes that frame them.
#[derive(Clone, Copy)]
pub struct Body<'a>(Memory<'a>);

#[derive(Clone, Copy)]
enum Memory<'a> {
    Whole(&'a [u8]),
    Pieces {
        pieces: &'a (dyn Pieces + Sync),
        len: usize,
    },
}

/// A message that lies in memory in pieces.
pub trait Pieces {
    /// Returns the piece at `index`, or `None` after the last.
    fn piece(&self, index: usize) -> Option<&[u8]>;
}

impl<'a> Body<'a> {
    /// Creates a body of pieces whose lengths are `len` bytes together: a transport announces this length.
    pub fn from_pieces(pieces: &'a (dyn Pieces + Sync), len: usize) -> Self {
        Self(Memory::Pieces { pieces, len })
    }

    /// Returns the length in bytes.
    #[expect(clippy::len_without_is_empty, reason = "a message is never empty")]
    pub fn len(&self) -> usize {
        match self.0 {
            Memory::Whole(bytes) => bytes.len(),
            Memory::Pieces { len, .. } => len,
        }
    }

    /// Returns the pieces in order.
    pub fn pieces(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let body = *self;
        (0..).map_while(move |index| body.piece(index))
    }

    fn piece(&self, index: usize) -> Option<&'a [u8]> {
        match self.0 {
            Memory::Whole(bytes) => (index == 0).then_some(bytes),
            Memory::Pieces { pieces, .. } => pieces.piece(index),
        }
    }

    /// Appends a copy to `buffer`.
    pub fn append_to(&self, buffer: &mut Vec<u8>) {
        buffer.reserve(self.len());
        self.pieces()
            .for_each(|piece| buffer.extend_from_slice(piece));
    }

    /// Returns a copy in one piece. Allocates it.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.len());
        self.append_to(&mut bytes);
        bytes
    }

    /// Returns a reader of the bytes, which fills a buffer as far as they reach.
    pub fn reader(&self) -> impl Read + use<'a> {
        Reader {
            body: *self,
            next: 0,
            rest: &[],
        }
    }
}

impl<'a> From<&'a [u8]> for Body<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self(Memory::Whole(bytes))
    }
}

impl<'a, const LEN: usize> From<&'a [u8; LEN]> for Body<'a> {
    fn from(bytes: &'a [u8; LEN]) -> Self {
        Self(Memory::Whole(bytes))
    }
}

impl<'a> From<&'a Vec<u8>> for Body<'a> {
    fn from(bytes: &'a Vec<u8>) -> Self {
        Self(Memory::Whole(bytes))
    }
}

impl fmt::Debug for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

struct Reader<'a> {
    body: Body<'a>,
    /// Index of the piece after `rest`.
    next: usize,
    rest: &'a [u8],
}

impl Read for Reader<'_> {
    fn read(&mut self, mut buffer: &mut [u8]) -> io::Result<usize> {
        let len = buffer.len();
        loop {
            // Cannot fail: a slice ends, or the buffer does.
            let read = self.rest.read(buffer)?;
            buffer = &mut buffer[read..];
            if buffer.is_empty() {
                return Ok(len);
            }
            match self.body.piece(self.next) {
                Some(piece) => self.rest = piece,
                None => return Ok(len - buffer.len()),
            }
            self.next += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Words(&'static [&'static str]);

    impl Pieces for Words {
        fn piece(&self, index: usize) -> Option<&[u8]> {
            self.0.get(index).map(|word| word.as_bytes())
        }
    }

    /// Reads it through a buffer of `size` bytes.
    fn read(body: Body<'_>, size: usize) -> Vec<u8> {
        let (mut reader, mut buffer, mut all) = (body.reader(), vec![0; size], Vec::new());
        loop {
            let read = reader.read(&mut buffer).expect("it is memory");
            all.extend_from_slice(&buffer[..read]);
            if read < size {
                return all;
            }
        }
    }

    #[test]
    fn a_body_in_pieces_is_the_same_message_as_one_in_one_piece() {
        let pieces = Words(&["", "three ", "", "small", " words", ""]);
        let text = pieces.0.concat();
        for body in [
            Body::from(text.as_bytes()),
            Body::from_pieces(&pieces, text.len()),
        ] {
            assert_eq!(body.len(), 17);
            assert_eq!(body.to_vec(), text.as_bytes());
            assert_eq!(body.pieces().collect::<Vec<_>>().concat(), text.as_bytes());
            let mut buffer = b"> ".to_vec();
            body.append_to(&mut buffer);
            assert_eq!(buffer, format!("> {text}").as_bytes());
            for size in 1..=20 {
                assert_eq!(read(body, size), text.as_bytes(), "{size}");
            }
            assert_eq!(format!("{body:?}"), "Body { len: 17, .. }");
        }
    }
}
