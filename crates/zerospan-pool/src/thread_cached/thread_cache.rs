use super::cache::ThreadCaches;
use std::any::Any;
use std::cell::RefCell;
use std::rc::Rc;

/// Names the thread-local that holds a thread's caches of pooled `T`s.
///
/// A generic type cannot declare a thread-local. [`thread_cache!`](crate::thread_cache) declares one for a concrete `T`,
/// with a type that names it. [`AnyThread`] needs no declaration and is slower.
pub trait ThreadCache<T>: 'static {
    /// Calls `work` with this thread's caches. Returns `None`, without the call, if the thread is ending and has dropped
    /// them.
    fn try_with<O>(work: impl FnOnce(&ThreadCaches<T>) -> O) -> Option<O>;
}

/// Declares a [`ThreadCache`]: a thread-local for the pools of one object type, and a type that names it.
///
/// # Examples
///
/// ```
/// use zerospan_core::DefaultRecycle;
/// use zerospan_pool::{Pool, ThreadCachedPool, thread_cache};
///
/// thread_cache! {
///     /// Each thread's spare lines.
///     struct Lines for String;
/// }
///
/// static SPARE: std::sync::LazyLock<ThreadCachedPool<String, DefaultRecycle, Lines>> =
///     std::sync::LazyLock::new(|| ThreadCachedPool::with_recycle(64, DefaultRecycle));
///
/// SPARE.acquire().push_str("reused by the next call");
/// assert_eq!(SPARE.acquire().as_str(), "");
/// assert_eq!(SPARE.stats().hits, 1);
/// ```
#[macro_export]
macro_rules! thread_cache {
    ($(#[$attribute:meta])* $visibility:vis struct $name:ident for $object:ty;) => {
        $(#[$attribute])*
        #[derive(Debug)]
        $visibility struct $name;

        impl $crate::ThreadCache<$object> for $name {
            #[inline]
            fn try_with<O>(
                work: impl ::core::ops::FnOnce(&$crate::ThreadCaches<$object>) -> O,
            ) -> ::core::option::Option<O> {
                ::std::thread_local! {
                    static CACHES: $crate::ThreadCaches<$object> =
                        const { $crate::ThreadCaches::new() };
                }
                CACHES.try_with(work).ok()
            }
        }
    };
}

/// The thread-local of pools that name none. It holds the caches of every object type and searches them by type on each
/// use.
#[derive(Clone, Copy, Debug)]
pub struct AnyThread;

thread_local! {
    static ANY: RefCell<Vec<Rc<dyn Any>>> = const { RefCell::new(Vec::new()) };
}

impl<T: 'static> ThreadCache<T> for AnyThread {
    #[inline]
    fn try_with<O>(work: impl FnOnce(&ThreadCaches<T>) -> O) -> Option<O> {
        // `work` may run user code: end the borrow before.
        let caches = ANY.try_with(|any| {
            let mut any = any.borrow_mut();
            if let Some(caches) = any.iter().find(|caches| caches.is::<ThreadCaches<T>>()) {
                return Rc::clone(caches);
            }
            let caches: Rc<dyn Any> = Rc::new(ThreadCaches::<T>::new());
            any.push(Rc::clone(&caches));
            caches
        });
        caches.ok()?.downcast_ref().map(work)
    }
}
