//! A file that requests are appended to.

use crate::support::LONG;
use prost::encoding::decode_varint;
use std::path::Path;
use std::time::{Duration, Instant};
use zerospan_transport::{Connect, FileTransport, Request, SendError, SendErrorKind, Signal};

/// Reads the records of a file as its documentation describes them. Panics if it holds anything else.
fn records(path: &Path) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(path).unwrap();
    let mut rest = &bytes[..];
    let mut requests = Vec::new();
    while !rest.is_empty() {
        let length = decode_varint(&mut rest).expect("a length") as usize;
        let (request, behind) = rest.split_at_checked(length).expect("a whole record");
        requests.push(request.to_vec());
        rest = behind;
    }
    requests
}

fn send(file: &FileTransport, body: &[u8]) -> Result<(), SendError> {
    let request = Request::new(Signal::Traces, body, 1, Instant::now() + LONG);
    file.connect()?.send(&request).map(drop)
}

#[test]
fn every_half_of_a_record_is_cut_off_and_anything_else_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans.otlp");
    let file = FileTransport::new(&path).unwrap();
    let mut body = vec![0x0a; 300];
    send(&file, &body).unwrap();
    let whole = std::fs::read(&path).unwrap();
    for cut in 1..whole.len() {
        std::fs::write(&path, [&whole[..], &whole[..cut]].concat()).unwrap();
        body[1] = cut as u8;
        send(&file, &body).unwrap();
        let records = records(&path);
        assert_eq!(records.len(), 2, "{cut}");
        assert_eq!(records[1], body);
    }
    for foreign in [&b"the notes of a user"[..], &[0xff; 20]] {
        std::fs::write(&path, foreign).unwrap();
        let error = send(&file, &body).unwrap_err();
        assert_eq!(error.kind, SendErrorKind::Refused);
        assert!(error.message.contains("at byte 0"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), foreign);
    }
}

#[test]
fn a_file_that_is_moved_away_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (path, old) = (folder.path().join("spans"), folder.path().join("old"));
    let file = FileTransport::new(&path).unwrap();
    let mut transport = file.connect().unwrap();
    for round in 0..3 {
        let body = vec![0x0a; 100 * (3 - round)];
        let request = Request::new(Signal::Traces, &body, 1, Instant::now() + LONG);
        transport.send(&request).unwrap();
        transport.send(&request).unwrap();
        assert_eq!(records(&path), [body.clone(), body]);
        std::fs::rename(&path, &old).unwrap();
    }
}

#[test]
fn a_half_that_another_program_left_of_a_known_record_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans.otlp");
    let file = FileTransport::new(&path).unwrap();
    let mut transport = file.connect().unwrap();
    let bodies = [1, 2, 3].map(|byte| [0x0a, byte].repeat(50));
    let mut send = |body: &[u8]| {
        let request = Request::new(Signal::Traces, body, 1, Instant::now() + LONG);
        transport.send(&request).unwrap();
    };
    send(&bodies[0]);
    send(&bodies[1]);
    let len = std::fs::metadata(&path).unwrap().len();
    let writer = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    writer.set_len(len - 20).unwrap();
    send(&bodies[2]);
    assert_eq!(records(&path), [&bodies[0], &bodies[2]].map(Clone::clone));
}

#[test]
fn a_file_that_another_has_locked_is_waited_for_until_the_deadline() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans");
    let file = FileTransport::new(&path).unwrap();
    let mut transport = file.connect().unwrap();
    let other = std::fs::File::open(&path).unwrap();
    other.lock().unwrap();
    let deadline = Instant::now() + Duration::from_millis(50);
    let request = Request::new(Signal::Traces, b"\x0a", 1, deadline);
    let error = transport.send(&request).unwrap_err();
    assert_eq!(error.kind, SendErrorKind::TimedOut);
    assert!(deadline.elapsed() < LONG / 2);
    assert!(deadline.elapsed() > Duration::ZERO, "it waits until then");
    other.unlock().unwrap();
    send(&file, b"\x0a").unwrap();
    // Locked while it is written to, and no longer.
    other.try_lock().unwrap();
}

#[test]
fn a_record_that_another_writer_appended_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans");
    let file = FileTransport::new(&path).unwrap();
    let mut transport = file.connect().unwrap();
    let bodies: Vec<Vec<u8>> = [0, 1, 126, 127, 128, 129, 16_383, 16_384, 100_000]
        .iter()
        .map(|length| [&b"\x0a"[..], &vec![7; *length]].concat())
        .collect();
    for body in &bodies {
        let request = Request::new(Signal::Traces, body, 1, Instant::now() + LONG);
        transport.send(&request).unwrap();
        send(&file, body).unwrap();
    }
    let expected: Vec<_> = bodies
        .iter()
        .flat_map(|body| [body.clone(), body.clone()])
        .collect();
    assert_eq!(records(&path), expected);
}

#[test]
fn a_path_that_cannot_be_written_to_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let error = FileTransport::new(folder.path()).unwrap_err();
    assert_eq!(error.setting(), "file");
    assert!(error.accepted().contains("can be written to"), "{error}");
    let path = folder.path().join("gone").join("spans");
    std::fs::create_dir(folder.path().join("gone")).unwrap();
    let file = FileTransport::new(&path).unwrap();
    std::fs::remove_dir_all(folder.path().join("gone")).unwrap();
    assert_eq!(
        send(&file, b"\x0a").unwrap_err().kind,
        SendErrorKind::Unavailable
    );
}
