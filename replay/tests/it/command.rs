//! The program as `cargo xtask replay` runs it.

use crate::collector::Collector;
use replay::{check, parse, read_delimited, read_requests, to_otlp};
use std::ffi::OsStr;
use std::process::{Command, Output};

const SHOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/shop.json");

fn run(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Output {
    Command::new(env!("CARGO_BIN_EXE_replay"))
        .args(arguments)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn shop() -> Vec<replay::OtlpSpan> {
    let spans = parse("shop.json", include_bytes!("../shop.json")).unwrap();
    spans.iter().map(|span| to_otlp(span).unwrap()).collect()
}

#[test]
fn a_collector_gets_every_span_with_or_without_compression() {
    for compression in ["none", "gzip"] {
        let collector = Collector::start("200 OK");
        let output = run([
            SHOP,
            "--endpoint",
            &collector.url,
            "--protocol",
            "http/protobuf",
            "--compression",
            compression,
        ]);
        assert!(output.status.success(), "{}", said(&output));
        let requests = collector.requests();
        let sent = read_requests(requests.iter().map(Vec::as_slice)).unwrap();
        check(&shop(), &sent).unwrap();
        let row = "shop.json         6          6        0       2          22";
        assert!(said(&output).contains(row), "{}", said(&output));
    }
}

#[test]
fn a_file_holds_the_spans_of_every_file_and_nothing_from_before() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("spans.bin");
    std::fs::write(&out, "left from before").unwrap();
    let output = run([SHOP, SHOP, "--out", out.to_str().unwrap()]);
    assert!(output.status.success(), "{}", said(&output));
    let twice = [shop(), shop()].concat();
    check(
        &twice,
        &read_delimited(&std::fs::read(&out).unwrap()).unwrap(),
    )
    .unwrap();
    assert!(
        said(&output).contains("all              12         12"),
        "{}",
        said(&output)
    );
}

#[test]
fn a_collector_that_refuses_is_an_error_with_the_count() {
    let collector = Collector::start("400 Bad Request");
    let output = run([SHOP, "--endpoint", &collector.url]);
    assert!(!output.status.success());
    let said = said(&output);
    assert!(
        said.contains("0 of 2 spans were delivered (2: the collector refused the request)"),
        "{said}"
    );
    assert!(
        said.contains("shop.json         6          0        6"),
        "{said}"
    );
}

#[test]
fn a_malformed_file_sends_nothing_of_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let (bad, out) = (folder.path().join("bad.json"), folder.path().join("out"));
    std::fs::write(
        &bad,
        "[\n{\"traceId\": \"1\", \"id\": \"2\", \"duration\": -1}]",
    )
    .unwrap();
    let output = run([SHOP, bad.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert!(!output.status.success());
    let said = said(&output);
    assert!(
        said.contains("bad.json:2:42: invalid type: integer `-1`"),
        "{said}"
    );
    assert!(!out.exists());
}

#[test]
fn what_cannot_be_used_is_named() {
    let missing = said(&run(["no-such-file.json", "--out", "also-none"]));
    assert!(missing.contains("no-such-file.json: "), "{missing}");
    let endpoint = said(&run([SHOP, "--endpoint", "ftp://nowhere"]));
    assert!(endpoint.contains("ftp://nowhere"), "{endpoint}");
    let protocol = said(&run([SHOP, "--protocol", "carrier-pigeon"]));
    assert!(protocol.contains("http/protobuf"), "{protocol}");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("input.json");
    std::fs::copy(SHOP, &out).unwrap();
    let itself = said(&run([
        out.as_os_str(),
        OsStr::new("--out"),
        out.as_os_str(),
    ]));
    assert!(
        itself.contains("is one of the files to be read"),
        "{itself}"
    );
    assert!(!std::fs::read(&out).unwrap().is_empty());
}
