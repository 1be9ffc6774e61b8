use std::marker::PhantomData;

/// Keeps this thread, and the threads that it starts meanwhile, on the first of its cores: until this is dropped, for the
/// thread itself.
///
/// Elsewhere than on Linux it does nothing.
#[derive(Debug)]
pub(crate) struct OneCore {
    #[cfg(target_os = "linux")]
    before: Option<rustix::thread::CpuSet>,
    /// It is the thread's own.
    _of_this_thread: PhantomData<*const ()>,
}

impl OneCore {
    pub(crate) fn stay() -> Self {
        Self {
            #[cfg(target_os = "linux")]
            before: narrow().ok(),
            _of_this_thread: PhantomData,
        }
    }
}

/// Gives the cores that the thread could run on before.
#[cfg(target_os = "linux")]
fn narrow() -> rustix::io::Result<rustix::thread::CpuSet> {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let before = sched_getaffinity(None)?;
    let mut one = CpuSet::new();
    // Not the one that it runs on: that is asked of the vDSO, which valgrind does not let a program read.
    one.set(
        (0..CpuSet::MAX_CPU)
            .find(|&core| before.is_set(core))
            .unwrap_or(0),
    );
    sched_setaffinity(None, &one)?;
    Ok(before)
}

#[cfg(target_os = "linux")]
impl Drop for OneCore {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // Where the core is gone that it ran on, it runs where it is put.
            let _ = rustix::thread::sched_setaffinity(None, before);
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::OneCore;
    use rustix::thread::sched_getaffinity;

    fn cores() -> u32 {
        sched_getaffinity(None).unwrap().count()
    }

    #[test]
    fn a_thread_and_those_it_starts_stay_on_one_core_until_they_may_leave() {
        let before = cores();
        let core = OneCore::stay();
        assert_eq!(cores(), 1);
        assert_eq!(std::thread::spawn(cores).join().unwrap(), 1);
        drop(core);
        assert_eq!(cores(), before);
    }
}
