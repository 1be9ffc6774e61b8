use super::fields::{Field, Fields, Malformed};
use super::status::one_line;

/// A collector's response to a request that it accepted.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportResponse {
    /// The number of items that the collector rejected: they are not sent again.
    pub rejected_items: u64,
    /// The collector's explanation, or a warning although nothing was rejected.
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

    /// Reads an `ExportTraceServiceResponse` or an `ExportLogsServiceResponse`: their fields are the same.
    pub(super) fn decode(message: &[u8]) -> Result<Self, Malformed> {
        let mut response = Self::default();
        for field in Fields(message) {
            let (1, Field::Bytes(partial_success)) = field? else {
                continue;
            };
            for field in Fields(partial_success) {
                match field? {
                    // A negative count would be nonsense.
                    (1, Field::Varint(rejected)) => {
                        response.rejected_items =
                            u64::try_from(rejected.cast_signed()).unwrap_or(0);
                    }
                    (2, Field::Bytes(text)) => response.message = one_line(text),
                    _ => {}
                }
            }
        }
        Ok(response)
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
        assert_eq!(ExportResponse::decode(b"<html>"), Err(Malformed));
        assert_eq!(ExportResponse::decode(b"\x0a\xff"), Err(Malformed));
        assert_eq!(ExportResponse::decode(b"\x0a\x02\x08"), Err(Malformed));
        let negative = b"\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
        assert_eq!(ExportResponse::decode(negative), Ok(ExportResponse::ALL));
        assert_eq!(
            ExportResponse::decode(b"\x12\x01x\x18\x05\x25abcd\x29abcdefgh"),
            Ok(ExportResponse::ALL)
        );
    }
}
