#![cfg_attr(not(feature = "http"), allow(dead_code))]

use crate::body::Body;
use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use std::io::Read;

/// Compresses requests, one after the other, into one buffer.
pub(crate) struct Gzip {
    compress: Compress,
    out: Vec<u8>,
}

/// The maximum memory that is kept from one request to the next. A compressed request of usual size takes far less.
const MAX_IDLE_BYTES: usize = 1 << 20;

/// RFC 1952: magic, deflate, no flags, no time, fastest, unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 0xff];

impl Gzip {
    pub(crate) fn new() -> Self {
        Self {
            compress: Compress::new(Compression::fast(), false),
            out: Vec::new(),
        }
    }

    /// Compresses `body` into one gzip member. Allocates only while the buffer grows.
    pub(crate) fn compress(&mut self, body: Body<'_>) -> &[u8] {
        self.compress.reset();
        self.out.clear();
        if self.out.capacity() > MAX_IDLE_BYTES {
            self.out = Vec::new();
        }
        self.out.extend_from_slice(&HEADER);
        let mut crc = Crc::new();
        for piece in body.pieces() {
            crc.update(piece);
            let mut rest = piece;
            while !rest.is_empty() {
                let read = self.add(rest, FlushCompress::None).0;
                rest = rest.get(read..).unwrap_or_default();
            }
        }
        // The other states ask for more room in the buffer.
        while self.add(&[], FlushCompress::Finish).1 != Some(Status::StreamEnd) {}
        self.out.extend_from_slice(&crc.sum().to_le_bytes());
        self.out
            .extend_from_slice(&(body.len() as u32).to_le_bytes());
        &self.out
    }

    /// Compresses the beginning of `input`. Returns the number of bytes that were read.
    fn add(&mut self, input: &[u8], flush: FlushCompress) -> (usize, Option<Status>) {
        if self.out.capacity() - self.out.len() < 1 << 10 {
            self.out.reserve((input.len() / 4).max(4 << 10));
        }
        let before = self.compress.total_in();
        let status = self.compress.compress_vec(input, &mut self.out, flush);
        let read = usize::try_from(self.compress.total_in() - before);
        (read.unwrap_or(input.len()), status.ok())
    }
}

/// Why a text cannot be decompressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DecompressError {
    Malformed,
    /// It is longer than the limit. Decompression ended there.
    TooLong,
}

/// Decompresses a gzip text of at most `limit` bytes.
pub(crate) fn decompress(packed: &[u8], limit: usize) -> Result<Vec<u8>, DecompressError> {
    let mut plain = Vec::new();
    let mut decoder = flate2::read::MultiGzDecoder::new(packed).take(limit as u64 + 1);
    match decoder.read_to_end(&mut plain) {
        _ if plain.len() > limit => Err(DecompressError::TooLong),
        Ok(_) => Ok(plain),
        Err(_) => Err(DecompressError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_body_decompresses_to_itself() {
        let mut gzip = Gzip::new();
        let noise: Vec<u8> = (0..100_000).map(|_| fastrand::u8(..)).collect();
        let text = b"the same words ".repeat(30_000);
        for body in [&noise[..], &text, b"", b"x", &noise] {
            let packed = gzip.compress(body.into()).to_vec();
            let mut unpacked = Vec::new();
            flate2::read::GzDecoder::new(&packed[..])
                .read_to_end(&mut unpacked)
                .unwrap();
            assert!(unpacked == body);
        }
    }
}
