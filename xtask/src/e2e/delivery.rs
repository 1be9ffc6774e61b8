//! Checks that every span arrives once, at every receiver, over every protocol, compression and kind of TLS.

use super::python::Python;
use super::receivers::{Arrivals, Receiver, Rotel, Tls};
use crate::cargo::{cargo, root, run};
use anyhow::{Context, bail};
use std::process::Command;
use std::time::{Duration, Instant};

/// Enough for several batches.
const SPANS: u64 = 5_000;

const SERVICE: &str = "end-to-end";
/// The beginning of the header `User-Agent` of our requests.
const USER_AGENT: &str = "OTel-OTLP-Exporter-zerospan/";

const PROTOCOLS: [&str; 2] = ["http/protobuf", "grpc"];
const COMPRESSIONS: [&str; 2] = ["none", "gzip"];

pub(super) fn check(python: &Python) -> anyhow::Result<()> {
    run(cargo()
        .args(["build", "--quiet", "--package", "zerospan-export"])
        .args(["--all-features", "--example", "send"]))?;

    println!(
        "{:<10} {:<14} {:<11} {:<5} {:>8} {:>9} {:>8}",
        "receiver", "protocol", "compression", "tls", "sent", "arrived", "requests"
    );
    for tls in [Tls::None, Tls::Server, Tls::Mutual] {
        let mut receiver = Receiver::start(python, tls)?;
        for (protocol, compression) in combinations() {
            let scheme = if tls == Tls::None { "http" } else { "https" };
            let port = receiver.ports[if protocol == "grpc" { "grpc" } else { "http" }];
            let mut send = sender(scheme, port, protocol, compression);
            if tls != Tls::None {
                send.arg("--ca").arg(&receiver.files["authority"]);
            }
            if tls == Tls::Mutual {
                send.arg("--cert").arg(&receiver.files["client"]);
                send.arg("--key").arg(&receiver.files["client_key"]);
            }
            let arrivals = send_and_receive(&mut send, &mut receiver)?;
            if protocol != "grpc" && (arrivals.compressed > 0) != (compression == "gzip") {
                bail!("compression is set to {compression}, but {arrivals:?} arrived");
            }
            if !arrivals
                .user_agents
                .iter()
                .all(|agent| agent.contains(USER_AGENT))
            {
                bail!("a request has no user agent {USER_AGENT}: {arrivals:?}");
            }
            print_row("python", protocol, compression, tls, &arrivals);
        }
    }

    let mut forwarded_to = Receiver::start(python, Tls::None)?;
    let rotel = Rotel::start_forwarding(python, forwarded_to.ports["grpc"])?;
    for (protocol, compression) in combinations() {
        let port = if protocol == "grpc" {
            rotel.grpc
        } else {
            rotel.http
        };
        let mut send = sender("http", port, protocol, compression);
        let arrivals = send_and_receive(&mut send, &mut forwarded_to)?;
        print_row("rotel", protocol, compression, Tls::None, &arrivals);
    }
    Ok(())
}

fn combinations() -> impl Iterator<Item = (&'static str, &'static str)> {
    PROTOCOLS
        .into_iter()
        .flat_map(|protocol| COMPRESSIONS.map(|compression| (protocol, compression)))
}

/// Returns the command that sends to a receiver on `port` of this machine.
fn sender(scheme: &str, port: u16, protocol: &str, compression: &str) -> Command {
    let path = if protocol == "grpc" { "" } else { "/v1/traces" };
    let endpoint = format!("{scheme}://localhost:{port}{path}");
    let mut target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into);
    target.push("debug/examples/send");
    let mut send = Command::new(target);
    send.args(["--endpoint", &endpoint, "--protocol", protocol])
        .args(["--compression", compression, "--spans", &SPANS.to_string()])
        .args(["--service", SERVICE]);
    send
}

/// Sends, and waits until every span has arrived.
///
/// # Errors
///
/// If a span is missing, or arrived twice.
fn send_and_receive(send: &mut Command, receiver: &mut Receiver) -> anyhow::Result<Arrivals> {
    let output = send.output().context("cannot run the example `send`")?;
    let sent = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!(
            "the example `send` failed: {sent}{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let mut total = Arrivals::default();
    let deadline = Instant::now() + Duration::from_secs(15);
    while total.spans < SPANS && Instant::now() < deadline {
        let more = receiver.arrivals()?;
        total.requests += more.requests;
        total.spans += more.spans;
        total.compressed += more.compressed;
        total.distinct += more.distinct;
        total.repeated += more.repeated;
        total.highest = total.highest.max(more.highest);
        total.services.extend(more.services);
        total.user_agents.extend(more.user_agents);
        std::thread::sleep(Duration::from_millis(50));
    }
    let all_once = total.spans == SPANS
        && total.distinct == SPANS
        && total.repeated == 0
        && total.highest == SPANS
        && total.services.iter().all(|service| service == SERVICE);
    if !all_once {
        bail!("{SPANS} spans were sent ({sent}), {total:?} arrived");
    }
    Ok(total)
}

fn print_row(receiver: &str, protocol: &str, compression: &str, tls: Tls, arrivals: &Arrivals) {
    println!(
        "{receiver:<10} {protocol:<14} {compression:<11} {:<5} {SPANS:>8} {:>9} {:>8}",
        tls.name(),
        arrivals.spans,
        arrivals.requests,
    );
}
