//! `google.rpc.Status`, with which a collector explains an error.

use super::fields::{Field, Fields};
use std::time::Duration;

/// The number of bytes of a collector's message that are kept for a log.
const MAX_MESSAGE_BYTES: usize = 1 << 10;

/// Returns the message in an encoded `google.rpc.Status`, unless it is malformed or empty.
pub(super) fn status_message(status: &[u8]) -> Option<String> {
    let mut text = None;
    for field in Fields(status) {
        if let (2, Field::Bytes(bytes)) = field.ok()? {
            text = Some(one_line(bytes));
        }
    }
    text.filter(|text| !text.is_empty())
}

/// Returns the delay in the `google.rpc.RetryInfo` among the details of an encoded `google.rpc.Status`, which gRPC sends
/// as `grpc-status-details-bin`. A negative delay counts as zero.
pub fn parse_retry_info(status: &[u8]) -> Option<Duration> {
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
            return retry_delay(value);
        }
    }
    None
}

/// Reads the `google.protobuf.Duration` in field 1 of a `RetryInfo`.
fn retry_delay(info: &[u8]) -> Option<Duration> {
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

/// Makes a collector's text fit for a log: short, and on one line.
pub(crate) fn one_line(text: &[u8]) -> String {
    let text = &text[..text.len().min(MAX_MESSAGE_BYTES)];
    String::from_utf8_lossy(text)
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::ExportResponse;
    use crate::varint::put_varint;

    #[test]
    fn the_delay_is_found_among_the_details() {
        let info = b"\x0a\x04\x08\x02\x10\x05";
        let mut any = b"\x0a\x28type.googleapis.com/google.rpc.RetryInfo\x12\x06".to_vec();
        any.extend_from_slice(info);
        let mut status = b"\x08\x08\x12\x04busy\x1a\x03\x0a\x01x".to_vec();
        status.extend_from_slice(&[0x1a, any.len() as u8]);
        status.extend_from_slice(&any);
        assert_eq!(parse_retry_info(&status), Some(Duration::new(2, 5)));
        // The content of another detail is no delay, and does not hide one.
        let mut other = b"\x0a\x28type.googleapis.com/google.rpc.ErrorInfo\x12\x06".to_vec();
        other.extend_from_slice(b"\x0a\x04BUSY");
        let mut after_another = vec![0x1a, other.len() as u8];
        after_another.extend_from_slice(&other);
        after_another.extend_from_slice(&status);
        assert_eq!(parse_retry_info(&after_another), Some(Duration::new(2, 5)));
        assert_eq!(parse_retry_info(b"\x08\x08\x12\x04busy"), None);
        assert_eq!(parse_retry_info(b"\x1a\xff"), None);
    }

    proptest::proptest! {
        #[test]
        fn no_response_makes_the_parsers_panic(bytes in proptest::collection::vec(0_u8.., 0..200)) {
            let _ = ExportResponse::decode(&bytes);
            let _ = parse_retry_info(&bytes);
            let text = one_line(&bytes);
            assert!(!text.contains(char::is_control));
            // Few byte strings are a message: wrapped in one, the parsers get further.
            let mut wrapped = vec![0x0a];
            put_varint(&mut wrapped, bytes.len() as u64);
            wrapped.extend_from_slice(&bytes);
            let _ = ExportResponse::decode(&wrapped);
            let mut detail = vec![0x1a];
            put_varint(&mut detail, wrapped.len() as u64);
            detail.extend_from_slice(&wrapped);
            let _ = parse_retry_info(&detail);
        }
    }
}
