use super::one_line::one_line;
use zerospan_otlp::protobuf::schema::{export_response, partial_success};
use zerospan_otlp::protobuf::{DecodeError, FieldValue, Message};

/// A collector's response to a request that it accepted.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportResponse {
    /// The number of items that the collector rejected: they are not sent again.
    pub rejected_items: u64,
    /// The collector's explanation, or a warning although nothing was rejected. It may repeat what was sent: for the log at
    /// debug level.
    pub message: String,
}

impl ExportResponse {
    /// Every item was accepted.
    pub const ALL: Self = Self {
        rejected_items: 0,
        message: String::new(),
    };

    /// Creates a partial success: all but `rejected_items` items were accepted, for the reason in `message`.
    pub fn partial(rejected_items: u64, message: impl Into<String>) -> Self {
        Self {
            rejected_items,
            message: message.into(),
        }
    }

    /// Reads an `ExportTraceServiceResponse` or an `ExportLogsServiceResponse`, which have the same fields.
    pub(super) fn decode(message: &[u8]) -> Result<Self, DecodeError> {
        let mut response = Self::default();
        for field in Message::new(message).fields() {
            let field = field?;
            if let (export_response::PARTIAL_SUCCESS, FieldValue::LengthDelimited(partial)) =
                (field.number, field.value)
            {
                response.merge(partial)?;
            }
        }
        Ok(response)
    }

    fn merge(&mut self, partial: Message<'_>) -> Result<(), DecodeError> {
        for field in partial.fields() {
            let field = field?;
            match (field.number, field.value) {
                // A negative count counts as none.
                (partial_success::REJECTED_ITEMS, FieldValue::Varint(rejected)) => {
                    self.rejected_items = u64::try_from(rejected.cast_signed()).unwrap_or(0);
                }
                (partial_success::ERROR_MESSAGE, FieldValue::LengthDelimited(text)) => {
                    self.message = one_line(text.bytes());
                }
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_success_is_read() {
        assert_eq!(ExportResponse::decode(b""), Ok(ExportResponse::ALL));
        assert_eq!(
            ExportResponse::decode(b"\x0a\x07\x08\x05\x12\x03bad"),
            Ok(ExportResponse::partial(5, "bad"))
        );
        assert_eq!(
            ExportResponse::decode(b"\x0a\x06\x12\x04a\nb\x07"),
            Ok(ExportResponse::partial(0, "a b "))
        );
    }

    #[test]
    fn a_malformed_response_is_an_error_and_an_unknown_field_is_not() {
        assert!(ExportResponse::decode(b"<html>").is_err());
        assert!(ExportResponse::decode(b"\x0a\xff").is_err());
        assert!(ExportResponse::decode(b"\x0a\x02\x08").is_err());
        let negative = b"\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
        assert_eq!(ExportResponse::decode(negative), Ok(ExportResponse::ALL));
        assert_eq!(
            ExportResponse::decode(b"\x12\x01x\x18\x05\x25abcd\x29abcdefgh"),
            Ok(ExportResponse::ALL)
        );
    }
}
