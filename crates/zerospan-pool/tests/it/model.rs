//! Every backend against a naive model, with random sequences of operations.

use crate::backends::{Tracked, TrackedObjects, Watch, assert_balanced, on_another_thread, panics};
use proptest::prelude::*;
use zerospan_pool::{ArrayQueuePool, Pool, Pooled, ThreadCachedPool};

/// One operation.
#[derive(Clone, Debug)]
enum Step {
    Acquire,
    Release(usize),
    Drop(usize),
    Detach(usize),
    /// Panics while the guard lives.
    Panic(usize),
    /// Drops a guard whose object panics in its reset.
    BadReset(usize),
    /// Drops a guard whose object exceeds the retention limit.
    Grow(usize),
    /// Drops a guard on a thread that ends.
    ReturnElsewhere(usize),
    /// Acquires and returns this number of objects on a thread that ends.
    VisitElsewhere(usize),
    WarmUp(usize),
    Shrink(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let which = 0..64_usize;
    prop_oneof![
        12 => Just(Step::Acquire),
        3 => which.clone().prop_map(Step::Release),
        6 => which.clone().prop_map(Step::Drop),
        1 => which.clone().prop_map(Step::Detach),
        1 => which.clone().prop_map(Step::Panic),
        1 => which.clone().prop_map(Step::BadReset),
        1 => which.clone().prop_map(Step::Grow),
        1 => which.clone().prop_map(Step::ReturnElsewhere),
        1 => (0..40_usize).prop_map(Step::VisitElsewhere),
        1 => (0..20_usize).prop_map(Step::WarmUp),
        1 => (0..20_usize).prop_map(Step::Shrink),
    ]
}

/// The model: the number of kept objects, and the counts.
#[derive(Debug, Default)]
struct Model {
    capacity: usize,
    kept: usize,
    hits: u64,
    misses: u64,
    returns: u64,
    full: u64,
    too_large: u64,
    panicked: u64,
    detached: u64,
    warmed_up: u64,
    shrunk: u64,
}

impl Model {
    fn acquire(&mut self) {
        if self.kept > 0 {
            self.kept -= 1;
            self.hits += 1;
        } else {
            self.misses += 1;
        }
    }

    fn give_back(&mut self) {
        if self.kept < self.capacity {
            self.kept += 1;
            self.returns += 1;
        } else {
            self.full += 1;
        }
    }
}

const LIMIT: usize = 100;

fn pick<'a, P: Pool>(lent: &mut Vec<Pooled<&'a P>>, which: usize) -> Option<Pooled<&'a P>> {
    (!lent.is_empty()).then(|| lent.swap_remove(which % lent.len()))
}

