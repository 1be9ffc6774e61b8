//! Checks that every span and every log record arrives once, at every receiver, over every protocol, compression and kind of TLS.

use super::receivers::{Arrivals, BySignal, Receiver, Rotel, Tls};
use crate::cargo::{cargo, root, run};
use crate::python::Python;
use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use std::process::Command;
use std::time::{Duration, Instant};

/// Items of each signal: enough for several batches.
const ITEMS: u64 = 5_000;

/// One receiver rejects every item with a number divisible by this.
const REJECTED: u64 = 10;

const SERVICE: &str = "end-to-end";
/// The beginning of the header `User-Agent` of our requests.
const USER_AGENT: &str = "OTel-OTLP-Exporter-zerospan/";

const SIGNALS: [&str; 2] = ["traces", "logs"];
const PROTOCOLS: [&str; 2] = ["http/protobuf", "grpc"];
const COMPRESSIONS: [&str; 2] = ["none", "gzip"];

/// The counts of a signal that the sender prints.
#[derive(Debug, Deserialize)]
struct Sent {
    recorded: u64,
    delivered: u64,
    rejected: u64,
    pending: u64,
}

pub(super) fn check(python: &Python) -> anyhow::Result<()> {
    run(cargo()
        .args(["build", "--quiet", "--package", "zerospan-export"])
        .args(["--all-features", "--example", "send"]))?;

    println!(
        "{:<10} {:<14} {:<11} {:<5} {:<7} {:>8} {:>9} {:>9} {:>8}",
        "receiver",
        "protocol",
        "compression",
        "tls",
        "signal",
        "sent",
        "arrived",
        "rejected",
        "requests"
    );
    for tls in [Tls::None, Tls::Server, Tls::Mutual] {
        let mut receiver = Receiver::start(python, tls)?;
        for (protocol, compression) in combinations() {
            let scheme = if tls == Tls::None { "http" } else { "https" };
            let port = receiver.port(protocol);
            let mut send = sender(scheme, port, protocol, compression);
            if tls != Tls::None {
                send.arg("--ca").arg(&receiver.files["authority"]);
            }
            if tls == Tls::Mutual {
                send.arg("--cert").arg(&receiver.files["client"]);
                send.arg("--key").arg(&receiver.files["client_key"]);
            }
            let arrivals = send_and_receive(&mut send, &mut receiver, 0)?;
            check_headers(&arrivals, protocol, compression)?;
            print_rows("python", protocol, compression, tls, &arrivals);
        }
    }

    let mut rejecting = Receiver::start_rejecting(python, REJECTED)?;
    for (protocol, compression) in combinations() {
        let port = rejecting.port(protocol);
        let mut send = sender("http", port, protocol, compression);
        let arrivals = send_and_receive(&mut send, &mut rejecting, ITEMS / REJECTED)?;
        print_rows("rejecting", protocol, compression, Tls::None, &arrivals);
    }

    let mut forwarded_to = Receiver::start(python, Tls::None)?;
    let rotel = Rotel::start_forwarding(python, forwarded_to.port("grpc"))?;
    for (protocol, compression) in combinations() {
        let port = if protocol == "grpc" {
            rotel.grpc
        } else {
            rotel.http
        };
        let mut send = sender("http", port, protocol, compression);
        let arrivals = send_and_receive(&mut send, &mut forwarded_to, 0)?;
        print_rows("rotel", protocol, compression, Tls::None, &arrivals);
    }
    Ok(())
}

fn combinations() -> impl Iterator<Item = (&'static str, &'static str)> {
    PROTOCOLS
        .into_iter()
        .flat_map(|protocol| COMPRESSIONS.map(|compression| (protocol, compression)))
}

/// Returns the command that sends both signals at once to a receiver on `port` of this machine.
fn sender(scheme: &str, port: u16, protocol: &str, compression: &str) -> Command {
    let endpoint = format!("{scheme}://localhost:{port}");
    let mut target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into);
    target.push("debug/examples/send");
    let mut send = Command::new(target);
    send.args(["--endpoint", &endpoint, "--protocol", protocol])
        .args(["--compression", compression, "--signal", "both"])
        .args(["--items", &ITEMS.to_string(), "--service", SERVICE]);
    send
}

/// Sends, and waits until every item has arrived that the receiver does not reject.
///
/// # Errors
///
/// If an item is missing, arrived twice, or is not counted as what became of it.
fn send_and_receive(
    send: &mut Command,
    receiver: &mut Receiver,
    rejected: u64,
) -> anyhow::Result<BySignal<Arrivals>> {
    let output = send.output().context("cannot run the example `send`")?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let sent: BySignal<Sent> = serde_json::from_str(&printed).with_context(|| {
        let errors = String::from_utf8_lossy(&output.stderr);
        format!("the example `send` failed: {printed}{errors}")
    })?;
    let taken = ITEMS - rejected;
    let mut total = BySignal::<Arrivals>::new();
    let deadline = Instant::now() + Duration::from_secs(15);
    loop {
        for (signal, more) in receiver.arrivals()? {
            total.entry(signal).or_default().add(more);
        }
        let complete = SIGNALS
            .iter()
            .all(|signal| total.get(*signal).is_some_and(|all| all.items >= taken));
        if complete || Instant::now() >= deadline {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    for signal in SIGNALS {
        let (sent, arrived) = (&sent[signal], &total[signal]);
        let counted = sent.recorded == ITEMS
            && sent.delivered == taken
            && sent.rejected == rejected
            && sent.pending == 0;
        ensure!(
            counted,
            "{taken} of {ITEMS} were taken, but the {signal} count {printed}"
        );
        let all_once = arrived.items == taken
            && arrived.rejected == rejected
            && arrived.distinct == taken
            && arrived.repeated == 0
            && arrived.highest == ITEMS - u64::from(rejected > 0)
            && arrived.services.iter().all(|service| service == SERVICE);
        ensure!(
            all_once,
            "{ITEMS} items of {signal} were sent ({printed}), {arrived:?} arrived"
        );
    }
    Ok(total)
}

/// Checks that the requests of every signal have the headers that they should.
fn check_headers(
    arrivals: &BySignal<Arrivals>,
    protocol: &str,
    compression: &str,
) -> anyhow::Result<()> {
    for arrivals in arrivals.values() {
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
    }
    Ok(())
}

fn print_rows(
    receiver: &str,
    protocol: &str,
    compression: &str,
    tls: Tls,
    arrivals: &BySignal<Arrivals>,
) {
    for signal in SIGNALS {
        let arrived = &arrivals[signal];
        println!(
            "{receiver:<10} {protocol:<14} {compression:<11} {:<5} {signal:<7} {ITEMS:>8} {:>9} {:>9} {:>8}",
            tls.name(),
            arrived.items,
            arrived.rejected,
            arrived.requests,
        );
    }
}
