//! Divides the cores between the services and the program that sends to them.

/// The services share the first core, the client and the receiver have the others.
///
/// A request then wakes the same core in every round, and the exporter of a service competes with the service. On other systems than
/// Linux, and on a single core, the system places the threads.
#[derive(Debug)]
pub(crate) struct Cores {
    #[cfg(target_os = "linux")]
    halves: Option<[rustix::thread::CpuSet; 2]>,
}

impl Cores {
    /// Moves this thread, and the threads that it starts from now on, to the cores of the client.
    pub(crate) fn divide() -> Self {
        let cores = Self {
            #[cfg(target_os = "linux")]
            halves: halves(),
        };
        cores.use_half(1);
        cores
    }

    /// Calls `start`, whose child processes run on the core of the services.
    pub(crate) fn for_services<T>(&self, start: impl FnOnce() -> T) -> T {
        self.use_half(0);
        let started = start();
        self.use_half(1);
        started
    }

    #[cfg(target_os = "linux")]
    fn use_half(&self, half: usize) {
        if let Some(halves) = &self.halves {
            // Fails if a core was taken away meanwhile; the kernel then chooses.
            let _ = rustix::thread::sched_setaffinity(None, &halves[half]);
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn use_half(&self, _: usize) {}
}

/// Returns the first core that this thread may use, and its other cores. Returns `None` if it has no others.
#[cfg(target_os = "linux")]
fn halves() -> Option<[rustix::thread::CpuSet; 2]> {
    use rustix::thread::{CpuSet, sched_getaffinity};
    let mut others = sched_getaffinity(None).ok()?;
    let first = (0..CpuSet::MAX_CPU).find(|&core| others.is_set(core))?;
    others.unset(first);
    let mut services = CpuSet::new();
    services.set(first);
    (others.count() > 0).then_some([services, others])
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::Cores;
    use rustix::thread::sched_getaffinity;

    #[test]
    fn services_and_their_client_share_no_core() {
        let cores = || sched_getaffinity(None).expect("the kernel tells");
        let before = cores();
        if before.count() == 1 {
            return;
        }
        let divided = Cores::divide();
        let of_the_client = cores();
        let of_the_services = divided.for_services(cores);
        assert_eq!(cores(), of_the_client);
        assert_eq!(of_the_services.count(), 1);
        assert_eq!(of_the_client.count() + 1, before.count());
        let shared = (0..rustix::thread::CpuSet::MAX_CPU)
            .any(|core| of_the_client.is_set(core) && of_the_services.is_set(core));
        assert!(!shared);
    }
}
