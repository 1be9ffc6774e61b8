//! What a collector answers: read with bounds, and believed only as far as it makes sense.

use super::fields::{Field, Fields, Malformed};
use crate::Accepted;
#[cfg(any(feature = "grpc", test))]
use std::time::Duration;

/// How many bytes of an answer are read.
pub(crate) const MAX_ANSWER: usize = 64 << 10;

/// How many bytes of a collector's message go into a log.
const MAX_MESSAGE: usize = 1 << 10;

/// Reads an `ExportTraceServiceResponse`.
pub(crate) fn accepted(response: &[u8]) -> Result<Accepted, Malformed> {
    let mut accepted = Accepted::default();
    for field in Fields(response) {
        let (1, Field::Bytes(partial_success)) = field? else {
            continue;
        };
        for field in Fields(partial_success) {
            match field? {
                // A negative count would be nonsense.
                (1, Field::Varint(spans)) => {
                    accepted.rejected_spans = u64::try_from(spans.cast_signed()).unwrap_or(0);
                }
                (2, Field::Bytes(text)) => accepted.message = message(text),
                _ => {}
            }
        }
    }
    Ok(accepted)
}

/// The message in a `google.rpc.Status`, which is what a collector explains an error with.
#[cfg(feature = "http")]
pub(crate) fn status_message(status: &[u8]) -> Option<String> {
    let mut text = None;
    for field in Fields(status) {
        if let (2, Field::Bytes(bytes)) = field.ok()? {
            text = Some(message(bytes));
        }
    }
    text.filter(|text| !text.is_empty())
}

/// The delay in the `google.rpc.RetryInfo` among the details of a `google.rpc.Status`, if there is one.
#[cfg(any(feature = "grpc", test))]
pub(crate) fn retry_delay(status: &[u8]) -> Option<Duration> {
    for field in Fields(status) {
        let (3, Field::Bytes(any)) = field.ok()? else {
            continue;
        };
        let (mut is_retry_info, mut value) = (false, &[][..]);
        for field in Fields(any) {
            match field.ok()? {
                (1, Field::Bytes(url)) => {
                    is_retry_info = url.ends_with(b"/google.rpc.RetryInfo");
                }
                (2, Field::Bytes(bytes)) => value = bytes,
                _ => {}
            }
        }
        if is_retry_info {
            return duration(value);
        }
    }
    None
}

/// The `google.protobuf.Duration` in field 1; a negative one counts as zero.
#[cfg(any(feature = "grpc", test))]
fn duration(info: &[u8]) -> Option<Duration> {
    let (mut seconds, mut nanos) = (0, 0);
    for field in Fields(info) {
        let (1, Field::Bytes(delay)) = field.ok()? else {
            continue;
        };
        for field in Fields(delay) {
            match field.ok()? {
                (1, Field::Varint(value)) => seconds = value.cast_signed(),
                (2, Field::Varint(value)) => nanos = value.cast_signed(),
                _ => {}
            }
        }
    }
    let nanos = u32::try_from(nanos.clamp(0, 999_999_999)).unwrap_or_default();
    Some(Duration::new(u64::try_from(seconds).unwrap_or(0), nanos))
}

/// A collector's words, fit for a log: short, and on one line.
pub(crate) fn message(text: &[u8]) -> String {
    let text = &text[..text.len().min(MAX_MESSAGE)];
    String::from_utf8_lossy(text)
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_success_is_read() {
        assert_eq!(accepted(b""), Ok(Accepted::ALL));
        assert_eq!(
            accepted(b"\x0a\x07\x08\x05\x12\x03bad"),
            Ok(Accepted::partial(5, "bad"))
        );
        assert_eq!(
            accepted(b"\x0a\x06\x12\x04a\nb\x07"),
            Ok(Accepted::partial(0, "a b "))
        );
    }

    #[test]
    fn nonsense_in_an_answer_is_told_from_sense() {
        assert_eq!(accepted(b"<html>"), Err(Malformed));
        assert_eq!(accepted(b"\x0a\xff"), Err(Malformed));
        assert_eq!(accepted(b"\x0a\x02\x08"), Err(Malformed));
        let negative = b"\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
        assert_eq!(accepted(negative), Ok(Accepted::ALL));
        assert_eq!(
            accepted(b"\x12\x01x\x18\x05\x25abcd\x29abcdefgh"),
            Ok(Accepted::ALL)
        );
    }

    proptest::proptest! {
        #[test]
        fn no_answer_makes_it_panic(bytes in proptest::collection::vec(0_u8.., 0..200)) {
            let _ = accepted(&bytes);
            let _ = retry_delay(&bytes);
            let text = message(&bytes);
            assert!(!text.contains(char::is_control));
            // Most bytes make no message at all: in one, the rest is reached.
            let mut wrapped = vec![0x0a];
            crate::wire::put_varint(&mut wrapped, bytes.len() as u64);
            wrapped.extend_from_slice(&bytes);
            let _ = accepted(&wrapped);
            let mut detail = vec![0x1a];
            crate::wire::put_varint(&mut detail, wrapped.len() as u64);
            detail.extend_from_slice(&wrapped);
            let _ = retry_delay(&detail);
        }
    }

    #[test]
    fn the_delay_is_found_among_the_details() {
        let info = b"\x0a\x04\x08\x02\x10\x05";
        let mut any = b"\x0a\x28type.googleapis.com/google.rpc.RetryInfo\x12\x06".to_vec();
        any.extend_from_slice(info);
        let mut status = b"\x08\x08\x12\x04busy\x1a\x03\x0a\x01x".to_vec();
        status.extend_from_slice(&[0x1a, any.len() as u8]);
        status.extend_from_slice(&any);
        assert_eq!(retry_delay(&status), Some(Duration::new(2, 5)));
        // What other details hold is no delay, and does not hide one.
        let mut other = b"\x0a\x28type.googleapis.com/google.rpc.ErrorInfo\x12\x06".to_vec();
        other.extend_from_slice(b"\x0a\x04BUSY");
        let mut after_another = vec![0x1a, other.len() as u8];
        after_another.extend_from_slice(&other);
        after_another.extend_from_slice(&status);
        assert_eq!(retry_delay(&after_another), Some(Duration::new(2, 5)));
        assert_eq!(retry_delay(b"\x08\x08\x12\x04busy"), None);
        assert_eq!(retry_delay(b"\x1a\xff"), None);
    }
}
