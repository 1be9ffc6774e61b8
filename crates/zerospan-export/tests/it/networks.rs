//! A pipeline on networks as they are.

use crate::collector::{Collector, Proxy};
use crate::support::{LONG, quick, record, scope};
use std::time::Duration;
use zerospan_export::{OtlpConfig, Protocol};

#[test]
fn a_connection_that_dies_silently_costs_no_span() {
    let collector = Collector::start(Protocol::Grpc);
    let proxy = Proxy::start(collector.address);
    let otlp = OtlpConfig::new()
        .with_protocol(Protocol::Grpc)
        .with_endpoint(format!("http://{}", proxy.address));
    for is_without_worker in [false, true] {
        let builder = quick()
            .with_otlp(otlp.clone())
            // A connection that is silent for half of it is dead.
            .with_timeout(Duration::from_secs(6));
        let builder = match is_without_worker {
            true => builder.without_worker(),
            false => builder,
        };
        let pipeline = builder.build().unwrap();
        let scope = scope("silent");
        for batch in 0..12 {
            if batch == 1 {
                proxy.kill_silently();
            }
            record(&pipeline, &scope, 0..10);
            assert_eq!(pipeline.force_flush(LONG), Ok(()));
        }
        let stats = pipeline.stats();
        assert_eq!(
            (stats.delivered, stats.dropped.total()),
            (120, 0),
            "{stats:?}"
        );
        pipeline.shutdown(LONG).unwrap();
    }
    assert_eq!(proxy.connections(), 4);
}
