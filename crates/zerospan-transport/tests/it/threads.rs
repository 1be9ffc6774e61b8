//! Threads that requests start.

use crate::collector::Collector;
use crate::support::request;
use zerospan_core::dev;
use zerospan_transport::{Connect, OtlpConfig, Protocol, Signal};

/// Returns the number of threads that the standard library has started: it numbers them.
fn threads_started() -> u64 {
    let id = std::thread::spawn(|| format!("{:?}", std::thread::current().id()));
    let id = id.join().unwrap();
    let digits: String = id.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

#[test]
#[allow(clippy::print_stdout)]
fn a_hundred_requests_start_no_thread_each() {
    // Other tests start threads too.
    const ENDPOINT: &str = "ZEROSPAN_TEST_ENDPOINT";
    if dev::own_process().is_none() {
        let endpoint = std::env::var(ENDPOINT).unwrap();
        let config = OtlpConfig::new().with_endpoint(endpoint);
        let connector = config.connector(Signal::Traces).unwrap();
        let mut transport = connector.connect().unwrap();
        let before = threads_started();
        for _ in 0..100 {
            transport.send(&request()).unwrap();
        }
        println!("started {}", threads_started() - before - 1);
        return;
    }
    let collector = Collector::start(Protocol::HttpProtobuf);
    for (host, allowed) in [("127.0.0.1", 0), ("localhost", 1)] {
        let endpoint = format!("http://{host}:{}/", collector.address.port());
        let variables = [(ENDPOINT, &*endpoint), ("NO_PROXY", "*")];
        let said = dev::in_own_process(&variables, || ()).unwrap();
        // On one processor, the name of the test stands before it.
        let started = said.lines().find_map(|line| line.split_once("started "));
        let (_, started) = started.unwrap_or_else(|| panic!("{said}"));
        let started: u64 = started.parse().unwrap();
        assert!(started <= allowed, "{started} threads for {host}");
    }
    assert_eq!(collector.calls(), 200);
}
