//! The attributes that name the thread, and those of a callsite before them.

use crate::state::callsite::Callsite;
use std::cell::RefCell;
use zerospan_otlp::StaticKey;
use zerospan_trace::Span;
use zerospan_trace::layer::{AttributeBuffer, SpanLimits};

const ID: StaticKey = StaticKey::new("thread.id");
const NAME: StaticKey = StaticKey::new("thread.name");

/// The number of callsites whose attributes a thread keeps together with its own: a power of two.
const PLACES: usize = 8;

/// The number of times that a place is wanted by other callsites before the one that has it must leave.
const PATIENCE: usize = 8;

thread_local! {
    static ENCODED: AttributeBuffer = encode();
    static JOINED: RefCell<[Option<Box<Joined>>; PLACES]> = const {
        RefCell::new([const { None }; PLACES])
    };
}

/// The attributes of a callsite and of this thread.
#[derive(Debug)]
struct Joined {
    callsite: usize,
    attributes: AttributeBuffer,
    /// The number of times that another callsite wanted this place since this one last did.
    unused: usize,
}

/// Sets the attributes of a callsite and of this thread, or those of the callsite alone if the thread is exiting.
#[inline]
pub(crate) fn set_on(span: &mut Span, callsite: &Callsite) {
    let is_set = JOINED.try_with(|joined| {
        let mut joined = joined.try_borrow_mut().ok()?;
        let place = joined.get_mut(callsite.number & (PLACES - 1))?;
        match place {
            Some(found) if found.callsite == callsite.number => {
                found.unused = 0;
                span.append(&found.attributes);
                Some(())
            }
            place => set_and_join(span, callsite, place),
        }
    });
    if !matches!(is_set, Ok(Some(()))) {
        span.append(&callsite.constants);
        let _ = ENCODED.try_with(|encoded| span.append(encoded));
    }
}

/// Takes the place for a callsite, if that is free or its owner rarely uses it. Returns `None`, and sets nothing, otherwise.
#[cold]
fn set_and_join(
    span: &mut Span,
    callsite: &Callsite,
    place: &mut Option<Box<Joined>>,
) -> Option<()> {
    let joined = place.get_or_insert_with(|| {
        Box::new(Joined {
            callsite: usize::MAX,
            attributes: AttributeBuffer::new(),
            unused: PATIENCE,
        })
    });
    joined.unused += 1;
    if joined.unused <= PATIENCE {
        return None;
    }
    let attributes = &mut joined.attributes;
    attributes.copy_from(&callsite.constants);
    let is_joined = ENCODED.try_with(|encoded| attributes.append(encoded));
    joined.callsite = if is_joined.is_ok() {
        callsite.number
    } else {
        usize::MAX
    };
    joined.unused = 0;
    is_joined.ok()?;
    span.append(&joined.attributes);
    Some(())
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
