//! A file that several processes write to, some of which are killed.
#![cfg(unix)]

use crate::support::{LONG, quick, received, record, scope};
use std::path::Path;
use std::time::{Duration, Instant};
use zerospan_export::{Connect, FileTransport, Request, Signal};

/// Reads the records of a file as its documentation describes them. Panics if it holds anything else.
fn records(path: &Path) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(path).unwrap();
    let mut rest = &bytes[..];
    let mut requests = Vec::new();
    while !rest.is_empty() {
        let length = prost::encoding::decode_varint(&mut rest).expect("a length");
        let (request, behind) = rest
            .split_at_checked(usize::try_from(length).unwrap())
            .expect("a whole record");
        requests.push(request.to_vec());
        rest = behind;
    }
    requests
}

/// Forks a child that does `work`. Returns its process id.
#[allow(unsafe_code)]
fn fork(work: impl FnOnce()) -> i32 {
    // SAFETY: the child does nothing but use this crate, as a program that forks would, and leaves by `_exit`.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        // SAFETY: ends the child at once, without the destructors of a test harness it is no part of.
        unsafe { libc::_exit(i32::from(done.is_err())) };
    }
    assert!(child > 0);
    child
}

/// Waits for the child. Returns its status.
#[allow(unsafe_code)]
fn wait(child: i32) -> i32 {
    let mut status = 0;
    // SAFETY: `child` is a process made by `fork`, and `status` is where its end is written to.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    status
}

#[test]
fn parent_and_children_write_one_file_and_no_record_is_torn() {
    const CHILDREN: u64 = 4;
    const SPANS: u64 = 400;
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spans.otlp");
        let pipeline = quick()
            .with_transport(FileTransport::new(&path).unwrap())
            .with_timeout(LONG)
            .build()
            .unwrap();
        let scope = scope("file");
        // The parent's worker has the file open.
        record(&pipeline, &scope, 0..1);
        pipeline.force_flush(LONG).unwrap();
        let write = |first: u64| {
            for number in first..first + SPANS {
                record(&pipeline, &scope, number..number + 1);
                if number % 8 == 0 {
                    pipeline.force_flush(LONG).unwrap();
                }
            }
            pipeline.force_flush(LONG).unwrap();
        };
        let children: Vec<i32> = (1..=CHILDREN)
            .map(|child| fork(|| write(child * 10_000)))
            .collect();
        write(0);
        for child in children {
            assert_eq!(wait(child), 0);
        }
        let mut spans = received(&records(&path)).remove("file").unwrap();
        spans.sort_unstable();
        let mut expected: Vec<u64> = (0..=CHILDREN)
            .flat_map(|writer| writer * 10_000..writer * 10_000 + SPANS)
            .chain([0])
            .collect();
        expected.sort_unstable();
        assert!(spans == expected, "{} of {}", spans.len(), expected.len());
    }
}

fn send(file: &FileTransport, body: &[u8]) -> Result<(), zerospan_export::SendError> {
    let deadline = Instant::now() + LONG;
    let request = Request::new(Signal::Traces, body, 1, deadline);
    file.connect()?.send(&request).map(drop)
}

#[test]
#[allow(unsafe_code)]
fn the_half_record_of_a_process_that_was_killed_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans.otlp");
    let file = FileTransport::new(&path).unwrap();
    let large = vec![0x0a; 8 << 20];
    let mut sent = 0;
    for round in 0..20 {
        let child = fork(|| {
            loop {
                send(&file, &large).unwrap();
            }
        });
        std::thread::sleep(Duration::from_millis(5 + 3 * round));
        // SAFETY: sends a signal to a child of this test that was not waited for.
        unsafe { libc::kill(child, libc::SIGKILL) };
        wait(child);
        send(&file, b"\x0aafter").unwrap();
        sent += 1;
        let records = records(&path);
        assert!(
            records
                .iter()
                .all(|record| *record == large || record == b"\x0aafter")
        );
        let ours = records.iter().filter(|record| *record == b"\x0aafter");
        assert_eq!(ours.count(), sent);
        std::fs::write(&path, []).unwrap();
        sent = 0;
    }
}
