use std::sync::atomic::{AtomicBool, Ordering};

/// The subscribers that a layer belongs to.
#[derive(Debug, Default)]
pub(crate) struct Attachment {
    /// Another layer belongs to the same subscriber.
    is_shared: AtomicBool,
}

impl Attachment {
    #[inline]
    pub(crate) fn is_shared(&self) -> bool {
        self.is_shared.load(Ordering::Acquire)
    }

    pub(crate) fn set_shared(&self) {
        self.is_shared.store(true, Ordering::Release);
    }
}
