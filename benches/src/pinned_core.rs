//! Keeps threads on one core.

use std::marker::PhantomData;

/// Pins the current thread, and the threads that it starts, to its first core; unpins the current thread on drop.
///
/// Does nothing on systems other than Linux.
#[derive(Debug)]
pub struct PinnedCore {
    #[cfg(target_os = "linux")]
    before: Option<rustix::thread::CpuSet>,
    /// Neither `Send` nor `Sync`: it belongs to the pinned thread.
    _thread: PhantomData<*const ()>,
}

impl PinnedCore {
    /// Pins the current thread.
    pub fn pin() -> Self {
        Self {
            #[cfg(target_os = "linux")]
            before: pin_to_first().ok(),
            _thread: PhantomData,
        }
    }
}

/// Returns the cores that the thread was allowed before.
#[cfg(target_os = "linux")]
fn pin_to_first() -> rustix::io::Result<rustix::thread::CpuSet> {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let before = sched_getaffinity(None)?;
    let mut one = CpuSet::new();
    // Not the current core: asking for it goes through the vDSO, which fails under valgrind.
    let first = (0..CpuSet::MAX_CPU).find(|&core| before.is_set(core));
    one.set(first.unwrap_or(0));
    sched_setaffinity(None, &one)?;
    Ok(before)
}

#[cfg(target_os = "linux")]
impl Drop for PinnedCore {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // Fails if a core was taken away meanwhile; the kernel then chooses.
            let _ = rustix::thread::sched_setaffinity(None, before);
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::PinnedCore;
    use rustix::thread::sched_getaffinity;

    fn cores() -> u32 {
        sched_getaffinity(None).unwrap().count()
    }

    #[test]
    fn a_thread_and_those_it_starts_share_one_core_until_unpinned() {
        let before = cores();
        let pinned = PinnedCore::pin();
        assert_eq!(cores(), 1);
        assert_eq!(std::thread::spawn(cores).join().unwrap(), 1);
        drop(pinned);
        assert_eq!(cores(), before);
    }
}
