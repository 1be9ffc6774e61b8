use super::client::{Call, Client};
use super::settings::Settings;
use crate::error::SendError;
use crate::response::ExportResponse;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use zerospan_core::log;
use zerospan_core::sync::{self, Condvar, Mutex};

type Outcome = Result<ExportResponse, SendError>;

/// A thread with a runtime, which drives a [`Client`] until this is dropped. It also answers the server between calls.
pub(super) struct ClientThread {
    shared: Arc<Shared>,
}

/// The one call that caller and thread exchange.
struct Shared {
    slot: Mutex<Slot>,
    /// Wakes the thread.
    submitted: Notify,
    /// Wakes the caller.
    answered: Condvar,
}

enum Slot {
    Idle,
    Submitted(Call),
    Running,
    Answered(Outcome),
    /// One side is gone.
    Closed,
}

/// The number of names that are being resolved at once.
const MAX_LOOKUPS: usize = 2;

/// The thread ends a call at its deadline: if the caller waits for so much longer, the thread is stuck.
const GRACE: Duration = Duration::from_millis(200);

impl ClientThread {
    pub(super) fn spawn(settings: &Arc<Settings>) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            slot: Mutex::new(Slot::Idle),
            submitted: Notify::new(),
            answered: Condvar::new(),
        });
        let runtime = Builder::new_current_thread()
            .thread_name("zerospan-grpc-dns")
            // A name server that hangs keeps a thread for each lookup.
            .max_blocking_threads(MAX_LOOKUPS)
            .enable_io()
            .enable_time()
            .build()?;
        let (theirs, settings) = (Arc::clone(&shared), Arc::clone(settings));
        std::thread::Builder::new()
            .name("zerospan-grpc".to_owned())
            .spawn(move || run(theirs, settings, runtime))?;
        Ok(Self { shared })
    }

    /// Makes a call, and returns its outcome with the thread, unless that is of no more use.
    pub(super) fn call(self, call: Call) -> (Outcome, Option<Self>) {
        let give_up = call.deadline + GRACE;
        let mut slot = sync::lock(&self.shared.slot);
        if let Slot::Idle = *slot {
            *slot = Slot::Submitted(call);
            self.shared.submitted.notify_one();
        }
        loop {
            match std::mem::replace(&mut *slot, Slot::Idle) {
                Slot::Answered(outcome) => {
                    drop(slot);
                    return (outcome, Some(self));
                }
                Slot::Closed => {
                    *slot = Slot::Closed;
                    drop(slot);
                    let error = SendError::unreachable("the thread of the gRPC client ended");
                    return (Err(error), None);
                }
                state => *slot = state,
            }
            if give_up <= Instant::now() {
                drop(slot);
                let error = SendError::timed_out("the thread of the gRPC client did not respond");
                return (Err(error), None);
            }
            slot = sync::wait(
                &self.shared.answered,
                &self.shared.slot,
                slot,
                Some(give_up),
            );
        }
    }
}

impl Drop for ClientThread {
    fn drop(&mut self) {
        *sync::lock(&self.shared.slot) = Slot::Closed;
        self.shared.submitted.notify_one();
    }
}

impl Shared {
    /// Returns the next call; `None` if there will be no other.
    async fn next(&self) -> Option<Call> {
        loop {
            {
                let mut slot = sync::lock(&self.slot);
                match std::mem::replace(&mut *slot, Slot::Running) {
                    Slot::Submitted(call) => return Some(call),
                    Slot::Closed => {
                        *slot = Slot::Closed;
                        return None;
                    }
                    state => *slot = state,
                }
            }
            self.submitted.notified().await;
        }
    }

    fn answer(&self, outcome: Outcome) {
        let mut slot = sync::lock(&self.slot);
        if let Slot::Running = *slot {
            *slot = Slot::Answered(outcome);
        }
        drop(slot);
        self.answered.notify_one();
    }
}

/// Tells a caller that the thread ends, also by a panic.
struct Exit(Arc<Shared>);

impl Drop for Exit {
    fn drop(&mut self) {
        *sync::lock(&self.0.slot) = Slot::Closed;
        self.0.answered.notify_one();
    }
}

fn run(shared: Arc<Shared>, settings: Arc<Settings>, runtime: Runtime) {
    let exit = Exit(shared);
    // `h2` and `tokio` log through `tracing`: exporting is never traced.
    let _suppressed = log::suppress_telemetry();
    runtime.block_on(async {
        let mut client = Client::new(settings);
        while let Some(call) = exit.0.next().await {
            let outcome = client.call(call).await;
            exit.0.answer(outcome);
        }
    });
    // A name that is being resolved would hold up an ordinary shutdown of the runtime.
    runtime.shutdown_background();
}
