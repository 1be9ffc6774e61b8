//! gRPC from threads that belong to a runtime already, in each of its flavours, and from threads that end.

use crate::collector::Collector;
use crate::support::{BRIEF, LONG, request};
use std::cell::RefCell;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::task::LocalSet;
use zerospan_transport::{Connect, Protocol, Request, Signal, Transport};

fn transport(collector: &Collector) -> Box<dyn Transport> {
    let connector = collector.config().connector(Signal::Traces).unwrap();
    connector.connect().unwrap()
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn multi_thread() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn grpc_is_sent_on_a_thread_of_any_runtime() {
    let collector = Collector::start(Protocol::Grpc);
    let mut sent = 0;
    let mut delivered = |what: &str| {
        sent += 1;
        assert_eq!(collector.requests().len(), sent, "{what}");
    };
    for runtime in [current_thread, multi_thread] {
        let runtime = runtime();
        let mut inside = transport(&collector);
        runtime.block_on(async { inside.send(&request()).unwrap() });
        delivered("block_on");
        let mut spawned = transport(&collector);
        runtime
            .block_on(runtime.spawn(async move { spawned.send(&request()).unwrap() }))
            .unwrap();
        delivered("spawn");
        let mut blocking = transport(&collector);
        runtime
            .block_on(runtime.spawn_blocking(move || blocking.send(&request()).unwrap()))
            .unwrap();
        delivered("spawn_blocking");
        let mut local = transport(&collector);
        LocalSet::new().block_on(&runtime, async move {
            let task = tokio::task::spawn_local(async move { local.send(&request()).unwrap() });
            task.await.unwrap()
        });
        delivered("spawn_local");
        let mut entered = transport(&collector);
        let guard = runtime.enter();
        entered.send(&request()).unwrap();
        drop(guard);
        delivered("enter");
        // The same transport on and off the runtime's threads.
        let mut moved = transport(&collector);
        moved.send(&request()).unwrap();
        delivered("outside");
        runtime.block_on(async { moved.send(&request()).unwrap() });
        delivered("inside after outside");
        // Dropped where dropping a runtime is not permitted.
        runtime.block_on(async { drop(moved) });
    }
}

#[test]
fn grpc_is_sent_from_the_destructor_of_a_thread_local() {
    struct Sends(Option<Box<dyn Transport>>);
    impl Drop for Sends {
        fn drop(&mut self) {
            self.0.take().unwrap().send(&request()).unwrap();
        }
    }
    thread_local! {
        static LAST: RefCell<Option<Sends>> = const { RefCell::new(None) };
    }
    let collector = Collector::start(Protocol::Grpc);
    let transport = transport(&collector);
    let thread = std::thread::spawn(move || {
        LAST.with(|last| *last.borrow_mut() = Some(Sends(Some(transport))));
        // A runtime's own thread-local, which is destroyed first.
        current_thread().block_on(tokio::task::yield_now());
    });
    thread.join().unwrap();
    assert_eq!(collector.requests().len(), 1);
}

#[test]
fn the_deadline_is_kept_on_a_thread_of_a_runtime() {
    use crate::collector::Reply;
    let collector = Collector::scripted(Protocol::Grpc, |_| Reply::Hang);
    // The deadline of the request counts, not the timeout of the settings.
    let config = collector.config().with_timeout(LONG);
    let connector = config.connector(Signal::Traces).unwrap();
    let mut transport = connector.connect().unwrap();
    current_thread().block_on(async {
        let start = Instant::now();
        let deadline = start + Duration::from_millis(300);
        let request = Request::new(Signal::Traces, crate::support::BODY, 1, deadline);
        let error = transport.send(&request).unwrap_err();
        let elapsed = start.elapsed();
        assert!(
            (Duration::from_millis(150)..BRIEF).contains(&elapsed),
            "{elapsed:?}: {error}"
        );
    });
}
