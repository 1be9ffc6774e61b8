//! What every crate has: a README that is its documentation, the workspace's lints, and no `unsafe` outside the crates that
//! may.

use crate::cargo::root;
use std::fs;

/// The crates that may contain `unsafe` code, each with the reason.
const UNSAFE: [(&str, &str); 2] = [
    (
        "zerospan-core",
        "pthread_atfork, which detects a fork without a system call per span; GlobalAlloc of the counting allocator (feature `dev`)",
    ),
    ("zerospan-otlp", "the wire module"),
];

pub(crate) fn check() -> anyhow::Result<Vec<String>> {
    let mut findings = Vec::new();
    for entry in root().join("crates").read_dir()? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let read = |file: &str| fs::read_to_string(path.join(file)).unwrap_or_default();
        let (manifest, lib, readme) = (read("Cargo.toml"), read("src/lib.rs"), read("README.md"));

        let mut demand = |holds: bool, what: &str| {
            if !holds {
                findings.push(format!("crates/{name}: {what}"));
            }
        };
        demand(
            manifest.contains(&format!("name = \"{name}\"")),
            "the package is named as its folder is",
        );
        demand(
            manifest.contains("[lints]\nworkspace = true"),
            "the manifest takes the workspace's lints",
        );
        demand(
            lib.contains("#![doc = include_str!(\"../README.md\")]"),
            "src/lib.rs is documented by the crate's README",
        );
        demand(
            readme.contains("## What it does not do") && readme.contains("## What it allocates"),
            "README.md says `What it does not do` and `What it allocates`",
        );
        let may_be_unsafe = UNSAFE.iter().any(|(listed, _)| *listed == name);
        demand(
            may_be_unsafe || lib.contains("#![forbid(unsafe_code)]"),
            "src/lib.rs forbids unsafe code (or the crate is listed in xtask/src/tidy/layout.rs with the reason)",
        );
    }
    Ok(findings)
}
