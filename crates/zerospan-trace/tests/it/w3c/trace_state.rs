use super::oracle::is_passed_on;
use opentelemetry::trace::TraceState;
use proptest::prelude::*;
use zerospan_trace::remote_span_context;

const PARENT: [&str; 1] = ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"];

/// The state that is read from these headers.
fn read<S: AsRef<[u8]>>(headers: impl IntoIterator<Item = S>) -> TraceState {
    let context = remote_span_context(PARENT, headers)
        .expect("a state never keeps the parent from being read");
    assert!(context.is_remote() && context.is_sampled());
    context.trace_state().clone()
}

#[test]
fn several_headers_count_as_one() {
    let state = read(["one=1 ,\ttwo=2", "", " ,", "three=3,"]);
    assert_eq!(state.header(), "one=1,two=2,three=3");
    assert_eq!(read(["", ","]), TraceState::NONE);
    assert_eq!(read([""; 0]), TraceState::NONE);
}

#[test]
fn what_the_grammar_allows_is_taken_along() {
    let long = format!("{}={}", "k".repeat(256), "v".repeat(256));
    let many: Vec<String> = (0..32).map(|number| format!("k{number}=v")).collect();
    for header in [
        "foo=1,bar=2",
        "0a_-*/=1",
        "tenant@vendor=1",
        "k= !\"#$%&'()*+-./:;<>?@[\\]^_`{|}~",
        &long,
        &many.join(","),
    ] {
        assert_eq!(read([header]).header(), header);
    }
}

#[test]
fn what_is_malformed_leaves_out_the_whole_state() {
    let many: Vec<String> = (0..33).map(|number| format!("k{number}=v")).collect();
    for header in [
        &b"foo"[..],
        b"=1",
        b"foo=",
        b"foo= ",
        b"foo=1=2",
        b"foo==1",
        b"foo =1",
        b"Foo=1",
        b"_foo=1",
        b"@foo=1",
        b"foo!=1",
        b"foo=1,foo=2",
        b"foo=1\r\nx-admin: 1",
        b"foo=\x7f",
        b"foo=b\xc3\xa9",
        b"foo=\xff",
        b"fo\xff=1",
        format!("{}=1", "k".repeat(257)).as_bytes(),
        format!("k={}", "v".repeat(257)).as_bytes(),
        many.join(",").as_bytes(),
    ] {
        let text = String::from_utf8_lossy(header);
        assert_eq!(read([header]), TraceState::NONE, "{text}");
        assert_eq!(read([b"good=1", header]), TraceState::NONE, "{text}");
    }
    assert_eq!(read(["foo=1", "foo=2"]), TraceState::NONE);
}

/// Keys of the second level that the API crate's `TraceState` does not take.
#[test]
fn what_the_api_crate_refuses_leaves_out_the_whole_state_too() {
    for header in ["a@@b=1", "tenant@_vendor=1", "tenant@fourteen-bytes=1"] {
        assert!(header.parse::<TraceState>().is_err());
        assert_eq!(read(["good=1", header]), TraceState::NONE, "{header}");
    }
    assert_eq!(
        read(["tenant@thirteen-byte=1"]).header(),
        "tenant@thirteen-byte=1"
    );
}

proptest! {
    #[test]
    fn whatever_is_read_is_passed_on_as_it_came(
        state in "([a-z0-9@]{0,3}[ -~]{0,4}=[ -~\t]{0,4},[ \t]?){0,4}",
        any in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        is_passed_on(state.as_bytes());
        is_passed_on(&any);
    }
}
