//! Every example runs and succeeds; those that want a collector get one, with TLS where they want it.
#![forbid(unsafe_code)]

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use zerospan::otlp::RequestView;

/// The example's program, built beside this one.
fn example(name: &str) -> Command {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    if path.ends_with("deps") {
        path.pop();
    }
    let program: PathBuf = path
        .join("examples")
        .join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        program.is_file(),
        "{} is not built: run `cargo build -p zerospan --all-features --examples`",
        program.display()
    );
    let mut command = Command::new(program);
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("OTEL_") {
            command.env_remove(variable);
        }
    }
    command
}

/// Runs the example and returns its output.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}{complaint}");
    said
}

/// A collector that keeps the names of the spans it gets, until the process ends.
struct Collector {
    port: u16,
    names: Arc<Mutex<Vec<String>>>,
}

impl Collector {
    fn start(tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let names = Arc::<Mutex<Vec<String>>>::default();
        let kept = Arc::clone(&names);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                match &tls {
                    None => converse(stream, &kept),
                    Some(tls) => {
                        let connection = ServerConnection::new(Arc::clone(tls)).unwrap();
                        converse(StreamOwned::new(connection, stream), &kept)
                    }
                };
            }
        });
        Self { port, names }
    }

    fn names(&self) -> Vec<String> {
        self.names.lock().unwrap().clone()
    }
}

/// Answers requests until the client closes the connection.
fn converse(stream: impl Read + Write, kept: &Mutex<Vec<String>>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut length, mut line) = (0, String::new());
        loop {
            line.clear();
            if stream.read_line(&mut line).ok()? == 0 {
                return None;
            }
            match line.to_ascii_lowercase().trim().split_once(": ") {
                Some(("content-length", value)) => length = value.parse().ok()?,
                None if line.trim().is_empty() => break,
                _ => {}
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).ok()?;
        for resource in RequestView::new(&body).resource_spans().flatten() {
            for scope in resource.scope_spans().flatten() {
                let names = scope.spans().flatten().map(|span| span.name().to_owned());
                kept.lock().ok()?.extend(names);
            }
        }
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        stream.get_mut().write_all(answer).ok()?;
        stream.get_mut().flush().ok()?;
    }
}

/// A CA, as PEM, and a server for `localhost` that it vouches for.
fn authority() -> (String, Arc<ServerConfig>) {
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_key = KeyPair::generate().unwrap();
    let pem = ca.self_signed(&ca_key).unwrap().pem();
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let issued = server
        .signed_by(&key, &Issuer::new(ca, ca_key))
        .unwrap()
        .pem();
    let chain = vec![CertificateDer::from_pem_slice(issued.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
    let config =
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
    (pem, Arc::new(config))
}

fn sends(name: &str) -> Vec<String> {
    let collector = Collector::start(None);
    let endpoint = format!("http://127.0.0.1:{}", collector.port);
    run(example(name).env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint));
    collector.names()
}

#[test]
fn five_lines_of_set_up_deliver_a_span() {
    assert_eq!(sends("five_lines"), ["GET /cart"]);
}

#[test]
fn five_lines_without_a_collector_end_in_an_error() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let output = example("five_lines")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{free}"))
        .env("OTEL_EXPORTER_OTLP_TIMEOUT", "200")
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("Lost"),
        "{output:?}"
    );
}

#[test]
fn the_official_sdk_delivers_through_the_processor() {
    assert_eq!(sends("under_the_official_sdk"), ["GET /users/{id}"; 3]);
}

#[test]
fn a_span_travels_over_tls_to_whom_the_authority_vouches_for() {
    let (pem, server) = authority();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, pem).unwrap();
    let collector = Collector::start(Some(server));
    let endpoint = format!("https://localhost:{}/v1/traces", collector.port);
    let said = run(example("tls").arg(&file).arg(endpoint));
    assert_eq!(said, "1 span was delivered over TLS\n");
    assert_eq!(collector.names(), ["open"]);
}

#[test]
fn the_middleware_puts_a_handler_under_the_callers_trace() {
    run(&mut example("axum_middleware"));
}

#[test]
fn native_calls_do_not_allocate() {
    assert_eq!(
        run(&mut example("native_keys")),
        "200 spans after the first, 0 allocations\n"
    );
}

#[test]
fn a_processor_sees_every_span() {
    assert_eq!(
        run(&mut example("custom_processor")),
        "10 jobs, 4 of them failed\n"
    );
}

#[test]
fn the_blocks_stand_alone() {
    assert_eq!(
        run(&mut example("blocks_alone")),
        "5 attributes, 0 allocations\n"
    );
    assert!(run(&mut example("arena_per_request")).starts_with("100 spans of 5 attributes"));
    assert!(run(&mut example("pooled_spans")).starts_with("100 spans, "));
}

#[test]
fn every_example_is_run_and_is_short() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(
            include_str!("examples.rs").contains(&format!("\"{name}\"")),
            "{name} is run by no test"
        );
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines < 60, "{name} has {lines} lines");
    }
}
