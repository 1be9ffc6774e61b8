//! Responses in JSON, which some servers send whatever they were asked for.

use super::export_response::ExportResponse;
use super::one_line::one_line;

/// The deepest nesting that is read.
const MAX_DEPTH: usize = 64;

/// Reports whether a body is a JSON object. No message of OTLP in protobuf begins with this byte.
pub(super) fn is_json(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'{')
}

/// Reads an `ExportTraceServiceResponse` or an `ExportLogsServiceResponse`; `None` if it is malformed.
pub(super) fn export_response(body: &[u8]) -> Option<ExportResponse> {
    let mut response = ExportResponse::default();
    document(body, |key, json| match key {
        "partialSuccess" | "partial_success" if json.peek() == Some(b'{') => {
            json.object(1, |key, json| match key {
                "rejectedSpans"
                | "rejected_spans"
                | "rejectedLogRecords"
                | "rejected_log_records" => {
                    // A negative count counts as none.
                    response.rejected_items = u64::try_from(json.integer(2)?).unwrap_or(0);
                    Some(())
                }
                "errorMessage" | "error_message" if json.peek() == Some(b'"') => {
                    response.message = one_line(json.string()?.as_bytes());
                    Some(())
                }
                _ => json.skip(2),
            })
        }
        _ => json.skip(1),
    })?;
    Some(response)
}

/// Returns the message in a `google.rpc.Status`, unless it is malformed or empty.
pub(super) fn status_message(body: &[u8]) -> Option<String> {
    let mut message = None;
    document(body, |key, json| match key {
        "message" if json.peek() == Some(b'"') => {
            message = Some(one_line(json.string()?.as_bytes()));
            Some(())
        }
        _ => json.skip(1),
    })?;
    message.filter(|message| !message.is_empty())
}

/// Calls `member` with the members of the object that `body` is.
fn document(body: &[u8], member: impl FnMut(&str, &mut Json<'_>) -> Option<()>) -> Option<()> {
    let mut json = Json { rest: body };
    json.object(0, member)?;
    json.peek().is_none().then_some(())
}

/// The bytes that have not been read yet.
struct Json<'a> {
    rest: &'a [u8],
}

