//! The values of fields: formatted and encoded without a lock and a borrow, since formatting runs foreign code.

mod error;
pub(crate) mod event;
pub(crate) mod kept;
pub(crate) mod log_event;
pub(crate) mod sampled;
pub(crate) mod span;
pub(crate) mod span_event;
pub(crate) mod thread;
mod value;

use crate::state::callsite::Callsite;
use crate::state::inner::LayerInner;
use crate::state::options::Switch;
use zerospan_trace::Span;

/// Sets the attributes of a callsite and of this thread.
#[inline]
pub(crate) fn set_constants(inner: &LayerInner, callsite: &Callsite, span: &mut Span) {
    if inner.options.load().has(Switch::Threads) {
        thread::set_on(span, callsite);
    } else {
        span.append(&callsite.constants);
    }
}
