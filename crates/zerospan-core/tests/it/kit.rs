//! The conformance kit detects each broken rule.

use std::cell::Cell;
use std::collections::VecDeque;
use zerospan_core::dev::{Canary, conformance};
use zerospan_core::{
    Attribute, AttributeSink, AttributeSource, DefaultRecycle, Footprint, Recycle, Reset, SinkError,
};

fn fill(text: &mut String, canary: &mut Canary) {
    text.push_str(&canary.text(64));
}

fn read(text: &String, out: &mut Vec<u8>) {
    out.extend_from_slice(text.as_bytes());
}

#[test]
fn std_collections_meet_the_reset_contract() {
    conformance::ResetCheck::new(fill, read).check::<String>();
    conformance::ResetCheck::new(
        |bytes: &mut Vec<u8>, canary: &mut Canary| bytes.extend(canary.bytes(64)),
        |bytes: &Vec<u8>, out: &mut Vec<u8>| out.extend_from_slice(bytes),
    )
    .check::<Vec<u8>>();
}

#[test]
fn a_footprint_is_the_capacity_in_bytes() {
    let vector: Vec<u32> = Vec::with_capacity(5);
    assert_eq!(vector.heap_bytes(), 4 * vector.capacity());
    assert_eq!(Box::new(vector).heap_bytes(), size_of::<Vec<u32>>() + 20);
    let queue: VecDeque<u64> = VecDeque::with_capacity(5);
    assert_eq!(queue.heap_bytes(), 8 * queue.capacity());
    let text = String::with_capacity(9);
    assert_eq!(text.heap_bytes(), 9);
    assert_eq!(DefaultRecycle.heap_bytes(&text), 9);
}

#[test]
fn a_reset_empties_whatever_is_boxed_or_queued() {
    let mut queue = VecDeque::from([1]);
    queue.reset();
    assert!(queue.is_empty());
    let mut boxed = Box::new(String::from("text"));
    Reset::reset(&mut boxed);
    assert_eq!(**boxed, *"");
    let mut vector = vec![1];
    DefaultRecycle.reset(&mut vector);
    let created: Vec<i32> = DefaultRecycle.create();
    assert_eq!(vector, created);
}

/// Recycles a `String` with a reset that the test chooses.
struct Resetting<F>(F);

impl<F: Fn(&mut String)> Recycle<String> for Resetting<F> {
    fn create(&self) -> String {
        String::new()
    }

    fn reset(&self, text: &mut String) {
        (self.0)(text);
    }

    fn heap_bytes(&self, text: &String) -> usize {
        text.heap_bytes()
    }
}

fn check(reset: impl Fn(&mut String)) {
    conformance::ResetCheck::new(fill, read).check_recycle(&Resetting(reset));
}

#[test]
fn a_correct_reset_passes() {
    check(String::clear);
}

#[test]
#[should_panic(expected = "reset leaves content of the last use readable")]
fn a_leaky_reset_fails() {
    check(|text| text.truncate(32));
}

#[test]
#[should_panic(expected = "reset does not restore the initial state")]
fn a_reset_to_another_state_fails() {
    check(|text| {
        text.clear();
        text.push('?');
    });
}

#[test]
#[should_panic(expected = "reset loses capacity: 64 before, 0 after")]
fn a_reset_that_frees_fails() {
    check(|text| *text = String::new());
}

#[test]
#[should_panic(expected = "a second reset changes the value")]
fn a_reset_that_toggles_fails() {
    let resets = Cell::new(0);
    check(|text| {
        text.clear();
        resets.set(resets.get() + 1);
        if resets.get() == 2 {
            text.push('?');
        }
    });
}

#[test]
#[should_panic(expected = "content of an earlier use is readable in the next one")]
fn content_that_reappears_in_the_next_use_fails() {
    // Reads as empty after a reset, but keeps the text for the next use.
    #[derive(Default)]
    struct Hoarder(Vec<String>, usize);
    impl Reset for Hoarder {
        fn reset(&mut self) {
            self.1 = 0;
        }
    }
    impl Footprint for Hoarder {
        fn heap_bytes(&self) -> usize {
            0
        }
    }
    conformance::ResetCheck::new(
        |hoarder: &mut Hoarder, canary: &mut Canary| {
            hoarder.0.push(canary.text(8));
            hoarder.1 = hoarder.0.len();
        },
        |hoarder: &Hoarder, out: &mut Vec<u8>| {
            for text in &hoarder.0[..hoarder.1] {
                out.extend_from_slice(text.as_bytes());
            }
        },
    )
    .check::<Hoarder>();
}

#[test]
#[should_panic(expected = "the subject does not read what it filled in")]
fn a_subject_that_reads_nothing_fails() {
    conformance::ResetCheck::new(fill, |_: &String, _: &mut Vec<u8>| {}).check::<String>();
}

/// Lists two attributes and reports a length that the test chooses.
struct Miscounting(usize);

impl AttributeSource for Miscounting {
    fn len(&self) -> usize {
        self.0
    }

    fn for_each<'a>(&'a self, mut visit: impl FnMut(Attribute<'a>)) {
        visit(Attribute::new("a", 1));
        visit(Attribute::new("b", 2));
    }
}

#[test]
#[should_panic(expected = "the number of attributes in the first listing is not len")]
fn a_source_that_miscounts_fails() {
    conformance::check_source(&Miscounting(3), &[("a", 1.into()), ("b", 2.into())]);
}

#[test]
#[should_panic(expected = "the first listing differs at attribute 1")]
fn a_source_that_lists_something_else_fails() {
    conformance::check_source(&Miscounting(2), &[("a", 1.into()), ("b", 3.into())]);
}

/// Prepends each attribute.
#[derive(Default)]
struct Reversing(Vec<opentelemetry::KeyValue>);

impl AttributeSink for Reversing {
    fn push_attribute(&mut self, attribute: Attribute<'_>) -> Result<(), SinkError> {
        self.0.insert(0, attribute.to_key_value()?);
        Ok(())
    }
}

#[test]
#[should_panic(expected = "the sink does not hold what was pushed, in the order of the pushes")]
fn a_sink_that_reorders_fails() {
    conformance::check_sink(Reversing::default, |sink, each| {
        sink.0.for_each(each);
    });
}

#[test]
fn a_canary_is_found_in_every_form_and_no_other_canary_is() {
    let (mut canary, other) = (Canary::new(7), Canary::new(8));
    let context = canary.span_context();
    let nanoseconds = canary
        .time()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos());
    let forms: [Vec<u8>; 9] = [
        canary.text(3).into_bytes(),
        canary.integer().to_le_bytes().to_vec(),
        canary.integer().to_string().into_bytes(),
        canary.float().to_be_bytes().to_vec(),
        canary.trace_id().to_bytes().to_vec(),
        canary.span_id().to_bytes().to_vec(),
        context.trace_state().header().into_bytes(),
        nanoseconds.to_string().into_bytes(),
        format!("{:?}", canary.status()).into_bytes(),
    ];
    for form in &forms {
        assert!(canary.is_in(form), "not found in {form:?}");
        assert!(!other.is_in(form));
    }
    assert!(canary.float().is_finite());
    // Each half of a trace id is marked.
    let trace_id = canary.trace_id().to_bytes();
    assert_eq!(trace_id[..8], trace_id[8..]);
    assert_eq!(canary.attributes(12).len(), 12);
}
