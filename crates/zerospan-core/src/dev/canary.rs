use opentelemetry::trace::{SpanContext, SpanId, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{Array, KeyValue, Value};
use std::time::{Duration, SystemTime};

/// Fills every kind of field with marked bytes, and finds the marks.
///
/// A test fills an object with one canary, resets and reuses the object, and asserts that the canary's mark is not
/// [readable](Self::is_in) from the next use.
///
/// # Examples
///
/// ```
/// use zerospan_core::dev::Canary;
///
/// let (mut first, mut second) = (Canary::new(1), Canary::new(2));
/// let text = first.text(40);
/// assert!(first.is_in(text.as_bytes()));
/// assert!(!second.is_in(text.as_bytes()));
/// assert!(second.is_in(&second.integer().to_le_bytes()));
/// ```
#[derive(Clone, Debug)]
pub struct Canary {
    mark: [u8; MARK],
}

/// The length of a mark: that of an integer, a float and a span id. Marks are ASCII.
const MARK: usize = 8;

impl Canary {
    /// Builds a canary whose mark differs from that of every other `seed`.
    pub fn new(seed: u16) -> Self {
        let mut mark = *b"Zc\0\0\0\0qJ";
        for (index, byte) in mark[2..6].iter_mut().enumerate() {
            let nibble = (seed >> (4 * index)) & 0xf;
            *byte = b'a' + u8::try_from(nibble).unwrap_or_default();
        }
        Self { mark }
    }

    /// Returns `true` if `bytes` contains the mark of this canary: as text, as a number in either byte order, or as a
    /// decimal number.
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        let number = u64::from_be_bytes(self.mark).to_string();
        let mut reversed = self.mark;
        reversed.reverse();
        [&self.mark[..], &reversed, number.as_bytes()]
            .iter()
            .any(|mark| bytes.windows(mark.len()).any(|window| window == *mark))
    }

    /// Returns `length` marked bytes, at least one whole mark.
    pub fn bytes(&self, length: usize) -> Vec<u8> {
        let length = length.max(MARK);
        self.mark.iter().copied().cycle().take(length).collect()
    }

    /// Returns marked text of `length` bytes, at least one whole mark.
    pub fn text(&mut self, length: usize) -> String {
        self.bytes(length).into_iter().map(char::from).collect()
    }

    /// Returns a marked integer.
    pub fn integer(&self) -> i64 {
        i64::from_be_bytes(self.mark)
    }

    /// Returns a marked float, which is finite.
    pub fn float(&self) -> f64 {
        f64::from_be_bytes(self.mark)
    }

    /// Returns a marked instant, about two hundred years after 1970.
    pub fn time(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_nanos(u64::from_be_bytes(self.mark))
    }

    /// Returns a marked trace id.
    pub fn trace_id(&self) -> TraceId {
        let half = u128::from(u64::from_be_bytes(self.mark));
        TraceId::from((half << 64) | half)
    }

    /// Returns a marked span id.
    pub fn span_id(&self) -> SpanId {
        SpanId::from(u64::from_be_bytes(self.mark))
    }

    /// Returns a sampled, remote span context with marked ids and a marked trace state.
    pub fn span_context(&mut self) -> SpanContext {
        let value = self.text(24);
        let state = TraceState::from_key_value([("canary", value)]).unwrap_or_default();
        SpanContext::new(
            self.trace_id(),
            self.span_id(),
            TraceFlags::SAMPLED,
            true,
            state,
        )
    }

    /// Returns a marked error status.
    pub fn status(&mut self) -> Status {
        Status::error(self.text(32))
    }

    /// Returns a marked value of each kind that can carry a mark: string, integer, float and an array of each.
    pub fn values(&mut self) -> Vec<Value> {
        vec![
            Value::String(self.text(40).into()),
            Value::I64(self.integer()),
            Value::F64(self.float()),
            Value::Array(Array::String(vec![
                self.text(8).into(),
                self.text(100).into(),
            ])),
            Value::Array(Array::I64(vec![self.integer(); 3])),
            Value::Array(Array::F64(vec![self.float(); 3])),
        ]
    }

    /// Returns `count` attributes with marked, distinct keys and marked values of every kind in turn.
    pub fn attributes(&mut self, count: usize) -> Vec<KeyValue> {
        let values = self.values();
        (0..count)
            .map(|index| {
                let key = format!("{}.{index}", self.text(16));
                KeyValue::new(key, values[index % values.len()].clone())
            })
            .collect()
    }
}
