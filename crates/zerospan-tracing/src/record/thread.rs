//! The attributes that name the thread.

use zerospan_otlp::StaticKey;
use zerospan_trace::Span;
use zerospan_trace::layer::{AttributeBuffer, SpanLimits};

const ID: StaticKey = StaticKey::new("thread.id");
const NAME: StaticKey = StaticKey::new("thread.name");

thread_local! {
    static ENCODED: AttributeBuffer = encode();
}

/// Sets the attributes of this thread, unless it is exiting and they are dropped.
#[inline]
pub(crate) fn set_on(span: &mut Span) {
    let _ = ENCODED.try_with(|encoded| span.append(encoded));
}

fn encode() -> AttributeBuffer {
    let mut encoded = AttributeBuffer::new();
    let mut writer = encoded.span_writer(&SpanLimits::NONE);
    let thread = std::thread::current();
    // The number has no accessor in the standard library: `ThreadId(1)`.
    let id = format!("{:?}", thread.id());
    let digits = id.trim_matches(|character: char| !character.is_ascii_digit());
    if let Ok(id) = digits.parse::<i64>() {
        writer.set(&ID, id);
    }
    if let Some(name) = thread.name() {
        writer.set(&NAME, name);
    }
    encoded
}