impl Json<'_> {
    /// Returns the next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] = self.rest {
            self.rest = rest;
        }
        self.rest.first().copied()
    }

    fn next(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.rest = &self.rest[1..])
    }

    /// Reads an object. `member` reads the value of the key that it is given.
    fn object(
        &mut self,
        depth: usize,
        mut member: impl FnMut(&str, &mut Self) -> Option<()>,
    ) -> Option<()> {
        self.list(depth, b'{', b'}', |json| {
            let key = json.string()?;
            json.expect(b':')?;
            member(&key, json)
        })
    }

    fn list(
        &mut self,
        depth: usize,
        open: u8,
        close: u8,
        mut item: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.expect(open)?;
        if self.peek()? == close {
            return self.expect(close);
        }
        loop {
            item(self)?;
            if self.peek()? == close {
                return self.expect(close);
            }
            self.expect(b',')?;
        }
    }

    fn string(&mut self) -> Option<String> {
        self.expect(b'"')?;
        let mut text = Vec::new();
        loop {
            match self.next()? {
                b'"' => return String::from_utf8(text).ok(),
                0..0x20 => return None,
                b'\\' => {
                    let letter = match self.next()? {
                        b'n' => '\n',
                        b't' => '\t',
                        b'r' => '\r',
                        b'b' => '\u{8}',
                        b'f' => '\u{c}',
                        b'u' => self.escaped()?,
                        byte @ (b'"' | b'\\' | b'/') => char::from(byte),
                        _ => return None,
                    };
                    text.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                }
                byte => text.push(byte),
            }
        }
    }

    /// Reads the rest of `\u....`, and the second half of a surrogate pair. One half alone becomes U+FFFD.
    fn escaped(&mut self) -> Option<char> {
        let first = self.unit()?;
        if let (0xd800..=0xdbff, [b'\\', b'u', ..]) = (first, self.rest) {
            let before = self.rest;
            self.rest = &self.rest[2..];
            let second = self.unit()?;
            if let (0xdc00..=0xdfff, 0xd800..=0xdbff) = (second, first) {
                return char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00));
            }
            self.rest = before;
        }
        Some(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn unit(&mut self) -> Option<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            unit = unit << 4 | char::from(self.next()?).to_digit(16)?;
        }
        Some(unit)
    }

    /// Reads a whole number, which protobuf's JSON writes as a text. Anything else counts as zero.
    fn integer(&mut self, depth: usize) -> Option<i64> {
        let text = match self.peek()? {
            b'"' => self.string()?,
            b'-' | b'0'..=b'9' => self.word()?.to_owned(),
            _ => {
                self.skip(depth)?;
                return Some(0);
            }
        };
        Some(text.parse().unwrap_or(0))
    }

    /// Reads a number, `true`, `false` or `null`.
    fn word(&mut self) -> Option<&str> {
        self.peek()?;
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        let end = self.rest.iter().position(|byte| !is_part(byte));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        std::str::from_utf8(word)
            .ok()
            .filter(|word| !word.is_empty())
    }

    fn skip(&mut self, depth: usize) -> Option<()> {
        match self.peek()? {
            b'"' => self.string().map(drop),
            b'{' => self.object(depth, |_, json| json.skip(depth + 1)),
            b'[' => self.list(depth, b'[', b']', |json| json.skip(depth + 1)),
            _ => self.word().map(drop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partial_success_is_read_with_counts_as_texts_and_as_numbers() {
        for body in [
            r#"{"partialSuccess":{"rejectedSpans":"5","errorMessage":"not\nthose \u00e9\ud83d\ude00"}}"#,
            r#" {"x":[1,{"y":null}],"partial_success" : {"rejected_spans": 5, "error_message":"not\u000athose é😀"} } "#,
            r#"{"partialSuccess":{"rejectedLogRecords":"5","errorMessage":"not those é😀","more":{}}}"#,
        ] {
            let response = export_response(body.as_bytes());
            let expected = ExportResponse::partial(5, "not those é😀");
            assert_eq!(response, Some(expected), "{body}");
        }
        for body in [
            "{}",
            r#"{"partialSuccess":null}"#,
            r#"{"partialSuccess":{"rejectedSpans":"-1"}}"#,
        ] {
            assert_eq!(
                export_response(body.as_bytes()),
                Some(ExportResponse::ALL),
                "{body}"
            );
        }
        let bomb = format!("{{\"x\":{}", "[".repeat(1 << 20));
        for body in ["{", "{}x", r#"{"a"}"#, r#"{"a":1,}"#, &bomb] {
            assert_eq!(export_response(body.as_bytes()), None);
        }
        assert_eq!(
            status_message(br#"{"code":3,"message":"no"}"#).as_deref(),
            Some("no")
        );
    }

    #[test]
    fn every_escape_of_a_text_is_read() {
        let read = |text: &str| {
            Json {
                rest: text.as_bytes(),
            }
            .string()
        };
        for (text, expected) in [
            (r#""\n\r\t\b\f\"\\\/""#, "\n\r\t\u{8}\u{c}\"\\/"),
            (r#""\u0041\u00e9\u20AC""#, "Aé€"),
            (r#""\ud83d\ude00\uD83D\uDE00""#, "😀😀"),
            (r#""\ud800\udc00\udbff\udfff""#, "\u{10000}\u{10ffff}"),
            // One half of a pair.
            (r#""\ud83dx""#, "\u{fffd}x"),
            (r#""\ud83d\u0041""#, "\u{fffd}A"),
            (r#""\ude00\ud83d""#, "\u{fffd}\u{fffd}"),
            (r#"  "" "#, ""),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "\"\u{1f}\"",
            r#""\x""#,
            r#""\u12""#,
            r#""\u12g4""#,
            r#""open"#,
            "word",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read("\" \u{7f}\"").as_deref(), Some(" \u{7f}"));
    }

    #[test]
    fn counts_are_read_from_any_kind_of_value() {
        for (value, expected) in [
            ("5", 5),
            ("\"5\"", 5),
            ("-5", -5),
            ("1.5", 0),
            ("\"x\"", 0),
            ("null", 0),
            ("[1,{\"a\":2}]", 0),
            (" 9223372036854775807", i64::MAX),
            ("9223372036854775808", 0),
        ] {
            let mut json = Json {
                rest: value.as_bytes(),
            };
            assert_eq!(json.integer(0), Some(expected), "{value}");
            assert_eq!(json.peek(), None, "{value} is read to its end");
        }
    }

    #[test]
    fn lists_and_objects_are_read_to_a_depth_and_no_further() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        let deep = MAX_DEPTH;
        assert!(export_response(nested(deep).as_bytes()).is_some());
        assert!(export_response(nested(deep + 1).as_bytes()).is_none());
        let objects = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        assert!(export_response(objects(deep + 1).as_bytes()).is_some());
        assert!(export_response(objects(deep + 2).as_bytes()).is_none());
        for body in [
            "{\"a\":[1,2,[]],\"b\":{}}",
            "{\"a\": [ ] }",
            "{\"a\":-1.5e+3,\"b\":true}",
        ] {
            assert!(export_response(body.as_bytes()).is_some(), "{body}");
        }
        for body in [
            "{\"a\":[1,]}",
            "{\"a\":[1 2]}",
            "{\"a\":}",
            "{\"a\":[}",
            "{\"a\"1}",
            "[]",
            "",
        ] {
            assert!(export_response(body.as_bytes()).is_none(), "{body}");
        }
        assert!(is_json(b" \n{") && !is_json(b"[") && !is_json(b""));
        assert_eq!(status_message(b"{\"message\":\"\"}"), None);
        assert_eq!(status_message(b"{\"message\":7}"), None);
    }

    proptest::proptest! {
        #[test]
        fn whatever_serde_writes_is_read_and_nothing_makes_it_panic(
            text in "\\PC{0,40}", rejected in 0_i64.., bytes in proptest::collection::vec(0_u8.., 0..80),
        ) {
            let body = serde_json::json!({
                "other": [text.as_str(), 1.5, true],
                "partialSuccess": { "rejectedSpans": rejected.to_string(), "errorMessage": text.as_str() },
            });
            let response = export_response(body.to_string().as_bytes());
            let message = one_line(text.as_bytes());
            assert_eq!(response, Some(ExportResponse::partial(rejected as u64, message)));
            let _ = export_response(&[b"{\"partialSuccess\":{\"errorMessage\":\"", &bytes[..]].concat());
        }
    }
}
