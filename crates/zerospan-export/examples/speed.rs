#![allow(missing_docs, clippy::print_stdout)]
use opentelemetry::InstrumentationScope;
use std::time::{Duration, Instant};
use zerospan_export::*;
struct Null;
impl Transport for Null {
    fn send(&mut self, _: &Request<'_>) -> Result<Accepted, SendError> {
        Ok(Accepted::ALL)
    }
}
fn main() {
    let mut batch = BatchConfig::default();
    batch.max_queue_size = 100_000;
    batch.max_export_batch_size = 2048;
    let p = Pipeline::builder()
        .transport(|| Ok(Null))
        .batch(batch)
        .build()
        .unwrap();
    let scope = Scope::new(&InstrumentationScope::builder("a").build());
    let mut span = vec![0x12, 0xac, 0x02];
    span.extend_from_slice(&[7u8; 300]);
    let mut sink = Vec::with_capacity(70000);
    for _ in 0..8 {
        let n = 50_000;
        let t = Instant::now();
        for _ in 0..n {
            if sink.len() > 57000 {
                sink.clear();
            }
            sink.extend_from_slice(std::hint::black_box(&span));
        }
        let base = t.elapsed();
        let t = Instant::now();
        for _ in 0..n {
            p.record_encoded(&scope, std::hint::black_box(&span))
                .unwrap();
        }
        let e = t.elapsed();
        println!("memcpy {:?} record {:?}/span", base / n, e / n);
        p.force_flush(Duration::from_secs(5)).unwrap();
    }
    println!("{:?}", p.stats());
}