/// Applies the steps to pool and model, and compares their observable state after each.
fn drive<P>(name: &str, pool: &P, watch: &Watch, steps: &[Step]) -> Result<(), TestCaseError>
where
    P: Pool<Object = Tracked> + Sync,
{
    let mut model = Model {
        capacity: pool.capacity(),
        ..Model::default()
    };
    let mut lent: Vec<Pooled<&P>> = Vec::new();
    let mut mine = Vec::new();
    for step in steps {
        match *step {
            Step::Acquire => {
                lent.push(pool.acquire());
                model.acquire();
            }
            Step::Release(which) => {
                if let Some(guard) = pick(&mut lent, which) {
                    guard.release();
                    model.give_back();
                }
            }
            Step::Drop(which) => {
                if let Some(guard) = pick(&mut lent, which) {
                    drop(guard);
                    model.give_back();
                }
            }
            Step::Detach(which) => {
                if let Some(guard) = pick(&mut lent, which) {
                    mine.push(guard.detach());
                    model.detached += 1;
                }
            }
            Step::Panic(which) => {
                if let Some(guard) = pick(&mut lent, which) {
                    let unwound = panics(move || {
                        let _guard = guard;
                        std::panic::resume_unwind(Box::new("in user code"));
                    });
                    prop_assert!(unwound, "{}", name);
                    model.panicked += 1;
                }
            }
            Step::BadReset(which) => {
                if let Some(mut guard) = pick(&mut lent, which) {
                    guard.reset_panics = true;
                    let unwound = panics(move || drop(guard));
                    prop_assert!(unwound, "{}", name);
                    model.panicked += 1;
                }
            }
            Step::Grow(which) => {
                if let Some(mut guard) = pick(&mut lent, which) {
                    guard.bytes = LIMIT + 1;
                    drop(guard);
                    model.too_large += 1;
                }
            }
            Step::ReturnElsewhere(which) => {
                if let Some(guard) = pick(&mut lent, which) {
                    // Flushes this thread's cache, whose reserved room other threads cannot use.
                    pool.shrink(usize::MAX);
                    on_another_thread(move || drop(guard));
                    model.give_back();
                }
            }
            Step::VisitElsewhere(count) => {
                pool.shrink(usize::MAX);
                on_another_thread(|| {
                    drop((0..count).map(|_| pool.acquire()).collect::<Vec<_>>());
                });
                (0..count).for_each(|_| model.acquire());
                (0..count).for_each(|_| model.give_back());
            }
            Step::WarmUp(count) => {
                let created = count.min(model.capacity - model.kept);
                prop_assert_eq!(pool.warm_up(count), created, "{}", name);
                model.kept += created;
                model.warmed_up += created as u64;
            }
            Step::Shrink(keep) => {
                let freed = model.kept.saturating_sub(keep);
                prop_assert_eq!(pool.shrink(keep), freed, "{}", name);
                model.kept -= freed;
                model.shrunk += freed as u64;
            }
        }
        let stats = pool.stats();
        prop_assert_eq!(pool.len(), model.kept, "{}: {:?}", name, step);
        prop_assert_eq!(
            watch.live(),
            model.kept + lent.len() + mine.len(),
            "{}: {:?}",
            name,
            step
        );
        prop_assert_eq!(
            (stats.hits, stats.misses, stats.returns),
            (model.hits, model.misses, model.returns),
            "{}: {:?}",
            name,
            step
        );
        let discards = stats.discards;
        prop_assert_eq!(
            (discards.full, discards.too_large, discards.panicked),
            (model.full, model.too_large, model.panicked),
            "{}: {:?}",
            name,
            step
        );
        prop_assert_eq!(
            (stats.detached, stats.warmed_up, stats.shrunk),
            (model.detached, model.warmed_up, model.shrunk)
        );
        let mut numbers: Vec<usize> = lent.iter().map(|object| object.number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        prop_assert_eq!(numbers.len(), lent.len(), "{}: lent twice", name);
    }
    assert_balanced(name, pool, lent.len());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_backend_behaves_like_the_model(
        capacity in prop_oneof![0..20_usize, 20..400_usize],
        steps in prop::collection::vec(step(), 1..150),
    ) {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| ()));
        let outcome = (|| {
            let watch = Watch::default();
            let pool = ThreadCachedPool::<_, _>::with_recycle(capacity, watch.clone());
            drive("any thread", &pool.with_retention_limit(LIMIT), &watch, &steps)?;
            let pool =
                ThreadCachedPool::<_, _, TrackedObjects>::with_recycle(capacity, watch.clone());
            drive("declared", &pool.with_retention_limit(LIMIT), &watch, &steps)?;
            let pool = ArrayQueuePool::with_recycle(capacity, watch.clone()).expect("small");
            drive("array queue", &pool.with_retention_limit(LIMIT), &watch, &steps)?;
            #[cfg(feature = "object-pool")]
            {
                let pool = zerospan_pool::ObjectPool::with_recycle(capacity, watch.clone());
                drive("object pool", &pool.with_retention_limit(LIMIT), &watch, &steps)?;
            }
            prop_assert_eq!(watch.live(), 0);
            Ok(())
        })();
        std::panic::set_hook(hook);
        outcome?;
    }
}
