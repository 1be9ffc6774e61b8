//! A pipeline against a naive model: items arrive once, in order for each scope, within every bound.

use crate::support::{LONG, batch, quick, received, scope, span};
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::{prop_assert, prop_assert_eq, proptest, test_runner::Config};
use std::collections::BTreeMap;
use zerospan_export::{DropCause, InMemoryTransport};

const SCOPES: [&str; 4] = ["a", "b", "c", "d"];

#[derive(Clone, Debug)]
enum Step {
    Record { scope: usize, size: usize },
    Malformed,
    Flush,
    OnOtherThread { scope: usize },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => (0..SCOPES.len(), 0..3000_usize).prop_map(|(scope, size)| Step::Record { scope, size }),
        1 => (0..SCOPES.len()).prop_map(|scope| Step::Record { scope, size: 30_000 }),
        1 => any::<bool>().prop_map(|_| Step::Malformed),
        1 => any::<bool>().prop_map(|_| Step::Flush),
        1 => (0..SCOPES.len()).prop_map(|scope| Step::OnOtherThread { scope }),
    ]
}

proptest! {
    #![proptest_config(Config { cases: 48, ..Config::default() })]

    #[test]
    fn what_is_recorded_arrives_once_in_order_and_within_the_bounds(
        steps in vec(step(), 1..200),
        spans in 0..20_usize,
        batch_bytes in 1024..16_384_usize,
        request_bytes in 4096..65_536_usize,
        chunk_bytes in 1024..8192_usize,
    ) {
        let memory = InMemoryTransport::new();
        let pipeline = quick()
            .with_transport(memory.clone())
            .with_batch(batch(|batch| {
                // Wide enough for all: what a full queue drops is another test's.
                if spans > 0 {
                    (batch.max_queue_size, batch.max_export_batch_size) = (Some(1000), Some(spans));
                }
                batch.batch_bytes = batch_bytes;
                batch.max_request_bytes = request_bytes;
                batch.chunk_bytes = chunk_bytes;
                batch.max_memory_bytes = 16 << 20;
            }))
            .build()
            .unwrap();
        let scopes = SCOPES.map(scope);
        let mut expected: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        let (mut too_large, mut malformed) = (0, 0);
        for (number, step) in (0_u64..).zip(&steps) {
            match *step {
                Step::Record { scope, size } => {
                    let field = span(number, size);
                    match pipeline.record_encoded(&scopes[scope], &field) {
                        Ok(()) if field.len() > request_bytes - 100 => prop_assert!(false, "accepted"),
                        Ok(()) => expected.entry(SCOPES[scope].to_owned()).or_default().push(number),
                        Err(cause) => {
                            prop_assert_eq!(cause, DropCause::TooLarge);
                            prop_assert!(field.len() > request_bytes - 2048);
                            too_large += 1;
                        }
                    }
                }
                Step::Malformed => {
                    prop_assert!(pipeline.record_encoded(&scopes[0], &[0x12, 5, 1]).is_err());
                    malformed += 1;
                }
                Step::Flush => prop_assert_eq!(pipeline.force_flush(LONG), Ok(())),
                Step::OnOtherThread { scope } => {
                    // Flushed before and after, so that the order is known.
                    prop_assert_eq!(pipeline.force_flush(LONG), Ok(()));
                    let (pipeline, scopes) = (&pipeline, &scopes);
                    std::thread::scope(|threads| {
                        threads.spawn(move || pipeline.record_encoded(&scopes[scope], &span(number, 9)));
                    });
                    prop_assert_eq!(pipeline.force_flush(LONG), Ok(()));
                    expected.entry(SCOPES[scope].to_owned()).or_default().push(number);
                }
            }
        }
        prop_assert_eq!(pipeline.force_flush(LONG), Ok(()));
        let requests = memory.take();
        for request in &requests {
            prop_assert!(request.len() <= request_bytes);
            let held: usize = received(std::slice::from_ref(request)).values().map(Vec::len).sum();
            prop_assert!(held >= 1 && (spans == 0 || held <= spans));
        }
        prop_assert_eq!(received(&requests), expected);
        let stats = pipeline.stats();
        prop_assert!(stats.is_balanced());
        prop_assert_eq!(stats.dropped.by(DropCause::TooLarge), too_large);
        prop_assert_eq!(stats.dropped.by(DropCause::Malformed), malformed);
        prop_assert_eq!(stats.dropped.total(), too_large + malformed);
    }
}
