//! Runs the tests under AddressSanitizer and ThreadSanitizer.

use crate::cargo::{self, cargo, nightly_cargo, root};
use anyhow::Context;

struct Run {
    sanitizer: &'static str,
    /// The crates that have `unsafe` code or pass data between threads.
    packages: &'static [&'static str],
    /// Additional flags of the compiler.
    flags: &'static str,
    /// Parts of the names of tests that are left out.
    skipped: &'static [&'static str],
}

const RUNS: [Run; 2] = [
    Run {
        sanitizer: "address",
        packages: &[
            "zerospan-core",
            "zerospan-arena",
            "zerospan-pool",
            "zerospan-otlp",
            "zerospan-transport",
            "zerospan-export",
            "zerospan-trace",
            "zerospan-logs",
            "zerospan-tracing",
        ],
        flags: "",
        skipped: &[
            // A child forgets what belongs to its parent: the detector of leaks reports that.
            "no_forked_child_",
            // It runs an example, which is not built here.
            "the_axum_example",
        ],
    },
    Run {
        sanitizer: "thread",
        packages: &[
            "zerospan-core",
            "zerospan-pool",
            "zerospan-transport",
            "zerospan-export",
            "zerospan-trace",
            "zerospan-logs",
            "zerospan-tracing",
        ],
        flags: "--cfg tsan",
        skipped: &[
            // ThreadSanitizer ends a child of `fork` that starts a thread where its parent has several.
            "fork",
            "ids_differ_between_parent_and_child",
            "parent_and_children",
            "a_child_that_exits_or_records",
            // It starts itself with an empty environment, and so without the suppressions.
            "a_variable_that_is_not_unicode",
            "the_axum_example",
        ],
    },
];

pub(crate) fn run() -> anyhow::Result<()> {
    if nightly_cargo().is_none() {
        println!(
            "skipped: sanitizers need a nightly toolchain (`rustup toolchain install nightly`)"
        );
        return Ok(());
    }
    let host = host()?;
    let suppressions = |file| format!("suppressions={}", root().join(file).display());
    for run in &RUNS {
        let Run {
            sanitizer,
            packages,
            flags,
            skipped,
        } = run;
        let mut test = nightly_cargo().context("the nightly toolchain is gone")?;
        test.args([
            "test",
            "--tests",
            "--no-fail-fast",
            "--all-features",
            "--target",
            &host,
        ])
        .args(["--target-dir", &format!("target/sanitize-{sanitizer}")])
        // The standard library is not built with the sanitizer: the compiler demands that this is deliberate.
        .env(
            "RUSTFLAGS",
            format!("-Zsanitizer={sanitizer} -Cunsafe-allow-abi-mismatch=sanitizer {flags}"),
        )
        // Tests request more memory than the machine has, to see the error.
        .env("ASAN_OPTIONS", "allocator_may_return_null=1")
        .env("LSAN_OPTIONS", suppressions("xtask/lsan.supp"))
        .env("TSAN_OPTIONS", suppressions("xtask/tsan.supp"));
        for package in *packages {
            test.args(["--package", package]);
        }
        test.arg("--");
        for name in *skipped {
            test.args(["--skip", name]);
        }
        cargo::run(&mut test)?;
        println!("{sanitizer} sanitizer: clean over {}", packages.join(", "));
    }
    Ok(())
}

/// Returns the target triple of this machine, which sanitizers need.
fn host() -> anyhow::Result<String> {
    let output = cargo().args(["--version", "--verbose"]).output()?;
    let text = String::from_utf8(output.stdout)?;
    text.lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .context("`cargo --version --verbose` names no host")
}
