//! A system that refuses to watch forks. A program on its own, since it takes the place of `pthread_atfork`.
//! ThreadSanitizer needs the function itself.
#![cfg(all(target_os = "linux", target_env = "gnu", not(tsan)))]
#![allow(unsafe_code)]

use std::ffi::c_int;
use zerospan_core::dev::Warnings;
use zerospan_export::{InMemoryTransport, Pipeline};
use zerospan_trace::TracerProvider;

/// Takes the place of the C library's function, and refuses as that does without memory.
// SAFETY: has the signature of the C library's, and does less.
#[unsafe(no_mangle)]
extern "C" fn pthread_atfork(
    _: Option<unsafe extern "C" fn()>,
    _: Option<unsafe extern "C" fn()>,
    _: Option<unsafe extern "C" fn()>,
) -> c_int {
    libc::ENOMEM
}

#[test]
fn a_system_that_refuses_to_watch_forks_is_logged_once_for_each_library() {
    let said = Warnings::of(|| {
        for _ in 0..100 {
            let pipeline = Pipeline::builder().with_transport(InMemoryTransport::new());
            let pipeline = pipeline.build().expect("valid");
            drop(TracerProvider::builder().with_exporter(pipeline).build());
        }
    });
    assert_eq!(said.len(), 2, "{said:?}");
    for (line, effect) in said.iter().zip(["an empty pipeline", "repeats the ids"]) {
        assert!(line.starts_with("ForkUnwatched"), "{line}");
        assert!(line.contains(effect), "{line}");
    }
}
