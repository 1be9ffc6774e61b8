//! `google.rpc.Status`, with which a collector explains an error.

use super::one_line::one_line;
use std::time::Duration;
use zerospan_otlp::protobuf::schema::{any, duration, retry_info, rpc_status};
use zerospan_otlp::protobuf::{FieldValue, Message};

/// Returns the message in an encoded `google.rpc.Status`, unless it is malformed or empty.
pub(super) fn protobuf_message(status: &[u8]) -> Option<String> {
    let mut message = None;
    for field in Message::new(status).fields() {
        let field = field.ok()?;
        if let (rpc_status::MESSAGE, FieldValue::LengthDelimited(text)) =
            (field.number, field.value)
        {
            message = Some(one_line(text.bytes()));
        }
    }
    message.filter(|message| !message.is_empty())
}

/// Returns the delay in the `google.rpc.RetryInfo` among the details of an encoded `google.rpc.Status`, which gRPC sends
/// as `grpc-status-details-bin`. A negative delay counts as zero.
pub fn parse_retry_info(status: &[u8]) -> Option<Duration> {
    for field in Message::new(status).fields() {
        let field = field.ok()?;
        if let (rpc_status::DETAILS, FieldValue::LengthDelimited(detail)) =
            (field.number, field.value)
            && let Some(info) = find_retry_info(detail)?
        {
            return retry_delay(info);
        }
    }
    None
}

/// Returns the content of a detail if it is a `RetryInfo`, and `None` outside if the detail is malformed.
fn find_retry_info(detail: Message<'_>) -> Option<Option<Message<'_>>> {
    let (mut is_retry_info, mut value) = (false, Message::new(&[]));
    for field in detail.fields() {
        let field = field.ok()?;
        match (field.number, field.value) {
            (any::TYPE_URL, FieldValue::LengthDelimited(url)) => {
                is_retry_info = url.bytes().ends_with(b"/google.rpc.RetryInfo");
            }
            (any::VALUE, FieldValue::LengthDelimited(bytes)) => value = bytes,
            _ => {}
        }
    }
    Some(is_retry_info.then_some(value))
}

/// Reads the `google.protobuf.Duration` in a `RetryInfo`.
fn retry_delay(info: Message<'_>) -> Option<Duration> {
    let (mut seconds, mut nanos) = (0, 0);
    for field in info.fields() {
        let field = field.ok()?;
        let (retry_info::RETRY_DELAY, FieldValue::LengthDelimited(delay)) =
            (field.number, field.value)
        else {
            continue;
        };
        for field in delay.fields() {
            let field = field.ok()?;
            match (field.number, field.value) {
                (duration::SECONDS, FieldValue::Varint(value)) => seconds = value.cast_signed(),
                (duration::NANOS, FieldValue::Varint(value)) => nanos = value.cast_signed(),
                _ => {}
            }
        }
    }
    let nanos = u32::try_from(nanos.clamp(0, 999_999_999)).unwrap_or_default();
    Some(Duration::new(u64::try_from(seconds).unwrap_or(0), nanos))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::ExportResponse;
    use zerospan_otlp::protobuf::write_varint;

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
            write_varint(&mut wrapped, bytes.len() as u64);
            wrapped.extend_from_slice(&bytes);
            let _ = ExportResponse::decode(&wrapped);
            let mut detail = vec![0x1a];
            write_varint(&mut detail, wrapped.len() as u64);
            detail.extend_from_slice(&wrapped);
            let _ = parse_retry_info(&detail);
        }
    }
}
